package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	as "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway/engine/state"
)

// scaled is a house with a service of two tasks that may be scaled from one to ten.
type scaled struct {
	alarms
	*as.Client
}

const (
	webResource = "service/default/web"
	dimension   = astypes.ScalableDimensionECSServiceDesiredCount
)

func scaledOf(h *house) scaled {
	h.Helper()
	s := scaled{alarmsOf(h), as.NewFromConfig(h.config())}
	h.create("default", "web", h.register("web", nil), nil)
	s.register(1, 10)
	return s
}

func (s scaled) register(low, high int32) {
	s.Helper()
	_, err := s.RegisterScalableTarget(s.Context(), &as.RegisterScalableTargetInput{
		ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension, MinCapacity: &low, MaxCapacity: &high,
	})
	must(s.house, 0, err)
}

// count waits until the service wants that many tasks.
func (s scaled) count(n int) {
	s.Helper()
	s.until("the service is scaled", func(snap state.Snapshot) bool {
		svc, ok := snap.Service(state.ServiceKey{Cluster: "default", Name: "web"})
		return ok && svc.Desired() == n
	})
}

func (s scaled) desired() int {
	s.Helper()
	svc, _ := s.DB().Read().Service(state.ServiceKey{Cluster: "default", Name: "web"})
	return svc.Desired()
}

// step puts a step policy and an alarm that asks it.
func (s scaled) step(name string, operator cwtypes.ComparisonOperator, c astypes.StepScalingPolicyConfiguration) {
	s.Helper()
	c.AdjustmentType = astypes.AdjustmentTypeChangeInCapacity
	out, err := s.PutScalingPolicy(s.Context(), &as.PutScalingPolicyInput{
		PolicyName: &name, ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension, StepScalingPolicyConfiguration: &c,
	})
	must(s.house, out, err)
	in := alarm(name)
	in.AlarmActions, in.ComparisonOperator = []string{*out.PolicyARN}, operator
	s.alarms.put(in)
}

func (s scaled) activities() (causes []string) {
	s.Helper()
	out, err := s.DescribeScalingActivities(s.Context(), &as.DescribeScalingActivitiesInput{ServiceNamespace: "ecs", ResourceId: aws.String(webResource)})
	must(s.house, out, err)
	for _, a := range out.ScalingActivities {
		if a.StatusCode != astypes.ScalingActivityStatusCodeSuccessful || !strings.HasPrefix(*a.Description, "Setting desired count to ") {
			s.Errorf("%+v", a)
		}
		causes = append(causes, *a.Cause)
	}
	return causes
}

func TestAStepPolicyFollowsItsAlarm(t *testing.T) {
	t.Parallel()
	s := scaledOf(newHouse(t))
	s.step("out", "GreaterThanThreshold", astypes.StepScalingPolicyConfiguration{StepAdjustments: []astypes.StepAdjustment{
		{MetricIntervalLowerBound: aws.Float64(0), MetricIntervalUpperBound: aws.Float64(10), ScalingAdjustment: aws.Int32(1)},
		{MetricIntervalLowerBound: aws.Float64(10), ScalingAdjustment: aws.Int32(3)},
	}})
	_, err := s.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{ // 5 is the threshold
		AlarmName: aws.String("out"), StateValue: "ALARM", StateReason: aws.String("x"), StateReasonData: aws.String(`{"recentDatapoints": [20.0]}`),
	})
	must(s.house, 0, err)
	s.count(5)
	s.count(8) // the alarm is still on when the cooldown is over
	s.count(10)
	if got := s.activities(); got[0] != "monitor alarm out in state ALARM triggered policy out" || len(got) != 3 {
		t.Errorf("%q", got)
	}
	s.set("out", "OK")
	s.completed("default", "web")
	s.stable("default", "web")
	s.step("in", "LessThanThreshold", astypes.StepScalingPolicyConfiguration{Cooldown: aws.Int32(86400), StepAdjustments: []astypes.StepAdjustment{
		{MetricIntervalUpperBound: aws.Float64(0), ScalingAdjustment: aws.Int32(-2)},
	}})
	s.set("in", "ALARM") // by hand: at the threshold
	s.count(8)           // and no further within the cooldown
}

func TestNothingScalesBeyondItsBoundsOrWhenItIsSuspended(t *testing.T) {
	t.Parallel()
	s := scaledOf(newHouse(t))
	ctx := t.Context()
	s.register(3, 4)
	if s.desired() != 3 {
		t.Errorf("%d tasks, with a minimum of 3", s.desired())
	}
	s.step("out", "GreaterThanThreshold", astypes.StepScalingPolicyConfiguration{Cooldown: aws.Int32(0), StepAdjustments: []astypes.StepAdjustment{
		{MetricIntervalLowerBound: aws.Float64(0), ScalingAdjustment: aws.Int32(5)},
	}})
	s.set("out", "ALARM")
	s.count(4)
	_, err := s.RegisterScalableTarget(ctx, &as.RegisterScalableTargetInput{
		ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension, MaxCapacity: aws.Int32(9),
		SuspendedState: &astypes.SuspendedState{DynamicScalingOutSuspended: aws.Bool(true)},
	})
	must(s.house, 0, err)
	_, err = s.PutScheduledAction(ctx, &as.PutScheduledActionInput{
		ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension, ScheduledActionName: aws.String("later"),
		Schedule: aws.String("rate(1 hour)"), ScalableTargetAction: &astypes.ScalableTargetAction{MaxCapacity: aws.Int32(2), MinCapacity: aws.Int32(2)},
	})
	must(s.house, 0, err)
	s.count(2) // by the schedule, an hour later at this speed: the alarm has asked sixty times until then
	for _, cause := range s.activities()[1:] {
		if cause != "monitor alarm out in state ALARM triggered policy out" && cause != "minimum capacity was set to 3" {
			t.Errorf("%q", cause)
		}
	}
	if got := s.activities(); got[0] != "maximum capacity was set to 2" || len(got) != 3 {
		t.Errorf("%q", got)
	}
}

// A policy that tracks a target makes its alarms; what the metric says comes from whoever puts it.
func TestATrackingPolicyKeepsItsMetricAtTheTarget(t *testing.T) {
	t.Parallel()
	s := scaledOf(newHouse(t))
	ctx := t.Context()
	s.completed("default", "web")
	out, err := s.PutScalingPolicy(ctx, &as.PutScalingPolicyInput{
		PolicyName: aws.String("cpu"), ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension, PolicyType: "TargetTrackingScaling",
		TargetTrackingScalingPolicyConfiguration: &astypes.TargetTrackingScalingPolicyConfiguration{
			TargetValue: aws.Float64(50), PredefinedMetricSpecification: &astypes.PredefinedMetricSpecification{PredefinedMetricType: "ECSServiceAverageCPUUtilization"},
			ScaleOutCooldown: aws.Int32(0), ScaleInCooldown: aws.Int32(0),
		},
	})
	must(s.house, out, err)
	if len(out.Alarms) != 2 || !strings.HasPrefix(*out.Alarms[0].AlarmName, "TargetTracking-service/default/web-AlarmHigh-") {
		t.Fatalf("%+v", out.Alarms)
	}
	high, err := s.alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{*out.Alarms[0].AlarmName}})
	must(s.house, high, err)
	if a := high.MetricAlarms[0]; *a.Threshold != 50 || *a.EvaluationPeriods != 3 || *a.Namespace != "AWS/ECS" || *a.MetricName != "CPUUtilization" ||
		a.AlarmActions[0] != *out.PolicyARN {
		t.Errorf("%+v", a)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { // a load of 210 % of one task, shared among them
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				value := 210 / float64(s.desired())
				_, _ = s.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/ECS"), MetricData: []cwtypes.MetricDatum{{
					MetricName: aws.String("CPUUtilization"), Value: &value, Dimensions: []cwtypes.Dimension{
						{Name: aws.String("ClusterName"), Value: aws.String("default")}, {Name: aws.String("ServiceName"), Value: aws.String("web")},
					},
				}}})
			}
		}
	}()
	s.count(5)
	close(stop)
	<-done
	for _, cause := range s.activities() {
		if !strings.HasSuffix(cause, "in state ALARM triggered policy cpu") {
			t.Errorf("%q", cause)
		}
	}
	_, err = s.DeleteScalingPolicy(ctx, &as.DeleteScalingPolicyInput{PolicyName: aws.String("cpu"), ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension})
	must(s.house, 0, err)
	if left := s.describe(&cloudwatch.DescribeAlarmsInput{}); left != "" {
		t.Errorf("alarms that are left: %s", left)
	}
}

func TestAServiceIsNotScaledInWhileItIsDeployedOrAnotherPolicyWantsMore(t *testing.T) {
	t.Parallel()
	s := scaledOf(newHouse(t))
	s.completed("default", "web")
	s.step("in", "LessThanThreshold", astypes.StepScalingPolicyConfiguration{Cooldown: aws.Int32(0), StepAdjustments: []astypes.StepAdjustment{
		{MetricIntervalUpperBound: aws.Float64(0), ScalingAdjustment: aws.Int32(-1)},
	}})
	// containers that never start keep the deployment going
	broken := s.house.register("web", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].DockerLabels = map[string]string{"slipway.script": `start fails "no"`}
	})
	_, err := s.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: &broken})
	must(s.house, 0, err)
	s.set("in", "ALARM")
	s.step("out", "GreaterThanThreshold", astypes.StepScalingPolicyConfiguration{Cooldown: aws.Int32(86400), StepAdjustments: []astypes.StepAdjustment{
		{MetricIntervalLowerBound: aws.Float64(0), ScalingAdjustment: aws.Int32(1)},
	}})
	s.set("out", "ALARM")
	s.count(3) // out is allowed
	if got := s.activities(); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func TestTargetsPoliciesAndActionsAreKeptAndDeleted(t *testing.T) {
	t.Parallel()
	s := scaledOf(newStillHouse(t))
	ctx := t.Context()
	targets, err := s.DescribeScalableTargets(ctx, &as.DescribeScalableTargetsInput{ServiceNamespace: "ecs", ResourceIds: []string{webResource, "service/default/nobody"}})
	must(s.house, targets, err)
	if len(targets.ScalableTargets) != 1 || *targets.ScalableTargets[0].MaxCapacity != 10 ||
		!strings.HasSuffix(*targets.ScalableTargets[0].RoleARN, "/AWSServiceRoleForApplicationAutoScaling_ECSService") {
		t.Errorf("%s", s.last.answer())
	}
	arn := targets.ScalableTargets[0].ScalableTargetARN
	_, err = s.Client.TagResource(ctx, &as.TagResourceInput{ResourceARN: arn, Tags: map[string]string{"team": "a", "stage": "qa"}})
	must(s.house, 0, err)
	_, err = s.Client.UntagResource(ctx, &as.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"team"}})
	must(s.house, 0, err)
	tags, err := s.Client.ListTagsForResource(ctx, &as.ListTagsForResourceInput{ResourceARN: arn})
	if must(s.house, tags, err); len(tags.Tags) != 1 || tags.Tags["stage"] != "qa" {
		t.Errorf("%v", tags.Tags)
	}
	s.step("out", "GreaterThanThreshold", astypes.StepScalingPolicyConfiguration{StepAdjustments: []astypes.StepAdjustment{{MetricIntervalLowerBound: aws.Float64(0), ScalingAdjustment: aws.Int32(1)}}})
	action := &as.PutScheduledActionInput{
		ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension, ScheduledActionName: aws.String("night"), Timezone: aws.String("UTC"),
		Schedule: aws.String("cron(0 22 * * ? *)"), ScalableTargetAction: &astypes.ScalableTargetAction{MinCapacity: aws.Int32(0)},
	}
	_, err = s.PutScheduledAction(ctx, action)
	must(s.house, 0, err)
	policies, err := s.DescribeScalingPolicies(ctx, &as.DescribeScalingPoliciesInput{ServiceNamespace: "ecs", PolicyNames: []string{"out"}})
	must(s.house, policies, err)
	actions, err := s.DescribeScheduledActions(ctx, &as.DescribeScheduledActionsInput{ServiceNamespace: "ecs", ResourceId: aws.String(webResource)})
	must(s.house, actions, err)
	if len(policies.ScalingPolicies) != 1 || policies.ScalingPolicies[0].PolicyType != "StepScaling" || len(actions.ScheduledActions) != 1 ||
		*actions.ScheduledActions[0].Schedule != "cron(0 22 * * ? *)" {
		t.Errorf("%+v %+v", policies.ScalingPolicies, actions.ScheduledActions)
	}
	_, err = s.DeregisterScalableTarget(ctx, &as.DeregisterScalableTargetInput{ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension})
	must(s.house, 0, err)
	for what, err := range map[string]error{
		"policy": second(s.DeleteScalingPolicy(ctx, &as.DeleteScalingPolicyInput{PolicyName: aws.String("out"), ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension})),
		"action": second(s.DeleteScheduledAction(ctx, &as.DeleteScheduledActionInput{ScheduledActionName: aws.String("night"), ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension})),
		"target": second(s.PutScheduledAction(ctx, action)),
	} {
		if !isCode(err, "ObjectNotFoundException") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestScalingThatAWSRefusesIsRefused(t *testing.T) {
	t.Parallel()
	s := scaledOf(newStillHouse(t))
	ctx := t.Context()
	target := func(change func(*as.RegisterScalableTargetInput)) error {
		in := &as.RegisterScalableTargetInput{ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension}
		change(in)
		return second(s.RegisterScalableTarget(ctx, in))
	}
	policy := func(change func(*as.PutScalingPolicyInput)) error {
		in := &as.PutScalingPolicyInput{PolicyName: aws.String("p"), ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension}
		change(in)
		return second(s.PutScalingPolicy(ctx, in))
	}
	steps := func(adjustments ...astypes.StepAdjustment) error {
		return policy(func(in *as.PutScalingPolicyInput) {
			in.StepScalingPolicyConfiguration = &astypes.StepScalingPolicyConfiguration{AdjustmentType: "ChangeInCapacity", StepAdjustments: adjustments}
		})
	}
	tracking := func(c astypes.TargetTrackingScalingPolicyConfiguration) error {
		return policy(func(in *as.PutScalingPolicyInput) {
			in.PolicyType, in.TargetTrackingScalingPolicyConfiguration = "TargetTrackingScaling", &c
		})
	}
	action := func(schedule, zone string) error {
		return second(s.PutScheduledAction(ctx, &as.PutScheduledActionInput{
			ServiceNamespace: "ecs", ResourceId: aws.String(webResource), ScalableDimension: dimension, ScheduledActionName: aws.String("a"), Timezone: &zone,
			Schedule: &schedule, ScalableTargetAction: &astypes.ScalableTargetAction{MinCapacity: aws.Int32(1)},
		}))
	}
	low, high, one := aws.Float64(0), aws.Float64(10), aws.Int32(1)
	predefined := &astypes.PredefinedMetricSpecification{PredefinedMetricType: "ALBRequestCountPerTarget"}
	for want, err := range map[string]error{
		"The service namespace dynamodb is not served":       target(func(in *as.RegisterScalableTargetInput) { in.ServiceNamespace = "dynamodb" }),
		"Unsupported service namespace, resource type":       target(func(in *as.RegisterScalableTargetInput) { in.ScalableDimension = "rds:cluster:ReadReplicaCount" }),
		"ECS service doesn't exist: service/default/nobody":  target(func(in *as.RegisterScalableTargetInput) { in.ResourceId = aws.String("service/default/nobody") }),
		"is not service/CLUSTER/NAME":                        target(func(in *as.RegisterScalableTargetInput) { in.ResourceId = aws.String("web") }),
		"Maximum capacity cannot be less than minimum":       target(func(in *as.RegisterScalableTargetInput) { in.MinCapacity = aws.Int32(11) }),
		"A policy of type StepScaling has the configuration": policy(func(*as.PutScalingPolicyInput) {}),
		"Predictive scaling is not served": policy(func(in *as.PutScalingPolicyInput) {
			in.PredictiveScalingPolicyConfiguration = &astypes.PredictiveScalingPolicyConfiguration{MetricSpecifications: []astypes.PredictiveScalingMetricSpecification{}}
		}),
		"There must be 1 to 20 step adjustments":       steps(),
		"can't overlap or have gaps":                   steps(astypes.StepAdjustment{MetricIntervalLowerBound: low, ScalingAdjustment: one}, astypes.StepAdjustment{MetricIntervalLowerBound: high, ScalingAdjustment: one}),
		"must be less than its upper bound":            steps(astypes.StepAdjustment{MetricIntervalLowerBound: high, MetricIntervalUpperBound: low, ScalingAdjustment: one}),
		"Exactly one of PredefinedMetricSpecification": tracking(astypes.TargetTrackingScalingPolicyConfiguration{TargetValue: high}),
		"TargetValue must be greater than 0":           tracking(astypes.TargetTrackingScalingPolicyConfiguration{TargetValue: low, PredefinedMetricSpecification: predefined}),
		"ResourceLabel must be app/NAME/ID":            tracking(astypes.TargetTrackingScalingPolicyConfiguration{TargetValue: high, PredefinedMetricSpecification: predefined}),
		"Schedule is not valid: is none of":            action("hourly", ""),
		"Timezone Mars/Olympus is not a time zone":     action("rate(1 hour)", "Mars/Olympus"),
	} {
		if err == nil || !strings.Contains(err.Error(), "ValidationException") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
