package cloudmapapi

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// The forms of names. [AWS Cloud Map API reference: CreateHttpNamespace, CreatePrivateDnsNamespace]
var (
	visible = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[!-~]+$`) })
	dnsName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$`) })
)

// anyName reports whether a namespace or a service of no domain could have the name.
func anyName(name string) bool {
	const most = 1024
	return len(name) <= most && visible().MatchString(name)
}

// CreateHttpNamespace makes a namespace whose instances are found by DiscoverInstances.
func (s *Server) CreateHttpNamespace(_ context.Context, in *sd.CreateHttpNamespaceInput) (*sd.CreateHttpNamespaceOutput, error) {
	if !anyName(aws.ToString(in.Name)) {
		return nil, invalid("The namespace name %q is not valid.", aws.ToString(in.Name))
	}
	id, err := s.create(types.NamespaceTypeHttp, in, in.Tags)
	return &sd.CreateHttpNamespaceOutput{OperationId: id}, err
}

// CreatePrivateDnsNamespace makes a namespace whose instances could be found by names in a network, too.
func (s *Server) CreatePrivateDnsNamespace(_ context.Context, in *sd.CreatePrivateDnsNamespaceInput) (*sd.CreatePrivateDnsNamespaceOutput, error) {
	if !dnsName().MatchString(aws.ToString(in.Name)) {
		return nil, invalid("The namespace name %q is not a valid domain name.", aws.ToString(in.Name))
	}
	id, err := s.create(types.NamespaceTypeDnsPrivate, in, in.Tags)
	return &sd.CreatePrivateDnsNamespaceOutput{OperationId: id}, err
}

func (s *Server) create(kind types.NamespaceType, in any, tags []types.Tag) (operation *string, err error) {
	id, now := "ns-"+engine.NewHexID()[:16], s.engine.Now()
	n := &state.Namespace{ID: id, Tags: tags}
	awsdoc.Assign(&n.Doc, in, "Properties")
	n.Doc.Id, n.Doc.Arn, n.Doc.Type, n.Doc.CreateDate = &n.ID, s.arn("namespace/"+id), kind, &now
	n.Doc.ResourceOwner = aws.String("SELF")
	n.Doc.Properties = &types.NamespaceProperties{HttpProperties: &types.HttpProperties{HttpName: n.Doc.Name}}
	if kind == types.NamespaceTypeDnsPrivate {
		ttl := int64(15)
		if p := in.(*sd.CreatePrivateDnsNamespaceInput).Properties; p != nil && p.DnsProperties != nil && p.DnsProperties.SOA != nil && p.DnsProperties.SOA.TTL != nil {
			ttl = *p.DnsProperties.SOA.TTL
		}
		n.Doc.Properties.DnsProperties = &types.DnsProperties{
			HostedZoneId: aws.String("Z" + strings.ToUpper(engine.NewHexID()[:20])), SOA: &types.SOA{TTL: &ttl},
		}
	}
	err = s.write(func(tx *state.Tx) error {
		if err := nameFree(tx.Snapshot, n); err != nil {
			return err
		}
		tx.Put(n)
		operation = s.did(tx, types.OperationTypeCreateNamespace, map[types.OperationTargetType]string{types.OperationTargetTypeNamespace: id})
		return nil
	})
	return operation, err
}

func nameFree(snap state.Snapshot, n *state.Namespace) error {
	for other := range snap.Namespaces() {
		if strings.EqualFold(*other.Doc.Name, *n.Doc.Name) {
			return &types.NamespaceAlreadyExists{
				Message: awsdoc.Text("Namespace with name %s already exists.", *n.Doc.Name), NamespaceId: &other.ID,
				CreatorRequestId: other.Doc.CreatorRequestId,
			}
		}
	}
	return nil
}

func namespace(snap state.Snapshot, id *string) (*state.Namespace, error) {
	n, ok := snap.Namespace(lastPart(id))
	if !ok {
		return nil, &types.NamespaceNotFound{Message: awsdoc.Text("Namespace with id %s not found.", aws.ToString(id))}
	}
	return n, nil
}

// described is the namespace's document with what is counted.
func described(snap state.Snapshot, n *state.Namespace) types.Namespace {
	doc, count := n.Doc, int32(0)
	for range snap.RegistriesOf(n.ID) {
		count++
	}
	doc.ServiceCount = &count
	return doc
}

// GetNamespace describes a namespace.
func (s *Server) GetNamespace(_ context.Context, in *sd.GetNamespaceInput) (*sd.GetNamespaceOutput, error) {
	snap := s.read()
	n, err := namespace(snap, in.Id)
	if err != nil {
		return nil, err
	}
	doc := described(snap, n)
	return &sd.GetNamespaceOutput{Namespace: &doc}, nil
}

// ListNamespaces lists namespaces by id.
func (s *Server) ListNamespaces(_ context.Context, in *sd.ListNamespacesInput) (*sd.ListNamespacesOutput, error) {
	snap := s.read()
	var ids []string
	for n := range snap.Namespaces() {
		if letsNamespace(n, in.Filters) {
			ids = append(ids, n.ID)
		}
	}
	ids, next, err := page(ids, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sd.ListNamespacesOutput{Namespaces: []types.NamespaceSummary{}, NextToken: next}
	for _, id := range ids {
		n, _ := snap.Namespace(id)
		var summary types.NamespaceSummary
		doc := described(snap, n)
		awsdoc.Assign(&summary, &doc)
		out.Namespaces = append(out.Namespaces, summary)
	}
	return out, nil
}

func letsNamespace(n *state.Namespace, filters []types.NamespaceFilter) bool {
	for _, f := range filters {
		value := map[types.NamespaceFilterName]string{
			types.NamespaceFilterNameType: string(n.Doc.Type), types.NamespaceFilterNameName: *n.Doc.Name,
			types.NamespaceFilterNameHttpName: *n.Doc.Properties.HttpProperties.HttpName, types.NamespaceFilterNameResourceOwner: "SELF",
		}[f.Name]
		if !(filter{f.Condition, f.Values}).lets(value) {
			return false
		}
	}
	return true
}

// UpdateHttpNamespace changes the description of a namespace.
func (s *Server) UpdateHttpNamespace(_ context.Context, in *sd.UpdateHttpNamespaceInput) (*sd.UpdateHttpNamespaceOutput, error) {
	id, err := s.describe(in.Id, types.NamespaceTypeHttp, func(doc *types.Namespace) { doc.Description = in.Namespace.Description })
	return &sd.UpdateHttpNamespaceOutput{OperationId: id}, err
}

// UpdatePrivateDnsNamespace changes the description and the time to live of a namespace.
func (s *Server) UpdatePrivateDnsNamespace(_ context.Context, in *sd.UpdatePrivateDnsNamespaceInput) (*sd.UpdatePrivateDnsNamespaceOutput, error) {
	id, err := s.describe(in.Id, types.NamespaceTypeDnsPrivate, func(doc *types.Namespace) {
		if in.Namespace.Description != nil {
			doc.Description = in.Namespace.Description
		}
		if p := in.Namespace.Properties; p != nil && p.DnsProperties != nil && p.DnsProperties.SOA != nil {
			properties, dns := *doc.Properties, *doc.Properties.DnsProperties
			dns.SOA = &types.SOA{TTL: p.DnsProperties.SOA.TTL}
			properties.DnsProperties, doc.Properties = &dns, &properties
		}
	})
	return &sd.UpdatePrivateDnsNamespaceOutput{OperationId: id}, err
}

func (s *Server) describe(id *string, kind types.NamespaceType, change func(*types.Namespace)) (operation *string, err error) {
	err = s.write(func(tx *state.Tx) error {
		n, err := namespace(tx.Snapshot, id)
		if err != nil {
			return err
		}
		if n.Doc.Type != kind {
			return invalid("The namespace %s is of the type %s.", n.ID, n.Doc.Type)
		}
		changed := *n
		change(&changed.Doc)
		tx.Put(&changed)
		operation = s.did(tx, types.OperationTypeUpdateNamespace, map[types.OperationTargetType]string{types.OperationTargetTypeNamespace: n.ID})
		return nil
	})
	return operation, err
}

// DeleteNamespace deletes a namespace in which there are no services.
func (s *Server) DeleteNamespace(_ context.Context, in *sd.DeleteNamespaceInput) (*sd.DeleteNamespaceOutput, error) {
	var operation *string
	err := s.write(func(tx *state.Tx) error {
		n, err := namespace(tx.Snapshot, in.Id)
		if err != nil {
			return err
		}
		for range tx.RegistriesOf(n.ID) {
			return &types.ResourceInUse{Message: awsdoc.Text("Namespace contains registered services; delete the services before deleting the namespace.")}
		}
		tx.Delete(n)
		operation = s.did(tx, types.OperationTypeDeleteNamespace, map[types.OperationTargetType]string{types.OperationTargetTypeNamespace: n.ID})
		return nil
	})
	return &sd.DeleteNamespaceOutput{OperationId: operation}, err
}
