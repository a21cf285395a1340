package autoscale

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"pgregory.net/rapid"
)

func step(low, high *float64, by int32) types.StepAdjustment {
	return types.StepAdjustment{MetricIntervalLowerBound: low, MetricIntervalUpperBound: high, ScalingAdjustment: &by}
}

// The example of the User Guide: from 60 % on by 10 %, from 70 % on by 30 %.
func TestStepsFollowTheDistanceFromTheThreshold(t *testing.T) {
	t.Parallel()
	out := &types.StepScalingPolicyConfiguration{AdjustmentType: types.AdjustmentTypePercentChangeInCapacity, StepAdjustments: []types.StepAdjustment{
		step(aws.Float64(0), aws.Float64(10), 10), step(aws.Float64(10), nil, 30),
	}}
	in := &types.StepScalingPolicyConfiguration{AdjustmentType: types.AdjustmentTypeChangeInCapacity, StepAdjustments: []types.StepAdjustment{
		step(aws.Float64(-10), aws.Float64(0), -1), step(nil, aws.Float64(-10), -3),
	}}
	exact := &types.StepScalingPolicyConfiguration{AdjustmentType: types.AdjustmentTypeExactCapacity, StepAdjustments: []types.StepAdjustment{step(aws.Float64(0), nil, 7)}}
	for _, tc := range []struct {
		name     string
		policy   *types.StepScalingPolicyConfiguration
		present  int
		distance float64
		rising   bool
		want     int
	}{
		{"at the threshold", out, 10, 0, true, 11},
		{"just below the second step", out, 10, 9.99, true, 11},
		{"the second step has its lower bound", out, 10, 10, true, 13},
		{"below the threshold is no step", out, 10, -1, true, 10},
		{"less than one task is one", out, 2, 5, true, 3},
		{"fractions are dropped", out, 19, 5, true, 20},
		{"falling, the upper bound belongs to the step", in, 10, 0, false, 9},
		{"falling, the lower bound doesn't", in, 10, -10, false, 7},
		{"far below", in, 10, -50, false, 7},
		{"an exact count", exact, 3, 1, true, 7},
	} {
		if got := Step(tc.policy, tc.present, tc.distance, tc.rising); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestAChangeInPercentHasAtLeastItsMagnitude(t *testing.T) {
	t.Parallel()
	c := &types.StepScalingPolicyConfiguration{
		AdjustmentType: types.AdjustmentTypePercentChangeInCapacity, MinAdjustmentMagnitude: aws.Int32(3),
		StepAdjustments: []types.StepAdjustment{step(aws.Float64(0), nil, 20), step(nil, aws.Float64(0), -20)},
	}
	if out, in, large := Step(c, 5, 1, true), Step(c, 5, -1, false), Step(c, 100, 1, true); out != 8 || in != 2 || large != 120 {
		t.Errorf("%d %d %d", out, in, large)
	}
}

func TestTrackingRoundsUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		present int
		value   float64
		want    int
	}{{2, 80, 4}, {2, 40, 2}, {3, 50, 4}, {4, 10, 1}, {4, 0, 0}, {3, 39.999999999999, 3}, {0, 90, 0}} {
		if got := Track(tc.present, tc.value, 40); got != tc.want {
			t.Errorf("%d tasks at %v: %d, want %d", tc.present, tc.value, got, tc.want)
		}
	}
}

// With what tracking wants, a metric that the tasks share is at its target or below it, and would be above with one task less.
func TestTrackingFindsTheSmallestCountThatIsEnough(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		present := rapid.IntRange(1, 1000).Draw(t, "present")
		value, target := rapid.Float64Range(0, 1000).Draw(t, "value"), rapid.Float64Range(1, 1000).Draw(t, "target")
		load, want := value*float64(present), float64(Track(present, value, target))
		if load > want*target*(1+1e-6)+1e-6 || want > 0 && load < (want-1)*target*(1-1e-6)-1e-6 {
			t.Fatalf("%d tasks at %v of %v: %v", present, value, target, want)
		}
	})
}
