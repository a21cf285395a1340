// Package elbapi is the classic Elastic Load Balancing API of the engine.
package elbapi

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves the operations of classic load balancers on an engine.
type Server struct{ engine *engine.Engine }

// New returns the classic Elastic Load Balancing API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

var nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`) })

func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: *awsdoc.Text(format, args...), Fault: smithy.FaultClient}
}

func find(snap state.Snapshot, name *string) (*state.ClassicBalancer, error) {
	b, ok := snap.ClassicBalancer(awsdoc.Or(name, ""))
	if !ok {
		return nil, &types.AccessPointNotFoundException{Message: awsdoc.Text("There is no ACTIVE Load Balancer named '%s'", awsdoc.Or(name, ""))}
	}
	return b, nil
}

// change puts what alter makes of a load balancer.
func (s *Server) change(name *string, alter func(*state.Tx, *state.ClassicBalancer) error) error {
	return s.engine.DB().Write(func(tx *state.Tx) error {
		b, err := find(tx.Snapshot, name)
		if err != nil {
			return err
		}
		changed := *b
		if err := alter(tx, &changed); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
}

// CreateLoadBalancer makes a load balancer that listens on an address of its own. Repeated with the same listeners it
// changes nothing, as with AWS.
func (s *Server) CreateLoadBalancer(_ context.Context, in *elb.CreateLoadBalancerInput) (*elb.CreateLoadBalancerOutput, error) {
	name := awsdoc.Or(in.LoadBalancerName, "")
	if !nameForm().MatchString(name) {
		return nil, validation("LoadBalancer name must contain only alphanumeric characters or hyphen, and must not begin or end with hyphen: %q", name)
	}
	listeners, err := describeListeners(in.Listeners)
	if err != nil {
		return nil, err
	}
	out := &elb.CreateLoadBalancerOutput{}
	err = s.engine.DB().Write(func(tx *state.Tx) error {
		if old, ok := tx.ClassicBalancer(name); ok {
			if !sameListeners(old.Doc.ListenerDescriptions, listeners) {
				return &types.DuplicateAccessPointNameException{Message: awsdoc.Text("Load Balancer named '%s' already exists and it is configured with different parameters.", name)}
			}
			out.DNSName = old.Doc.DNSName
			return nil
		}
		b, err := s.create(tx, name, in, listeners)
		if err != nil {
			return err
		}
		out.DNSName = b.Doc.DNSName
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) create(tx *state.Tx, name string, in *elb.CreateLoadBalancerInput, listeners []types.ListenerDescription) (*state.ClassicBalancer, error) {
	address, err := s.engine.Address(tx)
	if message, ok := awsdoc.Exhausted(err); ok {
		return nil, &types.TooManyAccessPointsException{Message: message}
	}
	if err != nil {
		return nil, err
	}
	now, port := s.engine.Now(), awsdoc.Or(listeners[0].Listener.InstancePort, 0)
	b := &state.ClassicBalancer{Name: name, Address: address, Tags: in.Tags, Attributes: defaultAttributes()}
	awsdoc.Assign(&b.Doc, in)
	b.Doc.DNSName = awsdoc.Text("%s", address)
	b.Doc.CreatedTime = &now
	b.Doc.ListenerDescriptions = listeners
	if b.Doc.AvailabilityZones == nil {
		b.Doc.AvailabilityZones = s.engine.Zones()
	}
	if b.Doc.Scheme == nil {
		b.Doc.Scheme = awsdoc.Text("internet-facing")
	}
	b.Doc.CanonicalHostedZoneName = b.Doc.DNSName
	b.Doc.VPCId = awsdoc.Text("vpc-0c0ffee0c0ffee0c0") // that of the container instances
	b.Doc.Policies = &types.Policies{}
	b.Doc.SourceSecurityGroup = &types.SourceSecurityGroup{
		OwnerAlias: awsdoc.Text("%s", s.engine.Identity().Account), GroupName: awsdoc.Text("default"),
	}
	b.Doc.HealthCheck = &types.HealthCheck{ // [Elastic Load Balancing: health checks, defaults]
		Target: awsdoc.Text("TCP:%d", port), Interval: new(int32(30)), Timeout: new(int32(5)), UnhealthyThreshold: new(int32(2)), HealthyThreshold: new(int32(10)),
	}
	tx.Put(b)
	return b, nil
}

func defaultAttributes() types.LoadBalancerAttributes {
	return types.LoadBalancerAttributes{
		AccessLog:              &types.AccessLog{},
		ConnectionDraining:     &types.ConnectionDraining{Timeout: new(int32(300))},
		ConnectionSettings:     &types.ConnectionSettings{IdleTimeout: new(int32(60))},
		CrossZoneLoadBalancing: &types.CrossZoneLoadBalancing{},
	}
}

func describeListeners(listeners []types.Listener) ([]types.ListenerDescription, error) {
	if len(listeners) == 0 {
		return nil, validation("Listeners cannot be empty")
	}
	var list []types.ListenerDescription
	for _, l := range listeners {
		protocol := strings.ToUpper(awsdoc.Or(l.Protocol, ""))
		if !slices.Contains([]string{"HTTP", "HTTPS", "TCP", "SSL"}, protocol) {
			return nil, &types.UnsupportedProtocolException{Message: awsdoc.Text("Unsupported protocol %q", awsdoc.Or(l.Protocol, ""))}
		}
		if l.LoadBalancerPort < 1 || l.LoadBalancerPort > 65535 || awsdoc.Or(l.InstancePort, 0) < 1 || awsdoc.Or(l.InstancePort, 0) > 65535 {
			return nil, validation("The ports of a listener must be between 1 and 65535")
		}
		l.Protocol = &protocol
		if l.InstanceProtocol == nil {
			same := map[string]string{"HTTP": "HTTP", "HTTPS": "HTTP", "TCP": "TCP", "SSL": "TCP"}[protocol]
			l.InstanceProtocol = &same
		}
		list = append(list, types.ListenerDescription{Listener: &l, PolicyNames: []string{}})
	}
	return list, nil
}

func sameListeners(a, b []types.ListenerDescription) bool {
	return slices.EqualFunc(a, b, func(x, y types.ListenerDescription) bool {
		return x.Listener.LoadBalancerPort == y.Listener.LoadBalancerPort && sameTarget(*x.Listener, *y.Listener)
	})
}

func sameTarget(x, y types.Listener) bool {
	return *x.InstancePort == *y.InstancePort && *x.Protocol == *y.Protocol && *x.InstanceProtocol == *y.InstanceProtocol
}

// DeleteLoadBalancer deletes a load balancer and lets go of its targets. One that is not there is deleted already.
func (s *Server) DeleteLoadBalancer(_ context.Context, in *elb.DeleteLoadBalancerInput) (*elb.DeleteLoadBalancerOutput, error) {
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		b, ok := tx.ClassicBalancer(awsdoc.Or(in.LoadBalancerName, ""))
		if !ok {
			return nil
		}
		for _, t := range slices.Collect(tx.Targets(state.ClassicGroup(b.Name))) {
			tx.Delete(t)
		}
		tx.Delete(b)
		return nil
	})
	return &elb.DeleteLoadBalancerOutput{}, err
}

// DescribeLoadBalancers describes the named load balancers, or all.
func (s *Server) DescribeLoadBalancers(_ context.Context, in *elb.DescribeLoadBalancersInput) (*elb.DescribeLoadBalancersOutput, error) {
	snap := s.engine.DB().Read()
	names := slices.Clone(in.LoadBalancerNames)
	if len(names) == 0 {
		for b := range snap.ClassicBalancers() {
			names = append(names, b.Name)
		}
	}
	size := awsdoc.Or(in.PageSize, 400)
	if size < 1 || size > 400 {
		return nil, validation("PageSize must be between 1 and 400")
	}
	names, next, ok := awsdoc.Page(names, awsdoc.Ascending, in.Marker, int(size))
	if !ok {
		return nil, validation("Invalid marker")
	}
	out := &elb.DescribeLoadBalancersOutput{NextMarker: next}
	for _, name := range names {
		b, err := find(snap, &name)
		if err != nil {
			return nil, err
		}
		out.LoadBalancerDescriptions = append(out.LoadBalancerDescriptions, describe(snap, b))
	}
	return out, nil
}

func describe(snap state.Snapshot, b *state.ClassicBalancer) types.LoadBalancerDescription {
	doc := b.Doc
	doc.Instances = instances(snap, b)
	return doc
}

// instances are the EC2 instances that take requests, each once.
func instances(snap state.Snapshot, b *state.ClassicBalancer) []types.Instance {
	list, seen := []types.Instance{}, map[string]bool{}
	for t := range snap.Targets(state.ClassicGroup(b.Name)) {
		if t.Draining.IsZero() && !seen[t.ID] {
			seen[t.ID] = true
			list = append(list, types.Instance{InstanceId: awsdoc.Text("%s", t.ID)})
		}
	}
	return list
}
