// Package autoscale computes how many tasks a service should have, from its policies and what their alarms measured.
package autoscale

import (
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// Step returns the count that a step policy makes of the present one when its alarm measured a value: by the adjustment
// whose interval the value's distance from the alarm's threshold lies in; the present one when it lies in none. rising says
// that the alarm is on values above its threshold: then an interval has its lower bound and not its upper one, else the
// other way round. [Application Auto Scaling User Guide, "Step scaling policies"; API reference: StepAdjustment]
func Step(c *types.StepScalingPolicyConfiguration, present int, distance float64, rising bool) int {
	i := slices.IndexFunc(c.StepAdjustments, func(s types.StepAdjustment) bool { return holds(s, distance, rising) })
	if i < 0 {
		return present
	}
	by := int(aws.ToInt32(c.StepAdjustments[i].ScalingAdjustment))
	switch c.AdjustmentType {
	case types.AdjustmentTypeExactCapacity:
		return by
	case types.AdjustmentTypePercentChangeInCapacity:
		return present + percent(present, by, int(aws.ToInt32(c.MinAdjustmentMagnitude)))
	default:
		return present + by
	}
}

func holds(s types.StepAdjustment, distance float64, rising bool) bool {
	low, high := math.Inf(-1), math.Inf(1)
	if s.MetricIntervalLowerBound != nil {
		low = *s.MetricIntervalLowerBound
	}
	if s.MetricIntervalUpperBound != nil {
		high = *s.MetricIntervalUpperBound
	}
	if rising {
		return distance >= low && distance < high
	}
	return distance > low && distance <= high
}

// percent rounds towards zero, but a change of less than one task is one of one task, and none is smaller than least.
func percent(present, by, least int) int {
	exact := float64(present) * float64(by) / 100
	change := int(exact)
	sign := 1
	if by < 0 {
		sign = -1
	}
	if change == 0 && exact != 0 {
		change = sign
	}
	if by != 0 && change*sign < least {
		change = sign * least
	}
	return change
}

// Track returns the count with which the metric would have its target value, rounded up: a metric that is shared among the
// tasks falls as they become more. [Application Auto Scaling User Guide, "Target tracking scaling policies"]
func Track(present int, value, target float64) int {
	if target <= 0 || math.IsNaN(value) {
		return present
	}
	want := math.Ceil(float64(present)*value/target - 1e-9) // 3 × 80 ÷ 80 is 3, whatever the last bit says
	return int(min(max(want, 0), math.MaxInt32))
}
