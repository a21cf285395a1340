package cloudmapapi

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/discovery"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateService makes a name in a namespace that instances are found under.
func (s *Server) CreateService(_ context.Context, in *sd.CreateServiceInput) (*sd.CreateServiceOutput, error) {
	now := s.engine.Now()
	r := &state.Registry{ID: "srv-" + engine.NewHexID()[:16], Tags: in.Tags}
	awsdoc.Assign(&r.Doc, in, "Type")
	r.Doc.Id, r.Doc.Arn, r.Doc.CreateDate, r.Doc.ResourceOwner = &r.ID, s.arn("service/"+r.ID), &now, aws.String("SELF")
	r.Doc.CreatedByAccount = aws.String(s.engine.Identity().Account)
	err := s.write(func(tx *state.Tx) error {
		if err := place(tx.Snapshot, r, in); err != nil {
			return err
		}
		for other := range tx.RegistriesOf(r.Namespace) {
			if strings.EqualFold(*other.Doc.Name, *r.Doc.Name) {
				return &types.ServiceAlreadyExists{
					Message: awsdoc.Text("Service already exists."), ServiceId: &other.ID, ServiceArn: other.Doc.Arn,
					CreatorRequestId: other.Doc.CreatorRequestId,
				}
			}
		}
		tx.Put(r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	doc := r.Doc
	doc.InstanceCount = aws.Int32(0)
	return &sd.CreateServiceOutput{Service: &doc}, nil
}

// place finds the namespace of a new service, and sees that the two fit each other.
func place(snap state.Snapshot, r *state.Registry, in *sd.CreateServiceInput) error {
	id := in.NamespaceId
	if id == nil && in.DnsConfig != nil {
		id = in.DnsConfig.NamespaceId //nolint:staticcheck // Terraform names the namespace here
	}
	if id == nil {
		return invalid("A namespace must be named: NamespaceId is missing.")
	}
	n, err := namespace(snap, id)
	if err != nil {
		return err
	}
	r.Namespace, r.Doc.NamespaceId = n.ID, &n.ID
	switch {
	case !anyName(aws.ToString(in.Name)) || n.Doc.Type != types.NamespaceTypeHttp && !dnsName().MatchString(*in.Name):
		return invalid("The service name %q is not valid.", aws.ToString(in.Name))
	case in.DnsConfig != nil && n.Doc.Type == types.NamespaceTypeHttp:
		return invalid("DnsConfig cannot be specified for services in HTTP namespaces.")
	case in.HealthCheckConfig != nil && n.Doc.Type != types.NamespaceTypeDnsPublic:
		return invalid("HealthCheckConfig can be specified for services in public DNS namespaces only.")
	case in.Type == types.ServiceTypeOptionHttp && in.DnsConfig != nil:
		return invalid("DnsConfig cannot be specified for services of the type HTTP.")
	}
	r.Doc.Type = types.ServiceTypeHttp
	if in.DnsConfig == nil {
		return nil
	}
	if len(in.DnsConfig.DnsRecords) == 0 {
		return invalid("DnsRecords must not be empty.")
	}
	dns := *in.DnsConfig
	dns.NamespaceId = &n.ID //nolint:staticcheck // Cloud Map answers with it all the same
	if dns.RoutingPolicy == "" {
		dns.RoutingPolicy = types.RoutingPolicyMultivalue
	}
	r.Doc.DnsConfig, r.Doc.Type = &dns, types.ServiceTypeDnsHttp
	return nil
}

func registry(snap state.Snapshot, id *string) (*state.Registry, error) {
	r, ok := snap.Registry(lastPart(id))
	if !ok {
		return nil, &types.ServiceNotFound{Message: awsdoc.Text("Service with id %s not found.", aws.ToString(id))}
	}
	return r, nil
}

func (s *Server) counted(snap state.Snapshot, r *state.Registry) types.Service {
	doc := r.Doc
	doc.InstanceCount = aws.Int32(int32(len(discovery.Instances(snap, r, s.region())))) //nolint:gosec // tasks are fewer
	return doc
}

// GetService describes a service.
func (s *Server) GetService(_ context.Context, in *sd.GetServiceInput) (*sd.GetServiceOutput, error) {
	snap := s.read()
	r, err := registry(snap, in.Id)
	if err != nil {
		return nil, err
	}
	doc := s.counted(snap, r)
	return &sd.GetServiceOutput{Service: &doc}, nil
}

// ListServices lists services by id.
func (s *Server) ListServices(_ context.Context, in *sd.ListServicesInput) (*sd.ListServicesOutput, error) {
	snap := s.read()
	var ids []string
	for r := range snap.Registries() {
		if letsService(r, in.Filters) {
			ids = append(ids, r.ID)
		}
	}
	ids, next, err := page(ids, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sd.ListServicesOutput{Services: []types.ServiceSummary{}, NextToken: next}
	for _, id := range ids {
		r, _ := snap.Registry(id)
		var summary types.ServiceSummary
		doc := s.counted(snap, r)
		awsdoc.Assign(&summary, &doc)
		out.Services = append(out.Services, summary)
	}
	return out, nil
}

func letsService(r *state.Registry, filters []types.ServiceFilter) bool {
	for _, f := range filters {
		value := r.Namespace
		if f.Name == types.ServiceFilterNameResourceOwner {
			value = "SELF"
		}
		if !(filter{f.Condition, f.Values}).lets(value) {
			return false
		}
	}
	return true
}

// UpdateService changes the description and the records of a service.
func (s *Server) UpdateService(_ context.Context, in *sd.UpdateServiceInput) (*sd.UpdateServiceOutput, error) {
	var operation *string
	err := s.write(func(tx *state.Tx) error {
		r, err := registry(tx.Snapshot, in.Id)
		if err != nil {
			return err
		}
		changed := *r
		if in.Service.Description != nil {
			changed.Doc.Description = in.Service.Description
		}
		switch {
		case in.Service.HealthCheckConfig != nil:
			return invalid("HealthCheckConfig can be specified for services in public DNS namespaces only.")
		case in.Service.DnsConfig != nil && r.Doc.DnsConfig == nil:
			return invalid("The service %s has no DNS records.", r.ID)
		case in.Service.DnsConfig != nil:
			dns := *r.Doc.DnsConfig
			dns.DnsRecords = in.Service.DnsConfig.DnsRecords
			changed.Doc.DnsConfig = &dns
		}
		tx.Put(&changed)
		operation = s.did(tx, types.OperationTypeUpdateService, map[types.OperationTargetType]string{types.OperationTargetTypeService: r.ID})
		return nil
	})
	return &sd.UpdateServiceOutput{OperationId: operation}, err
}

// DeleteService deletes a service that has no instances.
func (s *Server) DeleteService(_ context.Context, in *sd.DeleteServiceInput) (*sd.DeleteServiceOutput, error) {
	return &sd.DeleteServiceOutput{}, s.write(func(tx *state.Tx) error {
		r, err := registry(tx.Snapshot, in.Id)
		if err != nil {
			return err
		}
		if len(discovery.Instances(tx.Snapshot, r, s.region())) > 0 {
			return &types.ResourceInUse{Message: awsdoc.Text("Service contains registered instances; delete the instances before deleting the service.")}
		}
		tx.Delete(r)
		return nil
	})
}
