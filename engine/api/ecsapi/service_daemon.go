package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// asDaemon returns the request with the defaults of the DAEMON strategy, when it is one for that: no task need be healthy
// during a deployment, and there is never more than one on an instance. [API reference: DeploymentConfiguration]
func asDaemon(in *ecs.CreateServiceInput) *ecs.CreateServiceInput {
	if in.SchedulingStrategy != types.SchedulingStrategyDaemon {
		return in
	}
	request, c := *in, types.DeploymentConfiguration{}
	if in.DeploymentConfiguration != nil {
		c = *in.DeploymentConfiguration
	}
	low, high := int32(0), int32(100)
	if c.MinimumHealthyPercent == nil {
		c.MinimumHealthyPercent = &low
	}
	if c.MaximumPercent == nil {
		c.MaximumPercent = &high
	}
	request.DeploymentConfiguration = &c
	return &request
}

// checkDaemon refuses what doesn't go with one task on every instance. [API reference: CreateService, schedulingStrategy]
func checkDaemon(in *ecs.CreateServiceInput) error {
	if in.SchedulingStrategy != types.SchedulingStrategyDaemon {
		return nil
	}
	switch {
	case onFargate(in.LaunchType, in.CapacityProviderStrategy):
		return invalid("The daemon scheduling strategy is not supported with the FARGATE launch type.")
	case len(in.CapacityProviderStrategy) > 0:
		return invalid("The daemon scheduling strategy does not support a capacity provider strategy.")
	case controller(in.DeploymentController) != types.DeploymentControllerTypeEcs:
		return invalid("The daemon scheduling strategy is not supported with the %s deployment controller.", in.DeploymentController.Type)
	case len(in.PlacementStrategy) > 0:
		return invalid("The daemon scheduling strategy does not support placement strategies.")
	case in.AvailabilityZoneRebalancing == types.AvailabilityZoneRebalancingEnabled:
		return invalid("The daemon scheduling strategy does not support Availability Zone rebalancing.")
	}
	for _, c := range in.PlacementConstraints {
		if c.Type == types.PlacementConstraintTypeDistinctInstance {
			return invalid("The daemon scheduling strategy does not support the placement constraint distinctInstance.")
		}
	}
	return checkDaemonConfiguration(in.DeploymentConfiguration)
}

func checkDaemonConfiguration(c *types.DeploymentConfiguration) error {
	switch {
	case c == nil:
		return nil
	case awsdoc.Or(c.MaximumPercent, 100) != 100:
		return invalid("The daemon scheduling strategy supports only 100 as maximumPercent.")
	case c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling:
		return invalid("The daemon scheduling strategy supports only the deployment strategy ROLLING.")
	}
	return nil
}

// checkChange refuses changes that a service's scheduling strategy or deployment controller doesn't allow.
func checkChange(old *state.Service, in *ecs.UpdateServiceInput) error {
	if old.Daemon() {
		switch {
		case in.DesiredCount != nil:
			return invalid("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again")
		case len(in.PlacementStrategy) > 0:
			return invalid("The daemon scheduling strategy does not support placement strategies.")
		case len(in.CapacityProviderStrategy) > 0:
			return invalid("The daemon scheduling strategy does not support a capacity provider strategy.")
		}
		return checkDaemonConfiguration(in.DeploymentConfiguration)
	}
	if managed(old) {
		return checkManagedChange(old, in)
	}
	return nil
}
