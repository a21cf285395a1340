package cloudmapapi

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/discovery"
	"github.com/slipway-cd/slipway/engine/state"
)

// RegisterInstance registers an instance, or gives one that is there other attributes.
func (s *Server) RegisterInstance(_ context.Context, in *sd.RegisterInstanceInput) (*sd.RegisterInstanceOutput, error) {
	var operation *string
	err := s.write(func(tx *state.Tx) error {
		r, err := registry(tx.Snapshot, in.ServiceId)
		if err != nil {
			return err
		}
		if err := checkAttributes(r, in.Attributes); err != nil {
			return err
		}
		i := &state.Registered{Registry: r.ID, Health: types.HealthStatusHealthy}
		awsdoc.Assign(&i.Doc, in)
		i.Doc.Id, i.Doc.CreatedByAccount = in.InstanceId, aws.String(s.engine.Identity().Account)
		if in.Attributes["AWS_INIT_HEALTH_STATUS"] == string(types.CustomHealthStatusUnhealthy) {
			i.Health = types.HealthStatusUnhealthy
		}
		tx.Put(i)
		operation = s.did(tx, types.OperationTypeRegisterInstance, targets(r, in.InstanceId))
		return nil
	})
	return &sd.RegisterInstanceOutput{OperationId: operation}, err
}

func targets(r *state.Registry, instance *string) map[types.OperationTargetType]string {
	return map[types.OperationTargetType]string{
		types.OperationTargetTypeService: r.ID, types.OperationTargetTypeInstance: aws.ToString(instance),
	}
}

// checkAttributes sees that an instance has what the records of its service are made of.
// [AWS Cloud Map API reference, RegisterInstance]
func checkAttributes(r *state.Registry, attributes map[string]string) error {
	if a, ok := attributes["AWS_INSTANCE_IPV4"]; ok {
		if ip, err := netip.ParseAddr(a); err != nil || !ip.Is4() {
			return invalid("AWS_INSTANCE_IPV4 %q is no IPv4 address.", a)
		}
	}
	if p, ok := attributes["AWS_INSTANCE_PORT"]; ok {
		if n, err := strconv.Atoi(p); err != nil || n < 0 || n > 65535 {
			return invalid("AWS_INSTANCE_PORT %q is no port.", p)
		}
	}
	status := attributes["AWS_INIT_HEALTH_STATUS"]
	switch {
	case status == "":
	case !slices.Contains(types.CustomHealthStatus("").Values(), types.CustomHealthStatus(status)):
		return invalid("AWS_INIT_HEALTH_STATUS must be HEALTHY or UNHEALTHY.")
	case r.Doc.HealthCheckCustomConfig == nil:
		return invalid("AWS_INIT_HEALTH_STATUS can be specified only if the service has a HealthCheckCustomConfig.")
	}
	if r.Doc.DnsConfig == nil {
		return nil
	}
	needs := map[types.RecordType]string{
		types.RecordTypeA: "AWS_INSTANCE_IPV4", types.RecordTypeAaaa: "AWS_INSTANCE_IPV6", types.RecordTypeSrv: "AWS_INSTANCE_PORT",
		types.RecordTypeCname: "AWS_INSTANCE_CNAME",
	}
	for _, record := range r.Doc.DnsConfig.DnsRecords {
		if name := needs[record.Type]; attributes[name] == "" && attributes["AWS_ALIAS_DNS_NAME"] == "" {
			return invalid("The attribute %s is missing, which the service's %s record is made of.", name, record.Type)
		}
	}
	return nil
}

// instances returns a registry with its instances.
func (s *Server) instances(snap state.Snapshot, service *string) (*state.Registry, []discovery.Instance, error) {
	r, err := registry(snap, service)
	if err != nil {
		return nil, nil, err
	}
	return r, discovery.Instances(snap, r, s.region()), nil
}

func instanceNotFound(id string) error {
	return &types.InstanceNotFound{Message: awsdoc.Text("Instance with id %s not found.", id)}
}

func (s *Server) instance(snap state.Snapshot, service, id *string) (*state.Registry, discovery.Instance, error) {
	r, list, err := s.instances(snap, service)
	if err != nil {
		return nil, discovery.Instance{}, err
	}
	at := slices.IndexFunc(list, func(i discovery.Instance) bool { return i.ID == aws.ToString(id) })
	if at < 0 {
		return nil, discovery.Instance{}, instanceNotFound(aws.ToString(id))
	}
	return r, list[at], nil
}

// DeregisterInstance removes an instance that somebody registered.
func (s *Server) DeregisterInstance(_ context.Context, in *sd.DeregisterInstanceInput) (*sd.DeregisterInstanceOutput, error) {
	var operation *string
	err := s.write(func(tx *state.Tx) error {
		r, i, err := s.instance(tx.Snapshot, in.ServiceId, in.InstanceId)
		if err != nil {
			return err
		}
		if i.Task != "" {
			return invalid("The instance %s is a task of a service of Amazon ECS, and is deregistered when it stops.", i.ID)
		}
		record, _ := tx.Registered(r.ID, i.ID)
		tx.Delete(record)
		operation = s.did(tx, types.OperationTypeDeregisterInstance, targets(r, in.InstanceId))
		return nil
	})
	return &sd.DeregisterInstanceOutput{OperationId: operation}, err
}

// GetInstance describes an instance.
func (s *Server) GetInstance(_ context.Context, in *sd.GetInstanceInput) (*sd.GetInstanceOutput, error) {
	_, i, err := s.instance(s.read(), in.ServiceId, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return &sd.GetInstanceOutput{Instance: &i.Doc}, nil
}

// ListInstances lists the instances of a service by id, healthy or not.
func (s *Server) ListInstances(_ context.Context, in *sd.ListInstancesInput) (*sd.ListInstancesOutput, error) {
	_, list, err := s.instances(s.read(), in.ServiceId)
	if err != nil {
		return nil, err
	}
	byID := map[string]discovery.Instance{}
	for _, i := range list {
		byID[i.ID] = i
	}
	ids, next, err := page(slices.Collect(maps.Keys(byID)), in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sd.ListInstancesOutput{Instances: []types.InstanceSummary{}, NextToken: next}
	for _, id := range ids {
		i := byID[id]
		out.Instances = append(out.Instances, types.InstanceSummary{
			Id: &i.ID, Attributes: i.Attributes, CreatedByAccount: i.Doc.CreatedByAccount,
		})
	}
	return out, nil
}

// GetInstancesHealthStatus tells how the instances of a service are.
func (s *Server) GetInstancesHealthStatus(_ context.Context, in *sd.GetInstancesHealthStatusInput) (*sd.GetInstancesHealthStatusOutput, error) {
	_, list, err := s.instances(s.read(), in.ServiceId)
	if err != nil {
		return nil, err
	}
	health := map[string]types.HealthStatus{}
	for _, i := range list {
		health[i.ID] = i.Health
	}
	for _, id := range in.Instances {
		if _, ok := health[id]; !ok {
			return nil, instanceNotFound(id)
		}
	}
	ids := slices.Clone(in.Instances)
	if len(ids) == 0 {
		ids = slices.Collect(maps.Keys(health))
	}
	ids, next, err := page(ids, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sd.GetInstancesHealthStatusOutput{Status: map[string]types.HealthStatus{}, NextToken: next}
	for _, id := range ids {
		out.Status[id] = health[id]
	}
	return out, nil
}

// UpdateInstanceCustomHealthStatus says how an instance is that somebody registered.
func (s *Server) UpdateInstanceCustomHealthStatus(_ context.Context, in *sd.UpdateInstanceCustomHealthStatusInput) (*sd.UpdateInstanceCustomHealthStatusOutput, error) {
	return &sd.UpdateInstanceCustomHealthStatusOutput{}, s.write(func(tx *state.Tx) error {
		r, i, err := s.instance(tx.Snapshot, in.ServiceId, in.InstanceId)
		switch {
		case err != nil:
			return err
		case r.Doc.HealthCheckCustomConfig == nil:
			return &types.CustomHealthNotFound{Message: awsdoc.Text("The service %s has no custom health check.", r.ID)}
		case i.Task != "":
			return invalid("The instance %s is a task of a service of Amazon ECS, whose containers say how it is.", i.ID)
		case !slices.Contains(in.Status.Values(), in.Status):
			return invalid("Status must be HEALTHY or UNHEALTHY.")
		}
		record, _ := tx.Registered(r.ID, i.ID)
		changed := *record
		changed.Health = types.HealthStatus(in.Status)
		tx.Put(&changed)
		return nil
	})
}

// DiscoverInstances finds the instances of a service by the names of both.
func (s *Server) DiscoverInstances(_ context.Context, in *sd.DiscoverInstancesInput) (*sd.DiscoverInstancesOutput, error) {
	snap := s.read()
	r, err := named(snap, aws.ToString(in.NamespaceName), aws.ToString(in.ServiceName))
	if err != nil {
		return nil, err
	}
	if in.HealthStatus != "" && !slices.Contains(in.HealthStatus.Values(), in.HealthStatus) {
		return nil, invalid("HealthStatus %q is not valid.", in.HealthStatus)
	}
	const most = 1000
	limit := int(awsdoc.Or(in.MaxResults, 100))
	if limit < 1 || limit > most {
		return nil, invalid("MaxResults must be between 1 and %d.", most)
	}
	found := discovery.Find(discovery.Instances(snap, r, s.region()), in.QueryParameters, in.OptionalParameters, in.HealthStatus)
	out := &sd.DiscoverInstancesOutput{Instances: []types.HttpInstanceSummary{}}
	for _, i := range found[:min(len(found), limit)] {
		out.Instances = append(out.Instances, types.HttpInstanceSummary{
			InstanceId: &i.ID, Attributes: i.Attributes, HealthStatus: i.Health, NamespaceName: in.NamespaceName, ServiceName: r.Doc.Name,
		})
	}
	return out, nil
}

// named returns the service of that name in the namespace whose HTTP name it is.
func named(snap state.Snapshot, space, service string) (*state.Registry, error) {
	for n := range snap.Namespaces() {
		if !strings.EqualFold(*n.Doc.Properties.HttpProperties.HttpName, space) {
			continue
		}
		for r := range snap.RegistriesOf(n.ID) {
			if strings.EqualFold(*r.Doc.Name, service) {
				return r, nil
			}
		}
		return nil, &types.ServiceNotFound{Message: awsdoc.Text("Service with name %s not found.", service)}
	}
	return nil, &types.NamespaceNotFound{Message: awsdoc.Text("Namespace with name %s not found.", space)}
}
