package elbv2api

import (
	"context"
	"slices"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// changeBalancer changes the document of a load balancer.
func (s *Server) changeBalancer(arn *string, alter func(*types.LoadBalancer) error) (*state.Balancer, error) {
	var changed state.Balancer
	err := s.write(func(tx *state.Tx) error {
		b, err := balancer(tx.Snapshot, arn)
		if err != nil {
			return err
		}
		changed = *b
		if err := alter(&changed.Doc); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
	return &changed, err
}

// SetSecurityGroups records the security groups of a load balancer.
func (s *Server) SetSecurityGroups(_ context.Context, in *v2.SetSecurityGroupsInput) (*v2.SetSecurityGroupsOutput, error) {
	b, err := s.changeBalancer(in.LoadBalancerArn, func(doc *types.LoadBalancer) error {
		doc.SecurityGroups = in.SecurityGroups
		if in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "" {
			doc.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = awsdoc.Text("%s", in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.SetSecurityGroupsOutput{
		SecurityGroupIds: b.Doc.SecurityGroups,
		EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic,
	}, nil
}

// SetSubnets records the subnets of a load balancer.
func (s *Server) SetSubnets(_ context.Context, in *v2.SetSubnetsInput) (*v2.SetSubnetsOutput, error) {
	subnets := subnetsOf(in.Subnets, in.SubnetMappings)
	if len(subnets) == 0 {
		return nil, validation("At least one subnet must be specified")
	}
	b, err := s.changeBalancer(in.LoadBalancerArn, func(doc *types.LoadBalancer) error {
		doc.AvailabilityZones = s.zonesOf(subnets)
		if in.IpAddressType != "" {
			doc.IpAddressType = in.IpAddressType
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.SetSubnetsOutput{AvailabilityZones: b.Doc.AvailabilityZones, IpAddressType: b.Doc.IpAddressType}, nil
}

// subnetsOf are the subnets that are named in either way.
func subnetsOf(ids []string, mappings []types.SubnetMapping) []string {
	subnets := slices.Clone(ids)
	for _, m := range mappings {
		subnets = append(subnets, awsdoc.Or(m.SubnetId, ""))
	}
	return subnets
}

// zonesOf gives each subnet a zone, in turn.
func (s *Server) zonesOf(subnets []string) []types.AvailabilityZone {
	zones := s.engine.Zones()
	var list []types.AvailabilityZone
	for i, subnet := range subnets {
		list = append(list, types.AvailabilityZone{ZoneName: &zones[i%len(zones)], SubnetId: &subnet})
	}
	return list
}

// SetIpAddressType records the address type of a load balancer.
func (s *Server) SetIpAddressType(_ context.Context, in *v2.SetIpAddressTypeInput) (*v2.SetIpAddressTypeOutput, error) { //nolint:revive // AWS's own name
	b, err := s.changeBalancer(in.LoadBalancerArn, func(doc *types.LoadBalancer) error {
		if !slices.Contains(in.IpAddressType.Values(), in.IpAddressType) {
			return validation("IP address type '%s' must be one of 'ipv4, dualstack, dualstack-without-public-ipv4'", in.IpAddressType)
		}
		doc.IpAddressType = in.IpAddressType
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.SetIpAddressTypeOutput{IpAddressType: b.Doc.IpAddressType}, nil
}
