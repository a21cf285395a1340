package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// checkConfiguration refuses how no deployment could go. [ecs-behaviour 1.2, 1.3, 1.9]
func checkConfiguration(c *types.DeploymentConfiguration, rebalancing types.AvailabilityZoneRebalancing) error {
	if c == nil {
		return nil
	}
	low, high := awsdoc.Or(c.MinimumHealthyPercent, 100), awsdoc.Or(c.MaximumPercent, 200)
	switch {
	case c.Alarms != nil && c.Alarms.Enable && len(c.Alarms.AlarmNames) == 0:
		return invalid("alarmNames cannot be empty when deployment alarms are enabled.")
	case low < 0 || low > 100:
		return invalid("minimumHealthyPercent must be between 0 and 100.")
	case high < 100:
		return invalid("maximumPercent must be at least 100.")
	case low == 100 && high == 100:
		return invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	case high <= 100 && rebalancing == types.AvailabilityZoneRebalancingEnabled:
		return invalid("Availability Zone Rebalancing does not support maximumPercent <= 100 %% as deployment configuration.")
	}
	return checkBreaker(c.DeploymentCircuitBreaker)
}

func checkBreaker(b *types.DeploymentCircuitBreaker) error {
	if b == nil || b.ThresholdConfiguration == nil {
		return nil
	}
	t := b.ThresholdConfiguration
	switch t.Type {
	case types.ThresholdTypeCount:
		if t.Value < 1 {
			return invalid("The threshold value must be at least 1.")
		}
	case types.ThresholdTypeBoundedPercent, types.ThresholdTypeUnboundedPercent:
		if t.Value < 1 || t.Value > 100 {
			return invalid("The threshold value must be between 1 and 100.")
		}
	default:
		return invalid("Unknown threshold type %q.", t.Type)
	}
	return nil
}
