package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/state"
)

// sick registers a revision whose containers never become healthy, nor unhealthy soon.
func (h *house) sick(family string) string {
	h.Helper()
	return h.register(family, func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].DockerLabels = map[string]string{"slipway.script": "unhealthy"}
		in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "check"}, StartPeriod: aws.Int32(300), Retries: aws.Int32(10)}
	})
}

// newest returns the newest service deployment of a service.
func (h *house) newest(service string) types.ServiceDeployment {
	h.Helper()
	list, err := h.ecs.ListServiceDeployments(h.Context(), &ecs.ListServiceDeploymentsInput{Service: &service})
	arn := must(h, list, err).ServiceDeployments[0].ServiceDeploymentArn
	out, err := h.ecs.DescribeServiceDeployments(h.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*arn}})
	return must(h, out, err).ServiceDeployments[0]
}

// ends waits until the service deployment has a status, and returns it.
func (h *house) ends(arn *string, status types.ServiceDeploymentStatus) types.ServiceDeployment {
	h.Helper()
	h.until("the service deployment is "+string(status), func(snap state.Snapshot) bool {
		d, _ := snap.ServiceDeployment(*arn)
		return d.Doc.Status == status
	})
	out, err := h.ecs.DescribeServiceDeployments(h.Context(), &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{*arn}})
	return must(h, out, err).ServiceDeployments[0]
}

// messages returns the service's newest events, oldest first, without the service's name.
func (h *house) messages(service string, n int) []string {
	var list []string
	for _, e := range h.service(service).Events {
		list = append(list, strings.TrimPrefix(*e.Message, "(service "+service+") "))
	}
	list = list[:min(n, len(list))]
	slices.Reverse(list)
	return list
}

func TestServiceDeploymentIsStopped(t *testing.T) {
	t.Parallel()
	for kind, want := range map[types.StopServiceDeploymentStopType]types.ServiceDeploymentStatus{
		"": types.ServiceDeploymentStatusRollbackSuccessful,
		types.StopServiceDeploymentStopTypeRollback: types.ServiceDeploymentStatusRollbackSuccessful,
		types.StopServiceDeploymentStopTypeAbort:    types.ServiceDeploymentStatusStopped,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.create("default", "web", h.register("web", nil), nil)
			h.completed("default", "web")
			h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String(h.sick("web"))})
			d := h.newest("web")
			stop := &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: d.ServiceDeploymentArn, StopType: kind}
			out, err := h.ecs.StopServiceDeployment(t.Context(), stop)
			if got := must(h, out, err).ServiceDeploymentArn; *got != *d.ServiceDeploymentArn {
				t.Errorf("it answers with %s", *got)
			}
			d = h.ends(d.ServiceDeploymentArn, want)
			if d.FinishedAt == nil || d.StatusReason == nil {
				t.Errorf("service deployment: %s", h.last.answer())
			}
			_, err = h.ecs.StopServiceDeployment(t.Context(), stop)
			if got, want := code(err), "ConflictException: The service deployment cannot be stopped because its status is "+string(want)+"."; got != want {
				t.Errorf("%s, expected %s", got, want)
			}
		})
	}
}

func TestStopAndContinueOfNothingAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create("default", "web", h.register("web", nil), nil)
	arn := h.newest("web").ServiceDeploymentArn
	h.ends(arn, types.ServiceDeploymentStatusSuccessful)
	nobody := aws.String(*arn + "x")
	h.refuses([]refused{
		{"stop of nobody", "StopServiceDeployment", `{"serviceDeploymentArn":"` + *nobody + `"}`, "ServiceDeploymentNotFoundException: Service deployment not found."},
		{"stop in another way", "StopServiceDeployment", `{"serviceDeploymentArn":"` + *arn + `","stopType":"NOW"}`, "InvalidParameterException: The stopType NOW is not one of ABORT, ROLLBACK."},
		{"continue of nobody", "ContinueServiceDeployment", `{"serviceDeploymentArn":"` + *nobody + `","hookId":"a"}`, "ServiceDeploymentNotFoundException: Service deployment not found."},
		{"continue in another way", "ContinueServiceDeployment", `{"serviceDeploymentArn":"` + *arn + `","hookId":"a","action":"STOP"}`, "InvalidParameterException: The action STOP is not one of CONTINUE, ROLLBACK."},
		{"continue at the end", "ContinueServiceDeployment", `{"serviceDeploymentArn":"` + *arn + `","hookId":"a"}`, "ConflictException: The service deployment cannot be continued because its status is SUCCESSFUL."},
	})
}

func TestStrategiesThatCannotBeFollowedAreRefused(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.create("default", "there", h.register("web", nil), nil)
	r, other := h.routed("web"), h.routed("other")
	balancer := func(group, alternate, production, test string) string {
		return fmt.Sprintf(`{"targetGroupArn":%q,"containerName":"app","containerPort":80,"advancedConfiguration":{"alternateTargetGroupArn":%q,"productionListenerRule":%q,"testListenerRule":%q,"roleArn":"r"}}`, group, alternate, production, test)
	}
	service := func(configuration string, balancers ...string) string {
		return fmt.Sprintf(`{"serviceName":"s","taskDefinition":"web","desiredCount":1,"loadBalancers":[%s],"deploymentConfiguration":{%s}}`, strings.Join(balancers, ","), configuration)
	}
	hook := func(more string) string {
		return service(`"strategy":"BLUE_GREEN","bakeTimeInMinutes":1,"lifecycleHooks":[{` + more + `}]`)
	}
	plain := fmt.Sprintf(`{"targetGroupArn":%q,"containerName":"app","containerPort":80}`, other.blue)
	full := balancer(r.blue, r.green, r.production, r.test)
	const blue = `"strategy":"BLUE_GREEN","bakeTimeInMinutes":1`
	h.refuses([]refused{
		{"strategy", "CreateService", service(`"strategy":"RED"`), "InvalidParameterException: The deployment strategy RED is not one of ROLLING, BLUE_GREEN, LINEAR, CANARY."},
		{"no bake time", "CreateService", service(`"strategy":"BLUE_GREEN"`), "InvalidParameterException: bakeTimeInMinutes is required when the deployment strategy is BLUE_GREEN."},
		{"no bake time in an update", "UpdateService", `{"service":"there","deploymentConfiguration":{"strategy":"BLUE_GREEN"}}`, "InvalidParameterException: bakeTimeInMinutes is required when the deployment strategy is BLUE_GREEN."},
		{"bake time", "CreateService", service(`"bakeTimeInMinutes":1441`), "InvalidParameterException: bakeTimeInMinutes must be between 0 and 1440."},
		{"linear", "CreateService", service(`"linearConfiguration":{}`), "InvalidParameterException: linearConfiguration is only valid when the deployment strategy is LINEAR."},
		{"canary", "CreateService", service(`"strategy":"LINEAR","canaryConfiguration":{}`), "InvalidParameterException: canaryConfiguration is only valid when the deployment strategy is CANARY."},
		{"small steps", "CreateService", service(`"strategy":"LINEAR","linearConfiguration":{"stepPercent":2.9}`), "InvalidParameterException: stepPercent must be a multiple of 0.1 between 3.0 and 100.0."},
		{"uneven steps", "CreateService", service(`"strategy":"LINEAR","linearConfiguration":{"stepPercent":3.05}`), "InvalidParameterException: stepPercent must be a multiple of 0.1 between 3.0 and 100.0."},
		{"long steps", "CreateService", service(`"strategy":"LINEAR","linearConfiguration":{"stepBakeTimeInMinutes":1441}`), "InvalidParameterException: stepBakeTimeInMinutes must be between 0 and 1440."},
		{"small canary", "CreateService", service(`"strategy":"CANARY","canaryConfiguration":{"canaryPercent":0}`), "InvalidParameterException: canaryPercent must be a multiple of 0.1 between 0.1 and 100.0."},
		{"long canary", "CreateService", service(`"strategy":"CANARY","canaryConfiguration":{"canaryBakeTimeInMinutes":-1}`), "InvalidParameterException: canaryBakeTimeInMinutes must be between 0 and 1440."},
		{"early blue/green", "CreateService", service(blue + `,"earlySuccessCriteria":{"enable":true}`), "InvalidParameterException: earlySuccessCriteria is only valid when the deployment strategy is ROLLING."},
		{"early, but when", "CreateService", service(`"earlySuccessCriteria":{"enable":true}`), "InvalidParameterException: healthyPercent and sourceServiceRevisionCleanup must be specified when earlySuccessCriteria is enabled."},
		{"early below the minimum", "CreateService", service(`"earlySuccessCriteria":{"enable":true,"healthyPercent":99,"sourceServiceRevisionCleanup":"DEFERRED"}`), "InvalidParameterException: healthyPercent must be greater than or equal to minimumHealthyPercent."},
		{"hooks of a rolling update", "CreateService", service(`"lifecycleHooks":[{}]`), "InvalidParameterException: lifecycleHooks are not supported when the deployment strategy is ROLLING."},
		{"hook of no kind", "CreateService", hook(`"targetType":"X"`), "InvalidParameterException: The targetType of a lifecycle hook must be one of AWS_LAMBDA, PAUSE."},
		{"hook at no stage", "CreateService", hook(`"targetType":"PAUSE"`), "InvalidParameterException: lifecycleStages must be specified for each lifecycle hook."},
		{"hook at another stage", "CreateService", hook(`"targetType":"PAUSE","lifecycleStages":["BAKE_TIME"]`), "InvalidParameterException: Lifecycle hooks are not supported at the stage BAKE_TIME."},
		{"pause at a shift", "CreateService", hook(`"targetType":"PAUSE","lifecycleStages":["TEST_TRAFFIC_SHIFT"]`), "InvalidParameterException: Lifecycle hooks of type PAUSE are not supported at the stage TEST_TRAFFIC_SHIFT."},
		{"long pause", "CreateService", hook(`"targetType":"PAUSE","lifecycleStages":["PRE_SCALE_UP"],"timeoutConfiguration":{"timeoutInMinutes":20161}`), "InvalidParameterException: timeoutInMinutes must be between 1 and 20160."},
		{"hook without a function", "CreateService", hook(`"lifecycleStages":["PRE_SCALE_UP"],"hookTargetArn":"a"`), "InvalidParameterException: hookTargetArn must be the ARN of a Lambda function. Got: a"},
		{"hook without a role", "CreateService", hook(`"lifecycleStages":["PRE_SCALE_UP"],"hookTargetArn":"` + functionARN + `"`), "InvalidParameterException: roleArn must be specified for lifecycle hooks of type AWS_LAMBDA."},
		{"no advanced configuration", "CreateService", service(blue, plain), "InvalidParameterException: advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy"},
		{"some advanced configuration", "CreateService", service(`"strategy":"ROLLING"`, plain, full), "InvalidParameterException: Either all or none of the provided loadBalancers must have advancedConfiguration defined"},
		{"one group twice", "CreateService", service(blue, balancer(r.blue, r.blue, r.production, r.test)), "InvalidParameterException: Duplicate targetGroupArn found: " + r.blue},
		{"a rule that is none", "CreateService", service(blue, balancer(r.blue, r.green, "arn:x", r.test)), "InvalidParameterException: productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: arn:x"},
		{"a test rule that is none", "CreateService", service(blue, balancer(r.blue, r.green, r.production, "arn:x")), "InvalidParameterException: testListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: arn:x"},
		{"one rule twice", "CreateService", service(blue, balancer(r.blue, r.green, r.production, r.production)), "InvalidParameterException: The following rules cannot be used as both production and test listener rules: " + r.production},
		{"no such group", "CreateService", service(blue, balancer(r.blue, "arn:x", r.production, r.test)), "InvalidParameterException: The specified target group does not exist. (arn:x)"},
	})
}

func TestAlarmRollsADeploymentBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	client := cloudwatch.NewFromConfig(h.config())
	_, err := client.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("errors"), Namespace: aws.String("web"), MetricName: aws.String("errors"), Threshold: aws.Float64(1),
		ComparisonOperator: cloudwatchtypes.ComparisonOperatorGreaterThanThreshold, Statistic: cloudwatchtypes.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1),
	})
	must(h, 0, err)
	h.create("default", "web", h.register("web", nil), func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = &types.DeploymentConfiguration{
			Alarms: &types.DeploymentAlarms{Enable: true, Rollback: true, AlarmNames: []string{"errors"}},
		}
	})
	h.completed("default", "web")
	first := h.newest("web")
	h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String(h.sick("web"))})
	d := h.newest("web")
	h.until("the alarms are looked at", func(snap state.Snapshot) bool {
		history, _ := snap.ServiceDeployment(*d.ServiceDeploymentArn)
		return history.Doc.Alarms != nil && history.Doc.Alarms.Status == types.ServiceDeploymentRollbackMonitorsStatusMonitoring
	})
	_, err = client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("errors"), StateValue: cloudwatchtypes.StateValueAlarm, StateReason: aws.String("test"),
	})
	must(h, 0, err)
	d = h.ends(d.ServiceDeploymentArn, types.ServiceDeploymentStatusRollbackSuccessful)
	want := &types.ServiceDeploymentAlarms{Status: "TRIGGERED", AlarmNames: []string{"errors"}, TriggeredAlarmNames: []string{"errors"}}
	if diff := cmp.Diff(want, d.Alarms, cmpopts.IgnoreUnexported(types.ServiceDeploymentAlarms{})); diff != "" {
		t.Error(diff)
	}
	if *d.Rollback.ServiceRevisionArn != *first.TargetServiceRevision.Arn {
		t.Errorf("it went back to %s", *d.Rollback.ServiceRevisionArn)
	}
	if !slices.ContainsFunc(h.messages("web", 100), func(m string) bool { return strings.HasSuffix(m, "deployment failed: alarm detected.") }) {
		t.Errorf("events: %q", h.messages("web", 100))
	}
}

// routed is a load balancer with a production and a test listener before two target groups.
type routed struct {
	blue, green, production, test string
	balancer                      types.LoadBalancer
}

func (h *house) routed(name string) routed {
	h.Helper()
	b, blue, listener := h.alb(name)
	groups, err := h.elbv2.CreateTargetGroup(h.Context(), &elbv2.CreateTargetGroupInput{
		Name: aws.String(name + "-2"), Protocol: v2types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"),
	})
	green := must(h, groups, err).TargetGroups[0]
	tests, err := h.elbv2.CreateListener(h.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: b.LoadBalancerArn, Protocol: v2types.ProtocolEnumHttp, Port: aws.Int32(8081),
		DefaultActions: []v2types.Action{{Type: v2types.ActionTypeEnumForward, TargetGroupArn: green.TargetGroupArn}},
	})
	must(h, tests, err)
	r := routed{
		blue: *blue.TargetGroupArn, green: *green.TargetGroupArn,
		production: h.defaultRule(*listener.ListenerArn), test: h.defaultRule(*tests.Listeners[0].ListenerArn),
	}
	r.balancer = types.LoadBalancer{
		TargetGroupArn: &r.blue, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80),
		AdvancedConfiguration: &types.AdvancedConfiguration{
			AlternateTargetGroupArn: &r.green, ProductionListenerRule: &r.production, TestListenerRule: &r.test,
			RoleArn: aws.String("arn:aws:iam::000000000000:role/ecs"),
		},
	}
	return r
}

func (h *house) defaultRule(listener string) string {
	h.Helper()
	out, err := h.elbv2.DescribeRules(h.Context(), &elbv2.DescribeRulesInput{ListenerArn: &listener})
	return *must(h, out, err).Rules[0].RuleArn
}

// weights returns the weights of both groups as a rule has them: "70/30".
func (r routed) weights(rule *state.Rule) string {
	by := map[string]int32{}
	for _, a := range rule.Doc.Actions {
		for _, g := range a.ForwardConfig.TargetGroups {
			by[*g.TargetGroupArn] = *g.Weight
		}
	}
	return fmt.Sprintf("%d/%d", by[r.blue], by[r.green])
}

// shifts returns the weights that the production rule has had since the watcher was made.
func (h *house) shifts(w *state.Watcher, r routed) []string {
	h.Helper()
	changes, err := w.Next(h.Context())
	must(h, 0, err)
	var list []string
	for _, c := range changes {
		if rule, ok := c.After.(*state.Rule); ok && rule.ARN == r.production {
			list = append(list, r.weights(rule))
		}
	}
	return list
}

// shifting creates a service that is deployed by that strategy, and waits for it.
func (h *house) shifting(r routed, c *types.DeploymentConfiguration) {
	h.Helper()
	h.create("default", "web", h.register("web", nil), func(in *ecs.CreateServiceInput) {
		in.LoadBalancers, in.DeploymentConfiguration = []types.LoadBalancer{r.balancer}, c
	})
	h.completed("default", "web")
}

func TestTrafficIsShiftedByEveryStrategy(t *testing.T) {
	t.Parallel()
	for strategy, tc := range map[types.DeploymentStrategy]struct {
		configuration types.DeploymentConfiguration
		want          []string
	}{
		types.DeploymentStrategyBlueGreen: {types.DeploymentConfiguration{BakeTimeInMinutes: aws.Int32(1)}, []string{"0/100"}},
		types.DeploymentStrategyLinear: {types.DeploymentConfiguration{
			LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(40)},
		}, []string{"60/40", "20/80", "0/100"}},
		types.DeploymentStrategyCanary: {types.DeploymentConfiguration{}, []string{"95/5", "0/100"}},
	} {
		t.Run(string(strategy), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			r := h.routed("web")
			tc.configuration.Strategy = strategy
			h.shifting(r, &tc.configuration)
			watch := h.DB().Watch(state.KindRule)
			defer watch.Close()
			h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String(h.register("web", nil))})
			d := h.ends(h.newest("web").ServiceDeploymentArn, types.ServiceDeploymentStatusSuccessful)
			if diff := cmp.Diff(tc.want, h.shifts(watch, r)); diff != "" {
				t.Error(diff)
			}
			if d.LifecycleStage != "CLEAN_UP" || *d.TargetServiceRevision.RequestedProductionTrafficWeight != 100 || *d.TargetServiceRevision.RequestedTestTrafficWeight != 100 {
				t.Errorf("service deployment: %s", h.last.answer())
			}
			revisions, err := h.ecs.DescribeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{*d.TargetServiceRevision.Arn}})
			if got := must(h, revisions, err).ServiceRevisions[0].ResolvedConfiguration.LoadBalancers[0]; *got.TargetGroupArn != r.green || *got.ProductionListenerRule != r.production {
				t.Errorf("revision: %s", h.last.answer())
			}
			health, err := h.elbv2.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: &r.green})
			if got := must(h, health, err).TargetHealthDescriptions; len(got) != 2 || got[0].TargetHealth.State != v2types.TargetHealthStateEnumHealthy {
				t.Errorf("targets: %s", h.last.answer())
			}
			listeners, err := h.elbv2.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{ListenerArns: []string{listenerOf(r.production)}})
			if got := must(h, listeners, err).Listeners[0].DefaultActions[0].ForwardConfig.TargetGroups; len(got) != 2 {
				t.Errorf("the listener's default action is not its default rule's: %s", h.last.answer())
			}
		})
	}
}

func listenerOf(rule string) string {
	rule = strings.Replace(rule, ":listener-rule/", ":listener/", 1)
	return rule[:strings.LastIndex(rule, "/")]
}

// functions are local stand-ins for Lambda functions: they keep what they were given, and answer by stage.
type functions struct {
	mu     sync.Mutex
	calls  []string
	last   map[string]any
	answer func(stage string, call int) string
}

func (f *functions) call(_ context.Context, payload []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = nil
	if err := json.Unmarshal(payload, &f.last); err != nil {
		return nil, err
	}
	stage := f.last["lifecycleStage"].(string) //nolint:forcetypeassert // it panics in a test
	f.calls = append(f.calls, stage)
	n := 0
	for _, c := range f.calls {
		if c == stage {
			n++
		}
	}
	return []byte(f.answer(stage, n)), nil
}

const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:check:live"

// hooked is how a service is deployed blue/green with a function, and a pause after the test traffic has been shifted.
func hooked(stages ...types.DeploymentLifecycleHookStage) *types.DeploymentConfiguration {
	return &types.DeploymentConfiguration{
		Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0),
		LifecycleHooks: []types.DeploymentLifecycleHook{{
			HookTargetArn: aws.String(functionARN), RoleArn: aws.String("arn:aws:iam::000000000000:role/ecs"), LifecycleStages: stages,
			HookDetails: document.NewLazyDocument(map[string]any{"url": "http://here"}),
		}},
	}
}

func TestHooksAreCalledWithWhatAWSTellsThem(t *testing.T) {
	t.Parallel()
	f := &functions{answer: func(stage string, call int) string {
		if stage == "PRODUCTION_TRAFFIC_SHIFT" && call == 3 { // of the second deployment
			return `{"hookStatus":"IN_PROGRESS","callBackDelay":1,"hookDetails":{"seen":true}}`
		}
		return `{"hookStatus":"SUCCEEDED"}`
	}}
	h := newHouse(t, func(o *engine.Options) { o.Hooks = engine.Hooks{"check": f.call} })
	r := h.routed("web")
	h.shifting(r, hooked(types.DeploymentLifecycleHookStagePreScaleUp, types.DeploymentLifecycleHookStageProductionTrafficShift))
	blue := h.newest("web")
	f.mu.Lock()
	first := slices.Clone(f.calls)
	f.calls = append(f.calls, "PRODUCTION_TRAFFIC_SHIFT")
	f.mu.Unlock()
	if diff := cmp.Diff([]string{"PRE_SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT"}, first); diff != "" {
		t.Error(diff)
	}
	h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), ForceNewDeployment: true})
	d := h.ends(h.newest("web").ServiceDeploymentArn, types.ServiceDeploymentStatusSuccessful)
	f.mu.Lock()
	defer f.mu.Unlock()
	if diff := cmp.Diff([]string{"PRE_SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"}, f.calls[3:]); diff != "" {
		t.Error(diff)
	}
	if id, _ := f.last["executionId"].(string); len(id) != 36 {
		t.Errorf("executionId %q", id)
	}
	delete(f.last, "executionId")
	want := map[string]any{
		"lifecycleStage": "PRODUCTION_TRAFFIC_SHIFT", "resourceArn": *d.ServiceDeploymentArn, "hookDetails": map[string]any{"seen": true},
		"executionDetails": map[string]any{
			"serviceArn": *d.ServiceArn, "targetServiceRevisionArn": *d.TargetServiceRevision.Arn, "testTrafficWeights": map[string]any{},
			"productionTrafficWeights": map[string]any{*d.TargetServiceRevision.Arn: 100.0, *blue.TargetServiceRevision.Arn: 0.0},
		},
	}
	if diff := cmp.Diff(want, f.last); diff != "" {
		t.Error(diff)
	}
}

func TestHookThatFailsRollsTheDeploymentBack(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ answer, want string }{
		"it says so":        {`{"hookStatus":"FAILED"}`, "Lifecycle hook target " + functionARN + " returned FAILED status."},
		"it doesn't say":    {`{}`, "ECS was unable to parse the response from " + functionARN + " due to: HookStatus must not be null."},
		"it says something": {`{"hookStatus":"FINE"}`, "ECS was unable to parse the response from " + functionARN + " due to: HookStatus must be SUCCEEDED, FAILED or IN_PROGRESS, not FINE."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &functions{answer: func(string, int) string { return tc.answer }}
			h := newHouse(t, func(o *engine.Options) { o.Hooks = engine.Hooks{"check": f.call} })
			r := h.routed("web")
			h.shifting(r, &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)})
			h.update(&ecs.UpdateServiceInput{
				Service: aws.String("web"), DeploymentConfiguration: hooked(types.DeploymentLifecycleHookStagePostScaleUp), ForceNewDeployment: true,
			})
			d := h.ends(h.newest("web").ServiceDeploymentArn, types.ServiceDeploymentStatusRollbackSuccessful)
			if want := "Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed. " + tc.want; *d.StatusReason != want {
				t.Errorf("reason %q, want %q", *d.StatusReason, want)
			}
		})
	}
}

func TestFunctionThatNobodyServesIsAFailureThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create("default", "web", h.register("web", nil), func(in *ecs.CreateServiceInput) {
		in.DeploymentConfiguration = hooked(types.DeploymentLifecycleHookStagePreScaleUp)
	})
	d := h.ends(h.newest("web").ServiceDeploymentArn, types.ServiceDeploymentStatusRollbackFailed)
	if want := "No rollback candidate was found to run the rollback."; *d.StatusReason != want {
		t.Errorf("reason %q, want %q", *d.StatusReason, want)
	}
	if got, want := strings.Join(h.messages("web", 100), " "), "the engine knows no function check. Start it with --hook check=URL"; !strings.Contains(got, want) {
		t.Errorf("events %q lack %q", got, want)
	}
}

func TestPausedDeploymentIsContinuedOrRolledBack(t *testing.T) {
	t.Parallel()
	for action, want := range map[types.DeploymentLifecycleHookAction]types.ServiceDeploymentStatus{
		"": types.ServiceDeploymentStatusSuccessful,
		types.DeploymentLifecycleHookActionRollback: types.ServiceDeploymentStatusRollbackSuccessful,
	} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			r := h.routed("web")
			h.shifting(r, &types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)})
			h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), ForceNewDeployment: true, DeploymentConfiguration: &types.DeploymentConfiguration{
				LifecycleHooks: []types.DeploymentLifecycleHook{{
					TargetType:           types.DeploymentLifecycleHookTargetTypePause,
					LifecycleStages:      []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePostTestTrafficShift},
					TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: aws.Int32(20160)},
				}},
			}})
			arn := h.newest("web").ServiceDeploymentArn
			h.until("the deployment is paused", func(snap state.Snapshot) bool {
				d, _ := snap.ServiceDeployment(*arn)
				return len(d.Doc.LifecycleHookDetails) > 0
			})
			paused := h.newest("web")
			hook := paused.LifecycleHookDetails[0]
			if paused.LifecycleStage != "POST_TEST_TRAFFIC_SHIFT" || hook.Status != "AWAITING_ACTION" || hook.TargetType != "PAUSE" ||
				hook.TimeoutAction != "ROLLBACK" || hook.ExpiresAt == nil || hook.TargetArn != nil {
				t.Errorf("service deployment: %s", h.last.answer())
			}
			if test, _ := h.DB().Read().Rule(r.test); r.weights(test) != "0/100" {
				t.Errorf("test traffic %s", r.weights(test))
			}
			_, err := h.ecs.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: arn, HookId: aws.String("ecs-pause-other")})
			if got, want := code(err), "InvalidParameterException: The lifecycle hook ecs-pause-other is not a hook of the service deployment's present stage."; got != want {
				t.Errorf("%s, expected %s", got, want)
			}
			out, err := h.ecs.ContinueServiceDeployment(t.Context(), &ecs.ContinueServiceDeploymentInput{ServiceDeploymentArn: arn, HookId: hook.HookId, Action: action})
			if got := must(h, out, err).ServiceDeploymentArn; *got != *arn {
				t.Errorf("it answers with %s", *got)
			}
			h.ends(arn, want)
		})
	}
}
