package descriptor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/config"
)

// beside renders a task definition, a service and one more document.
func beside(kind Kind, file, text string) []string {
	_, err := Render([]Template{
		{Kind: TaskDefinition, File: "t.json", Text: []byte(`{"family":"web","networkMode":"awsvpc","containerDefinitions":[{"name":"c","image":"i","memory":64}]}`)},
		{Kind: ServiceUpdate, File: "u.json", Text: []byte(`{"service":"web","taskDefinition":"web"}`)},
		{Kind: kind, File: file, Text: []byte(text)},
	}, config.Values{}, Options{})
	return lines(err)
}

func TestAutoscalingIsCheckedAsTheRequestsThatItBecomes(t *testing.T) {
	t.Parallel()
	const policy = `{"PolicyName":"cpu","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":` +
		`{"TargetValue":60.5,"PredefinedMetricSpecification":{"PredefinedMetricType":"ECSServiceAverageCPUUtilization"},"ScaleInCooldown":60}}`
	const target = `{"ScalableTarget":{"MinCapacity":2,"MaxCapacity":10},`
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"right":       {target + `"ScalingPolicies":[` + policy + `],"ScheduledActions":[{"ScheduledActionName":"night","Schedule":"cron(0 22 * * ? *)","Timezone":"Europe/Berlin","ScalableTargetAction":{"MinCapacity":0}}]}`, nil},
		"only bounds": {`{"ScalableTarget":{"MinCapacity":1,"MaxCapacity":1}}`, nil},
		"nothing":     {`{}`, []string{`a.json:1:1: ScalableTarget is missing (for example {"MinCapacity": 2, "MaxCapacity": 10})`}},
		"members": {`{"scalableTarget":{},"ScalableTarget":{"MinCapacity":1,"MaxCapcity":1,"ResourceId":"x"}}`, []string{
			`a.json:1:2: scalableTarget: an autoscaling document has no such member (did you mean "ScalableTarget"?)`,
			`a.json:1:56: ScalableTarget.MaxCapcity: an autoscaling document has no such member (did you mean "MaxCapacity"?)`,
			`a.json:1:71: ScalableTarget.ResourceId: an autoscaling document has no such member (it is the service that is installed: remove it)`,
		}},
		"types": {target + `"ScalingPolicies":[{"PolicyName":"a","PolicyType":"TargetTracking"}],"ScheduledActions":{}}`, []string{
			`a.json:1:104: ScalingPolicies[0].PolicyType: "TargetTracking" is none of its values (one of PredictiveScaling, StepScaling, TargetTrackingScaling)`,
			`a.json:1:142: ScheduledActions: expected a list, found an object (put it in [ ])`,
		}},
		"bounds":  {`{"ScalableTarget":{"MinCapacity":5,"MaxCapacity":2}}`, []string{`a.json:1:34: ScalableTarget.MinCapacity: 5 is more than MaxCapacity, which is 2`}},
		"no most": {`{"ScalableTarget":{"MinCapacity":5}}`, []string{`a.json:1:19: ScalableTarget.MaxCapacity is missing`}},
		"policies": {target + `"ScalingPolicies":[` + policy + `,{"PolicyName":"cpu","PolicyType":"StepScaling"},{"PolicyName":"x","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{}}]}`, []string{
			`a.json:1:307: ScalingPolicies[1].StepScalingPolicyConfiguration is missing: PolicyType is StepScaling`,
			`a.json:1:321: ScalingPolicies[1].PolicyName: there is another policy "cpu"`,
			`a.json:1:453: ScalingPolicies[2].TargetTrackingScalingPolicyConfiguration.TargetValue is missing`,
			`a.json:1:453: ScalingPolicies[2].TargetTrackingScalingPolicyConfiguration: neither PredefinedMetricSpecification nor CustomizedMetricSpecification is given`,
		}},
		"actions": {target + `"ScheduledActions":[{"ScheduledActionName":"a","Schedule":"daily","ScalableTargetAction":{}},{"ScheduledActionName":"b","Schedule":"at(2026-12-24T00:00:00)"}]}`, []string{
			`a.json:1:112: ScheduledActions[0].Schedule: "daily" is no schedule (one of cron(0 3 * * ? *), rate(5 minutes))`,
			`a.json:1:143: ScheduledActions[0].ScalableTargetAction: neither MinCapacity nor MaxCapacity is given`,
			`a.json:1:147: ScheduledActions[1].ScalableTargetAction is missing`,
		}},
	} {
		if got := beside(Autoscaling, "a.json", c.text); cmp.Diff(c.want, got) != "" {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(c.want, got))
		}
	}
}

func TestScheduledTasksAreCheckedAsTheRequestsThatTheyBecome(t *testing.T) {
	t.Parallel()
	const right = `ScheduledTasks:
  - Name: nightly
    ScheduleExpression: cron(0 3 * * ? *)
    State: ENABLED
    Target:
      RoleArn: arn:aws:iam::123456789012:role/events
      EcsParameters:
        TaskCount: 1
        LaunchType: FARGATE
        NetworkConfiguration: {awsvpcConfiguration: {Subnets: [subnet-1], AssignPublicIp: DISABLED}}
      Overrides:
        containerOverrides: [{name: c, command: [report, --all]}]
`
	if problems := beside(ScheduledTasks, "s.yaml", right); problems != nil {
		t.Errorf("%v", problems)
	}
	const wrong = `ScheduledTasks:
  - Name: nightly
    ScheduleExpresion: cron(0 3 * * ? *)
    Target:
      Arn: x
      EcsParameters: {TaskDefinitionArn: web, LaunchType: fargate}
      Overrides: {containerOverrides: [{nam: c}]}
`
	want := []string{
		`s.yaml:3:5: ScheduledTasks[0].ScheduleExpresion: a scheduled tasks document has no such member (did you mean "ScheduleExpression"?)`,
		`s.yaml:5:7: ScheduledTasks[0].Target.Arn: a scheduled tasks document has no such member (it is the cluster that is installed to: remove it)`,
		`s.yaml:6:23: ScheduledTasks[0].Target.EcsParameters.TaskDefinitionArn: a scheduled tasks document has no such member (it is the revision that is installed: remove it)`,
		`s.yaml:6:59: ScheduledTasks[0].Target.EcsParameters.LaunchType: "fargate" is none of its values (did you mean "FARGATE"?)`,
		`s.yaml:7:41: ScheduledTasks[0].Target.Overrides.containerOverrides[0].nam: a scheduled tasks document has no such member (did you mean "name"?)`,
	}
	if diff := cmp.Diff(want, beside(ScheduledTasks, "s.yaml", wrong)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const meaningless = `ScheduledTasks:
  - {Name: a b, ScheduleExpression: "at(2026-12-24T00:00:00)", Target: {EcsParameters: {TaskCount: 0}}}
  - {Name: c, ScheduleExpression: rate(1 day), Target: {RoleArn: r, Overrides: {containerOverrides: [{name: d}]}, EcsParameters: {NetworkConfiguration: {awsvpcConfiguration: {Subnets: [s]}}}}}
  - {Name: c, ScheduleExpression: rate(1 day)}
`
	want = []string{
		`s.yaml:2:12: ScheduledTasks[0].Name: "a b" is not a name that AWS takes (letters, digits, . _ and -, at most 64)`,
		`s.yaml:2:37: ScheduledTasks[0].ScheduleExpression: "at(2026-12-24T00:00:00)" is no schedule (one of cron(0 3 * * ? *), rate(5 minutes))`,
		`s.yaml:2:72: ScheduledTasks[0].Target.RoleArn is missing`,
		`s.yaml:2:72: ScheduledTasks[0].Target.EcsParameters.NetworkConfiguration is missing: the task definition's network mode is awsvpc`,
		`s.yaml:2:100: ScheduledTasks[0].Target.EcsParameters.TaskCount is 0 (AWS takes 1 to 10)`,
		`s.yaml:3:109: ScheduledTasks[1].Target.Overrides.containerOverrides[0].name: there is no container "d" in the task definition (did you mean "c"?)`,
		`s.yaml:4:5: ScheduledTasks[2].Target is missing`,
		`s.yaml:4:12: ScheduledTasks[2].Name: there is another scheduled task "c"`,
	}
	if diff := cmp.Diff(want, beside(ScheduledTasks, "s.yaml", meaningless)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatStandsBesideAServiceNeedsOne(t *testing.T) {
	t.Parallel()
	_, err := Render([]Template{
		{Kind: TaskDefinition, File: "t.json", Text: []byte(`{"family":"web","containerDefinitions":[{"name":"c","image":"i","memory":64}]}`)},
		{Kind: Autoscaling, File: "a.json", Text: []byte(`{"ScalableTarget":{"MinCapacity":1,"MaxCapacity":1}}`)},
	}, config.Values{}, Options{})
	want := []string{`a.json:1:1: an autoscaling document belongs to a service, and no descriptor names one (add a service definition or update)`}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Error(diff)
	}
}
