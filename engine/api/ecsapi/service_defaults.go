package ecsapi

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

func defaultService(doc *types.Service) {
	if doc.SchedulingStrategy == "" {
		doc.SchedulingStrategy = types.SchedulingStrategyReplica
	}
	if doc.LaunchType == "" && len(doc.CapacityProviderStrategy) == 0 {
		doc.LaunchType = types.LaunchTypeEc2
	}
	if onFargate(doc.LaunchType, doc.CapacityProviderStrategy) {
		doc.PlatformFamily = awsdoc.Text("Linux")
		if doc.PlatformVersion == nil {
			doc.PlatformVersion = awsdoc.Text("LATEST")
		}
	}
	if doc.PropagateTags == "" {
		doc.PropagateTags = types.PropagateTagsNone
	}
	if doc.AvailabilityZoneRebalancing == "" {
		doc.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingEnabled
		if *doc.DeploymentConfiguration.MaximumPercent <= 100 || classic(doc.LoadBalancers) {
			doc.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingDisabled
		}
	}
	if doc.HealthCheckGracePeriodSeconds == nil {
		none := int32(0)
		doc.HealthCheckGracePeriodSeconds = &none
	}
	doc.ResourceManagementType = types.ResourceManagementTypeCustomer
}

// classic reports whether a service is behind a classic load balancer, which rebalancing of zones does not go with.
// [Developer guide: balancing a service across Availability Zones]
func classic(list []types.LoadBalancer) bool {
	return slices.ContainsFunc(list, func(lb types.LoadBalancer) bool { return lb.LoadBalancerName != nil })
}

// withPublicAddress says that tasks get no public address unless it is said that they do.
// [API reference: AwsVpcConfiguration, assignPublicIp]
func withPublicAddress(n *types.NetworkConfiguration) *types.NetworkConfiguration {
	if n == nil || n.AwsvpcConfiguration == nil || n.AwsvpcConfiguration.AssignPublicIp != "" {
		return n
	}
	vpc := *n.AwsvpcConfiguration
	vpc.AssignPublicIp = types.AssignPublicIpDisabled
	return &types.NetworkConfiguration{AwsvpcConfiguration: &vpc}
}

// roleName is the role that a service names, by name or ARN; without one ECS uses its service-linked role.
func roleName(role *string) string {
	if role == nil || *role == "" {
		return "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
	}
	name := *role
	if at := slices.Index([]byte(name), '/'); at >= 0 {
		name = name[at+1:]
	}
	return name
}

func withDefaults(given *types.DeploymentConfiguration) *types.DeploymentConfiguration {
	c := types.DeploymentConfiguration{}
	if given != nil {
		c = *given
	}
	number := func(field **int32, otherwise int32) {
		if *field == nil {
			*field = &otherwise
		}
	}
	number(&c.MaximumPercent, 200)
	number(&c.MinimumHealthyPercent, 100)
	number(&c.BakeTimeInMinutes, 0)
	if c.Strategy == "" {
		c.Strategy = types.DeploymentStrategyRolling
	}
	breaker := types.DeploymentCircuitBreaker{}
	if c.DeploymentCircuitBreaker != nil {
		breaker = *c.DeploymentCircuitBreaker
	}
	if breaker.ResetOnHealthyTask == nil {
		yes := true
		breaker.ResetOnHealthyTask = &yes
	}
	if breaker.ThresholdConfiguration == nil {
		breaker.ThresholdConfiguration = &types.ThresholdConfiguration{Type: types.ThresholdTypeBoundedPercent, Value: 50}
	}
	c.DeploymentCircuitBreaker = &breaker
	c = withStrategy(c)
	return &c
}

// revisionOf is what a new deployment of the service would fix. in is the request that made or changed the service: some
// of its members stand only in revisions.
func revisionOf(svc *state.Service, in any) types.ServiceRevision {
	var doc types.ServiceRevision
	awsdoc.Assign(&doc, in, "ServiceConnectConfiguration", "VolumeConfigurations", "VpcLatticeConfigurations", "GatewayConnectors")
	awsdoc.Assign(&doc, &svc.Doc, "CreatedAt")
	if onFargate(svc.Doc.LaunchType, svc.Doc.CapacityProviderStrategy) {
		doc.PlatformVersion = awsdoc.Text("1.4.0")
	}
	return doc
}
