package elbv2api

import (
	"context"
	"slices"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateLoadBalancer makes an application or network load balancer with an address of its own, which is also its DNS name.
func (s *Server) CreateLoadBalancer(_ context.Context, in *v2.CreateLoadBalancerInput) (*v2.CreateLoadBalancerOutput, error) {
	name := awsdoc.Or(in.Name, "")
	switch {
	case !nameForm().MatchString(name):
		return nil, validation("The load balancer name '%s' must contain only alphanumeric characters and hyphens, and must not begin or end with a hyphen", name)
	case in.Type == types.LoadBalancerTypeEnumGateway:
		return nil, &types.InvalidConfigurationRequestException{Message: awsdoc.Text("Load balancers of type '%s' are not served by this engine", in.Type)}
	}
	b := &state.Balancer{Tags: in.Tags}
	s.describeNew(b, name, in)
	b.Attributes = balancerAttributes(b.Doc.Type).defaults()
	err := s.write(func(tx *state.Tx) error {
		for old := range tx.Balancers() {
			if *old.Doc.LoadBalancerName == name {
				if !sameBalancer(old.Doc, b.Doc) {
					return &types.DuplicateLoadBalancerNameException{Message: awsdoc.Text("A load balancer with the same name '%s' exists, but with different settings", name)}
				}
				b = old
				return nil
			}
		}
		var err error
		b.Address, err = s.engine.Address(tx)
		if message, ok := awsdoc.Exhausted(err); ok {
			return &types.TooManyLoadBalancersException{Message: message}
		}
		if err != nil {
			return err
		}
		b.Doc.DNSName = awsdoc.Text("%s", b.Address)
		tx.Put(b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.CreateLoadBalancerOutput{LoadBalancers: []types.LoadBalancer{b.Doc}}, nil
}

func (s *Server) describeNew(b *state.Balancer, name string, in *v2.CreateLoadBalancerInput) {
	now := s.engine.Now()
	awsdoc.Assign(&b.Doc, in)
	path := "net/"
	if b.Doc.Type != types.LoadBalancerTypeEnumNetwork {
		path, b.Doc.Type = "app/", types.LoadBalancerTypeEnumApplication
	}
	b.ARN = s.arn("loadbalancer/" + path + name + "/" + newID())
	b.Doc.LoadBalancerArn, b.Doc.LoadBalancerName, b.Doc.CreatedTime = &b.ARN, &name, &now
	b.Doc.State = &types.LoadBalancerState{Code: types.LoadBalancerStateEnumActive}
	if b.Doc.Scheme == "" {
		b.Doc.Scheme = types.LoadBalancerSchemeEnumInternetFacing
	}
	if b.Doc.IpAddressType == "" {
		b.Doc.IpAddressType = types.IpAddressTypeIpv4
	}
	b.Doc.VpcId = awsdoc.Text("vpc-0c0ffee0c0ffee0c0") // that of the container instances
	b.Doc.AvailabilityZones = s.zonesOf(subnetsOf(in.Subnets, in.SubnetMappings))
}

func sameBalancer(a, b types.LoadBalancer) bool {
	return a.Type == b.Type && a.Scheme == b.Scheme && a.IpAddressType == b.IpAddressType && slices.Equal(a.SecurityGroups, b.SecurityGroups) &&
		slices.EqualFunc(a.AvailabilityZones, b.AvailabilityZones, func(x, y types.AvailabilityZone) bool {
			return awsdoc.Or(x.SubnetId, "") == awsdoc.Or(y.SubnetId, "")
		})
}

// DescribeLoadBalancers describes load balancers by ARN or name, or all.
func (s *Server) DescribeLoadBalancers(_ context.Context, in *v2.DescribeLoadBalancersInput) (*v2.DescribeLoadBalancersOutput, error) {
	snap := s.read()
	keys := slices.Clone(in.LoadBalancerArns)
	for _, arn := range keys {
		if _, err := balancer(snap, &arn); err != nil {
			return nil, err
		}
	}
	found := map[string]bool{}
	for b := range snap.Balancers() {
		name := *b.Doc.LoadBalancerName
		if len(in.LoadBalancerArns) == 0 && (len(in.Names) == 0 || slices.Contains(in.Names, name)) {
			keys, found[name] = append(keys, b.ARN), true
		}
	}
	for _, name := range in.Names {
		if !found[name] {
			return nil, &types.LoadBalancerNotFoundException{Message: awsdoc.Text("Load balancers '[%s]' not found", name)}
		}
	}
	keys, next, err := page(keys, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &v2.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{}, NextMarker: next}
	for _, arn := range keys {
		b, _ := snap.Balancer(arn)
		out.LoadBalancers = append(out.LoadBalancers, b.Doc)
	}
	return out, nil
}

// DeleteLoadBalancer deletes a load balancer with its listeners and rules; target groups stay.
func (s *Server) DeleteLoadBalancer(_ context.Context, in *v2.DeleteLoadBalancerInput) (*v2.DeleteLoadBalancerOutput, error) {
	err := s.write(func(tx *state.Tx) error {
		b, ok := tx.Balancer(awsdoc.Or(in.LoadBalancerArn, ""))
		if !ok {
			return nil
		}
		if b.Attributes["deletion_protection.enabled"] == "true" {
			return &types.OperationNotPermittedException{Message: awsdoc.Text("Load balancer '%s' cannot be deleted because deletion protection is enabled", b.ARN)}
		}
		for _, l := range slices.Collect(tx.Listeners(b.ARN)) {
			deleteListener(tx, l)
		}
		attach(tx)
		tx.Delete(b)
		return nil
	})
	return &v2.DeleteLoadBalancerOutput{}, err
}
