package autoscalingapi

import (
	"context"
	"math"
	"slices"

	as "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// PutScalingPolicy gives a target a policy, or changes one. A policy that tracks a target value makes its alarms itself.
func (s *Server) PutScalingPolicy(_ context.Context, in *as.PutScalingPolicyInput) (*as.PutScalingPolicyOutput, error) {
	if err := checkName("policyName", *in.PolicyName); err != nil {
		return nil, err
	}
	if err := checkPolicy(in); err != nil {
		return nil, err
	}
	p := &state.ScalingPolicy{Resource: *in.ResourceId, Name: *in.PolicyName}
	err := s.write(func(tx *state.Tx) error {
		if _, err := target(tx.Snapshot, in.ServiceNamespace, in.ScalableDimension, in.ResourceId); err != nil {
			return err
		}
		now := s.engine.Now()
		p.Doc.PolicyARN, p.Doc.CreationTime = awsdoc.Text("%s", s.engine.Identity().ScalingPolicyARN(p.Resource, p.Name)), &now
		if old, ok := tx.ScalingPolicy(p.Resource, p.Name); ok {
			p.Doc.PolicyARN, p.Doc.CreationTime, p.Out, p.In = old.Doc.PolicyARN, old.Doc.CreationTime, old.Out, old.In
			deletePolicy(tx, old)
		}
		awsdoc.Assign(&p.Doc, in)
		p.Doc.PolicyType = typeOf(in)
		p.Doc.Alarms = []types.Alarm{}
		for _, a := range s.alarmsOf(p) {
			tx.Put(a)
			p.Doc.Alarms = append(p.Doc.Alarms, types.Alarm{AlarmName: &a.Name, AlarmARN: a.Doc.AlarmArn})
		}
		tx.Put(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &as.PutScalingPolicyOutput{PolicyARN: p.Doc.PolicyARN, Alarms: p.Doc.Alarms}, nil
}

// deletePolicy deletes a policy with the alarms that it made.
func deletePolicy(tx *state.Tx, p *state.ScalingPolicy) {
	for _, own := range p.Doc.Alarms {
		if a, ok := tx.Alarm(awsdoc.Or(own.AlarmName, "")); ok {
			tx.Delete(a)
		}
	}
	tx.Delete(p)
}

func typeOf(in *as.PutScalingPolicyInput) types.PolicyType {
	if in.PolicyType == "" { // the default [API reference: PutScalingPolicy]
		return types.PolicyTypeStepScaling
	}
	return in.PolicyType
}

func checkPolicy(in *as.PutScalingPolicyInput) error {
	if in.PredictiveScalingPolicyConfiguration != nil {
		return validation("Predictive scaling is not served by this engine.")
	}
	step, track := in.StepScalingPolicyConfiguration, in.TargetTrackingScalingPolicyConfiguration
	switch kind := typeOf(in); {
	case kind == types.PolicyTypeStepScaling && step != nil && track == nil:
		return checkStep(step)
	case kind == types.PolicyTypeTargetTrackingScaling && track != nil && step == nil:
		return checkTracking(track)
	case kind != types.PolicyTypeStepScaling && kind != types.PolicyTypeTargetTrackingScaling:
		return validation("The policy type %s is not served by this engine: use StepScaling or TargetTrackingScaling.", kind)
	default:
		return validation("A policy of type %s has the configuration of that type, and no other", kind)
	}
}

// checkStep refuses steps that overlap or leave gaps. [API reference: StepAdjustment]
func checkStep(c *types.StepScalingPolicyConfiguration) error {
	switch {
	case !slices.Contains(c.AdjustmentType.Values(), c.AdjustmentType):
		return validation("The adjustment type %s is none of %v", c.AdjustmentType, c.AdjustmentType.Values())
	case len(c.StepAdjustments) == 0 || len(c.StepAdjustments) > 20:
		return validation("There must be 1 to 20 step adjustments")
	case awsdoc.Or(c.Cooldown, 0) < 0:
		return validation("Cooldown must not be negative")
	}
	steps := slices.Clone(c.StepAdjustments)
	low := func(s types.StepAdjustment) float64 { return awsdoc.Or(s.MetricIntervalLowerBound, math.Inf(-1)) }
	high := func(s types.StepAdjustment) float64 { return awsdoc.Or(s.MetricIntervalUpperBound, math.Inf(1)) }
	slices.SortFunc(steps, func(a, b types.StepAdjustment) int {
		if low(a) < low(b) {
			return -1
		}
		return 1
	})
	for i, s := range steps {
		if s.ScalingAdjustment == nil {
			return validation("Each step adjustment must have a ScalingAdjustment")
		}
		if low(s) >= high(s) {
			return validation("The lower bound of a step adjustment must be less than its upper bound")
		}
		if i > 0 && high(steps[i-1]) != low(s) {
			return validation("Step adjustment intervals can't overlap or have gaps between them")
		}
	}
	return nil
}

func checkTracking(c *types.TargetTrackingScalingPolicyConfiguration) error {
	p, custom := c.PredefinedMetricSpecification, c.CustomizedMetricSpecification
	switch {
	case (p == nil) == (custom == nil):
		return validation("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified")
	case awsdoc.Or(c.TargetValue, 0) <= 0:
		return validation("TargetValue must be greater than 0")
	case awsdoc.Or(c.ScaleInCooldown, 0) < 0 || awsdoc.Or(c.ScaleOutCooldown, 0) < 0:
		return validation("Cooldowns must not be negative")
	case custom != nil && len(custom.Metrics) > 0:
		return validation("CustomizedMetricSpecification.Metrics is not served by this engine: name one metric.")
	case custom != nil && (custom.MetricName == nil || custom.Namespace == nil || !slices.Contains(custom.Statistic.Values(), custom.Statistic)):
		return validation("A customized metric has MetricName, Namespace and Statistic, which is one of %v", custom.Statistic.Values())
	case p != nil:
		return checkPredefined(p)
	}
	return nil
}

func checkPredefined(p *types.PredefinedMetricSpecification) error {
	switch p.PredefinedMetricType {
	case types.MetricTypeECSServiceAverageCPUUtilization, types.MetricTypeECSServiceAverageMemoryUtilization:
		if p.ResourceLabel != nil {
			return validation("ResourceLabel must not be specified for the metric type %s", p.PredefinedMetricType)
		}
	case types.MetricTypeALBRequestCountPerTarget:
		if _, ok := groupOfLabel(awsdoc.Or(p.ResourceLabel, "")); !ok {
			return validation("ResourceLabel must be app/NAME/ID/targetgroup/NAME/ID for the metric type %s", p.PredefinedMetricType)
		}
	default:
		return validation("Invalid predefined metric type for service namespace ecs: %s", p.PredefinedMetricType)
	}
	return nil
}

// DescribeScalingPolicies describes the policies of a target, or all.
func (s *Server) DescribeScalingPolicies(_ context.Context, in *as.DescribeScalingPoliciesInput) (*as.DescribeScalingPoliciesOutput, error) {
	if err := checkNamespace(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	byKey := map[string]types.ScalingPolicy{}
	var keys []string
	for p := range s.read().ScalingPolicies(awsdoc.Or(in.ResourceId, "")) {
		if len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, p.Name) || slices.Contains(in.PolicyNames, *p.Doc.PolicyARN) {
			keys, byKey[p.Key()] = append(keys, p.Key()), p.Doc
		}
	}
	keys, next, err := page(keys, awsdoc.Ascending, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &as.DescribeScalingPoliciesOutput{ScalingPolicies: []types.ScalingPolicy{}, NextToken: next}
	for _, key := range keys {
		out.ScalingPolicies = append(out.ScalingPolicies, byKey[key])
	}
	return out, nil
}

// DeleteScalingPolicy deletes a policy with the alarms that it made.
func (s *Server) DeleteScalingPolicy(_ context.Context, in *as.DeleteScalingPolicyInput) (*as.DeleteScalingPolicyOutput, error) {
	return &as.DeleteScalingPolicyOutput{}, s.write(func(tx *state.Tx) error {
		if err := checkNamespace(in.ServiceNamespace, in.ScalableDimension); err != nil {
			return err
		}
		p, ok := tx.ScalingPolicy(*in.ResourceId, *in.PolicyName)
		if !ok {
			return notFound("No scaling policy found for service namespace: ecs, resource ID: %s, scalable dimension: %s: %s", *in.ResourceId, in.ScalableDimension, *in.PolicyName)
		}
		deletePolicy(tx, p)
		return nil
	})
}
