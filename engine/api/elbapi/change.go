package elbapi

import (
	"context"
	"regexp"
	"slices"
	"sync"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// targetForm is TCP:port, SSL:port, HTTP:port/path or HTTPS:port/path. [API reference: HealthCheck]
var targetForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^((TCP|SSL):[0-9]{1,5}|HTTPS?:[0-9]{1,5}/.*)$`) })

// ConfigureHealthCheck says how instances are checked.
func (s *Server) ConfigureHealthCheck(_ context.Context, in *elb.ConfigureHealthCheckInput) (*elb.ConfigureHealthCheckOutput, error) {
	h := in.HealthCheck
	switch {
	case h == nil || h.Target == nil || h.Interval == nil || h.Timeout == nil || h.HealthyThreshold == nil || h.UnhealthyThreshold == nil:
		return nil, validation("A health check needs Target, Interval, Timeout, UnhealthyThreshold and HealthyThreshold")
	case !targetForm().MatchString(*h.Target):
		return nil, validation("HealthCheck Target must begin with one of HTTP, TCP, HTTPS, SSL")
	case *h.Interval < 5 || *h.Interval > 300 || *h.Timeout < 2 || *h.Timeout > 60:
		return nil, validation("HealthCheck interval must be between 5 and 300 seconds, timeout between 2 and 60")
	case *h.Timeout >= *h.Interval:
		return nil, validation("HealthCheck timeout must be less than interval")
	case *h.HealthyThreshold < 2 || *h.HealthyThreshold > 10 || *h.UnhealthyThreshold < 2 || *h.UnhealthyThreshold > 10:
		return nil, validation("HealthCheck thresholds must be between 2 and 10")
	}
	err := s.change(in.LoadBalancerName, func(_ *state.Tx, b *state.ClassicBalancer) error {
		b.Doc.HealthCheck = h
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elb.ConfigureHealthCheckOutput{HealthCheck: h}, nil
}

// ModifyLoadBalancerAttributes sets attributes; those left out stay as they are.
func (s *Server) ModifyLoadBalancerAttributes(_ context.Context, in *elb.ModifyLoadBalancerAttributesInput) (*elb.ModifyLoadBalancerAttributesOutput, error) {
	out := &elb.ModifyLoadBalancerAttributesOutput{LoadBalancerName: in.LoadBalancerName, LoadBalancerAttributes: in.LoadBalancerAttributes}
	if in.LoadBalancerAttributes == nil {
		return nil, validation("LoadBalancerAttributes cannot be empty")
	}
	err := s.change(in.LoadBalancerName, func(_ *state.Tx, b *state.ClassicBalancer) error {
		before := b.Attributes
		awsdoc.Assign(&b.Attributes, in.LoadBalancerAttributes)
		if d := in.LoadBalancerAttributes.ConnectionDraining; d != nil && d.Timeout == nil && before.ConnectionDraining != nil {
			draining := *d
			draining.Timeout = before.ConnectionDraining.Timeout
			b.Attributes.ConnectionDraining = &draining
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DescribeLoadBalancerAttributes describes the attributes of one load balancer.
func (s *Server) DescribeLoadBalancerAttributes(_ context.Context, in *elb.DescribeLoadBalancerAttributesInput) (*elb.DescribeLoadBalancerAttributesOutput, error) {
	b, err := find(s.engine.DB().Read(), in.LoadBalancerName)
	if err != nil {
		return nil, err
	}
	return &elb.DescribeLoadBalancerAttributesOutput{LoadBalancerAttributes: &b.Attributes}, nil
}

// CreateLoadBalancerListeners adds listeners.
func (s *Server) CreateLoadBalancerListeners(_ context.Context, in *elb.CreateLoadBalancerListenersInput) (*elb.CreateLoadBalancerListenersOutput, error) {
	more, err := describeListeners(in.Listeners)
	if err != nil {
		return nil, err
	}
	err = s.change(in.LoadBalancerName, func(_ *state.Tx, b *state.ClassicBalancer) error {
		b.Doc.ListenerDescriptions = slices.Clone(b.Doc.ListenerDescriptions)
		for _, l := range more {
			at := slices.IndexFunc(b.Doc.ListenerDescriptions, func(old types.ListenerDescription) bool {
				return old.Listener.LoadBalancerPort == l.Listener.LoadBalancerPort
			})
			switch {
			case at < 0:
				b.Doc.ListenerDescriptions = append(b.Doc.ListenerDescriptions, l)
			case !sameTarget(*b.Doc.ListenerDescriptions[at].Listener, *l.Listener):
				return &types.DuplicateListenerException{Message: awsdoc.Text("A listener already exists for %s with LoadBalancerPort %d, but with a different InstancePort, Protocol, or SSLCertificateId", b.Name, l.Listener.LoadBalancerPort)}
			}
		}
		return nil
	})
	return &elb.CreateLoadBalancerListenersOutput{}, err
}

// DeleteLoadBalancerListeners removes the listeners on these ports.
func (s *Server) DeleteLoadBalancerListeners(_ context.Context, in *elb.DeleteLoadBalancerListenersInput) (*elb.DeleteLoadBalancerListenersOutput, error) {
	err := s.change(in.LoadBalancerName, func(_ *state.Tx, b *state.ClassicBalancer) error {
		b.Doc.ListenerDescriptions = slices.DeleteFunc(slices.Clone(b.Doc.ListenerDescriptions), func(l types.ListenerDescription) bool {
			return slices.Contains(in.LoadBalancerPorts, l.Listener.LoadBalancerPort)
		})
		return nil
	})
	return &elb.DeleteLoadBalancerListenersOutput{}, err
}
