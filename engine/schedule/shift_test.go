package schedule

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/engine/state"
)

const (
	greenARN      = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/2"
	productionARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/web/1/1/1"
	testARN       = "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener-rule/app/web/1/1/2"
)

func configured(c types.DeploymentConfiguration) option {
	return func(s *types.Service, _ *types.TaskDefinition) {
		c.MinimumHealthyPercent, c.MaximumPercent = aws.Int32(100), aws.Int32(200)
		s.DeploymentConfiguration = &c
	}
}

func blueGreen(bakeMinutes int32) option {
	return configured(types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: &bakeMinutes})
}

// routedBalancer is a load balancer with two target groups behind a production and a test rule.
func routedBalancer(s *types.Service, _ *types.TaskDefinition) {
	s.LoadBalancers = []types.LoadBalancer{{
		TargetGroupArn: aws.String(groupARN), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080),
		AdvancedConfiguration: &types.AdvancedConfiguration{
			AlternateTargetGroupArn: aws.String(greenARN), ProductionListenerRule: aws.String(productionARN),
			TestListenerRule: aws.String(testARN), RoleArn: aws.String("arn:aws:iam::000000000000:role/ecs"),
		},
	}}
}

// rules makes the second target group and the two rules: production to the first group, test to the second.
func (w *world) rules() *world {
	forward := func(to ...v2.TargetGroupTuple) []v2.Action {
		return []v2.Action{{Type: v2.ActionTypeEnumForward, ForwardConfig: &v2.ForwardActionConfig{TargetGroups: to}}}
	}
	w.put(
		&state.TargetGroup{ARN: greenARN, Doc: v2.TargetGroup{TargetType: v2.TargetTypeEnumInstance}},
		&state.Rule{ARN: productionARN, Listener: "l", Doc: v2.Rule{IsDefault: aws.Bool(false), Actions: forward(
			v2.TargetGroupTuple{TargetGroupArn: aws.String(groupARN), Weight: aws.Int32(1)},
			v2.TargetGroupTuple{TargetGroupArn: aws.String(greenARN), Weight: aws.Int32(0)},
		)}},
		&state.Rule{ARN: testARN, Listener: "l", Doc: v2.Rule{IsDefault: aws.Bool(false), Actions: forward(
			v2.TargetGroupTuple{TargetGroupArn: aws.String(greenARN), Weight: aws.Int32(1)},
		)}},
	)
	return w
}

// weights returns how a rule divides the traffic: first group/second group.
func (w *world) weights(rule string) string {
	r, ok := w.db.Read().Rule(rule)
	if !ok {
		return "none"
	}
	return fmt.Sprintf("%d/%d", weightOf(r, groupARN), weightOf(r, greenARN))
}

// stages lets the time pass and returns, for each stage that a service deployment is seen in, its status and how the
// traffic is divided: "SCALE_UP IN_PROGRESS production 100/0 test 0/1".
func (w *world) stages(id int, d time.Duration) []string {
	var seen []string
	for end := w.now.Add(d); w.now.Before(end); {
		w.run(tick)
		h := w.history(id)
		line := fmt.Sprintf("%s %s %s %s", h.LifecycleStage, h.Status, w.weights(productionARN), w.weights(testARN))
		if len(seen) == 0 || seen[len(seen)-1] != line {
			seen = append(seen, line)
		}
	}
	return seen
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.ServiceDeploymentAlarms{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// take also writes the second group short.
func (w *world) told() []string {
	texts := w.take()
	for i := range texts {
		texts[i] = strings.ReplaceAll(texts[i], greenARN, "H")
	}
	return texts
}

func TestFirstBlueGreenDeploymentGoesThroughAllStages(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(2, blueGreen(1), routedBalancer)
	same(t, "stages", []string{
		"PRE_SCALE_UP IN_PROGRESS 1/0 0/1",
		"SCALE_UP IN_PROGRESS 1/0 0/1",
		"POST_SCALE_UP IN_PROGRESS 1/0 0/1",
		"TEST_TRAFFIC_SHIFT IN_PROGRESS 1/0 100/0",
		"POST_TEST_TRAFFIC_SHIFT IN_PROGRESS 1/0 100/0",
		"PRE_PRODUCTION_TRAFFIC_SHIFT IN_PROGRESS 1/0 100/0",
		"PRODUCTION_TRAFFIC_SHIFT IN_PROGRESS 100/0 100/0",
		"POST_PRODUCTION_TRAFFIC_SHIFT IN_PROGRESS 100/0 100/0",
		"BAKE_TIME IN_PROGRESS 100/0 100/0",
		"CLEAN_UP SUCCESSFUL 100/0 100/0",
	}, w.stages(1, 6*time.Minute))
	same(t, "events", []string{
		"has started 2 tasks: (task t1) (task t2).",
		"registered 2 targets in (target-group G)",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	}, w.told())
}

func TestBlueGreenShiftsTrafficToNewTasksBesideTheOldOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(2, blueGreen(1), routedBalancer)
	w.run(6 * time.Minute)
	w.take()
	w.deploy(2)
	same(t, "stages", []string{
		"PRE_SCALE_UP IN_PROGRESS 100/0 100/0",
		"SCALE_UP IN_PROGRESS 100/0 100/0",
		"POST_SCALE_UP IN_PROGRESS 100/0 100/0",
		"TEST_TRAFFIC_SHIFT IN_PROGRESS 100/0 0/100",
		"POST_TEST_TRAFFIC_SHIFT IN_PROGRESS 100/0 0/100",
		"PRE_PRODUCTION_TRAFFIC_SHIFT IN_PROGRESS 100/0 0/100",
		"PRODUCTION_TRAFFIC_SHIFT IN_PROGRESS 0/100 0/100",
		"POST_PRODUCTION_TRAFFIC_SHIFT IN_PROGRESS 0/100 0/100",
		"BAKE_TIME IN_PROGRESS 0/100 0/100",
		"CLEAN_UP IN_PROGRESS 0/100 0/100",
		"CLEAN_UP SUCCESSFUL 0/100 0/100",
	}, w.stages(2, 8*time.Minute))
	same(t, "events", []string{
		"has started 2 tasks: (task t3) (task t4).",
		"registered 2 targets in (target-group H)",
		"has stopped 2 running tasks: (task t1) (task t2).",
		"deregistered 2 targets in (target-group G)",
		"(taskSet ecs-svc/1) has begun draining connections on 2 tasks.",
		"(deployment ecs-svc/2) deployment completed.",
		"has reached a steady state.",
	}, w.told())
	w.deploy(3).run(8 * time.Minute) // and back into the first group
	if got := w.weights(productionARN); got != "100/0" || w.count(3) != 2 {
		t.Errorf("weights %s, %d tasks", got, w.count(3))
	}
}

func TestRevisionsAreDescribedWithTheirShareOfTheTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(2, routedBalancer, configured(types.DeploymentConfiguration{
		Strategy:            types.DeploymentStrategyCanary,
		CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(2.5), CanaryBakeTimeInMinutes: aws.Int32(2)},
	}))
	w.run(6 * time.Minute)
	w.deploy(2)
	for w.history(2).LifecycleStage != traffic {
		w.run(tick)
	}
	h := w.history(2)
	share := func(r types.ServiceRevisionSummary) string {
		return fmt.Sprintf("%s: %d requested, %d running, production %v, test %v", *r.Arn, r.RequestedTaskCount, r.RunningTaskCount,
			aws.ToFloat64(r.RequestedProductionTrafficWeight), aws.ToFloat64(r.RequestedTestTrafficWeight))
	}
	same(t, "target", "revision/2: 2 requested, 2 running, production 2.5, test 100", share(*h.TargetServiceRevision))
	same(t, "source", "revision/1: 2 requested, 2 running, production 97.5, test 0", share(h.SourceServiceRevisions[0]))
	if got := w.weights(productionARN); got != "975/25" {
		t.Errorf("weights %s", got)
	}
}

// shares returns the steps of the production traffic with the time since the first one.
func (w *world) shares(d time.Duration) []string {
	var seen []string
	var first time.Time
	last := w.weights(productionARN)
	for end := w.now.Add(d); w.now.Before(end); {
		w.run(tick)
		if now := w.weights(productionARN); now != last {
			if first.IsZero() {
				first = w.now
			}
			last, seen = now, append(seen, fmt.Sprintf("%s %s", w.now.Sub(first).Round(time.Minute), now))
		}
	}
	return seen
}

func TestLinearAndCanaryShiftTrafficInTheirSteps(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		configuration types.DeploymentConfiguration
		want          []string
	}{
		"linear": {types.DeploymentConfiguration{
			Strategy:            types.DeploymentStrategyLinear,
			LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(30), StepBakeTimeInMinutes: aws.Int32(10)},
		}, []string{"0s 70/30", "10m0s 40/60", "20m0s 10/90", "31m0s 0/100"}},
		"canary": {types.DeploymentConfiguration{
			Strategy:            types.DeploymentStrategyCanary,
			CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(0.1), CanaryBakeTimeInMinutes: aws.Int32(20)},
		}, []string{"0s 999/1", "20m0s 0/100"}},
		"all at once": {types.DeploymentConfiguration{
			Strategy:            types.DeploymentStrategyLinear,
			LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(100), StepBakeTimeInMinutes: aws.Int32(60)},
		}, []string{"0s 0/100"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(2).rules().service(2, routedBalancer, configured(tc.configuration))
			w.run(6 * time.Minute)
			same(t, "shares", tc.want, w.deploy(2).shares(time.Hour))
			if h := w.history(2); h.Status != types.ServiceDeploymentStatusSuccessful {
				t.Errorf("service deployment %s", h.Status)
			}
		})
	}
}

func TestShiftingWithoutALoadBalancerGoesThroughTheSameStages(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(1, blueGreen(0))
	w.run(4 * time.Minute)
	w.take()
	w.deploy(2).run(6 * time.Minute)
	expect(t, w, "events", []string{
		"has started 1 tasks: (task t2).",
		"has stopped 1 running tasks: (task t1).",
		"(deployment ecs-svc/2) deployment completed.",
		"has reached a steady state.",
	})
	if h := w.history(2); h.TargetServiceRevision.RequestedProductionTrafficWeight != nil || h.LifecycleStage != cleanUp {
		t.Errorf("stage %s, target %+v", h.LifecycleStage, h.TargetServiceRevision)
	}
}

func TestStopTakesTheTrafficBackWithinTheSameServiceDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(2, blueGreen(30), routedBalancer)
	w.run(40 * time.Minute)
	w.take()
	w.deploy(2)
	for w.history(2).LifecycleStage != bake {
		w.run(tick)
	}
	w.request(2, types.ServiceDeploymentStatusRollbackRequested)
	same(t, "stages", []string{
		"SCALE_UP ROLLBACK_IN_PROGRESS 0/100 0/100",
		"PRODUCTION_TRAFFIC_SHIFT ROLLBACK_IN_PROGRESS 100/0 0/100",
		"TEST_TRAFFIC_SHIFT ROLLBACK_IN_PROGRESS 100/0 100/0",
		"CLEAN_UP ROLLBACK_IN_PROGRESS 100/0 100/0",
		"CLEAN_UP ROLLBACK_SUCCESSFUL 100/0 100/0",
	}, w.stages(2, 5*time.Minute)[1:])
	same(t, "events", []string{
		"has started 2 tasks: (task t3) (task t4).",
		"registered 2 targets in (target-group H)",
		stoppedByUser,
		"rolling back to deployment ecs-svc/1.",
		"has stopped 2 running tasks: (task t3) (task t4).",
		"deregistered 2 targets in (target-group H)",
		"(taskSet ecs-svc/2) has begun draining connections on 2 tasks.",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	}, w.told())
	if d := w.deployment(1); d.Status != state.Primary || d.State != types.DeploymentRolloutStateCompleted {
		t.Errorf("old deployment %s %s", d.Status, d.State)
	}
	if s, _ := w.db.Read().Service(web); aws.ToString(s.Doc.TaskDefinition) != "web:1" {
		t.Errorf("the service has %s", aws.ToString(s.Doc.TaskDefinition))
	}
}

func TestBreakerEndsAShiftBeforeAnyTrafficMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(2, blueGreen(1), routedBalancer)
	w.run(6 * time.Minute)
	w.change(func(s *state.Service) {
		c := *s.Doc.DeploymentConfiguration
		c.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}
		s.Doc.DeploymentConfiguration = &c
	})
	w.take()
	w.behaviour[2] = behaviour{cannotPull: true}
	seen := w.deploy(2).stages(2, 30*time.Minute)
	same(t, "the end", "CLEAN_UP ROLLBACK_SUCCESSFUL 100/0 100/0", seen[len(seen)-1])
	for _, line := range seen {
		if !strings.HasSuffix(line, " 100/0 100/0") {
			t.Errorf("traffic moved: %s", line)
		}
	}
	if !slices.Contains(w.told(), "(deployment ecs-svc/2) deployment failed: tasks failed to start.") {
		t.Error("it isn't told that it failed")
	}
	if got := w.count(1); got != 2 {
		t.Errorf("%d tasks of the old deployment", got)
	}
}

func TestTasksThatNeverBecomeHealthyEndAStageAfterADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(2, blueGreen(1), routedBalancer)
	w.run(6 * time.Minute)
	w.behaviour[2] = behaviour{neverPasses: true}
	w.deploy(2).run(25 * time.Hour)
	h := w.history(2)
	if want := "Service deployment rolled back because the lifecycle stage SCALE_UP did not complete within 24 hours."; aws.ToString(h.StatusReason) != want ||
		h.Status != types.ServiceDeploymentStatusRollbackSuccessful {
		t.Errorf("service deployment %s %q", h.Status, aws.ToString(h.StatusReason))
	}
}

func TestTrafficThatCannotBeShiftedEndsTheDeploymentAtItsBeginning(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*world)
		want  string
	}{
		"no rule": {
			func(w *world) {
				_ = w.db.Write(func(tx *state.Tx) error { tx.Delete(&state.Rule{ARN: productionARN}); return nil })
			}, "One or more rules not found",
		},
		"a group behind neither rule": {
			func(w *world) {
				r, _ := w.db.Read().Rule(productionARN)
				only := *r
				only.Doc.Actions = []v2.Action{{Type: v2.ActionTypeEnumForward, TargetGroupArn: aws.String("other")}}
				w.put(&only)
			}, "Target group " + groupARN + " is not associated with either productionListenerRule or testListenerRule.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(2).rules()
			tc.spoil(w)
			w.service(2, blueGreen(1), routedBalancer).run(time.Minute)
			same(t, "events", []string{
				"(deployment ecs-svc/1) deployment failed: Service deployment rolled back because of invalid networking configuration. " +
					strings.ReplaceAll(tc.want, groupARN, "G"),
			}, w.told())
			if h := w.history(1); h.Status != types.ServiceDeploymentStatusRollbackFailed || aws.ToString(h.StatusReason) != statusNoCandidate {
				t.Errorf("service deployment %s %q", h.Status, aws.ToString(h.StatusReason))
			}
		})
	}
}

func TestNewDeploymentInTheMiddleOfAShiftReconcilesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(2, blueGreen(30), routedBalancer)
	w.run(40 * time.Minute)
	w.deploy(2)
	for w.history(2).LifecycleStage != bake {
		w.run(tick)
	}
	w.take()
	w.deploy(3)
	seen := w.stages(3, 5*time.Minute)
	same(t, "first", []string{
		"RECONCILE_SERVICE IN_PROGRESS 100/0 0/100", "PRE_SCALE_UP IN_PROGRESS 100/0 0/100", "SCALE_UP IN_PROGRESS 100/0 0/100",
	}, seen[1:4])
	same(t, "events", []string{
		"has stopped 2 running tasks: (task t3) (task t4).",
		"deregistered 2 targets in (target-group H)",
		"(taskSet ecs-svc/2) has begun draining connections on 2 tasks.",
		"has started 2 tasks: (task t5) (task t6).",
		"registered 2 targets in (target-group H)",
	}, w.told())
	w.run(40 * time.Minute)
	if got := w.weights(productionARN); got != "0/100" || w.history(3).Status != types.ServiceDeploymentStatusSuccessful {
		t.Errorf("weights %s, service deployment %s", got, w.history(3).Status)
	}
}

func TestRollingUpdateInTheMiddleOfAShiftGivesTheTrafficBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(2, blueGreen(30), routedBalancer)
	w.run(40 * time.Minute)
	w.deploy(2)
	for w.history(2).LifecycleStage != bake {
		w.run(tick)
	}
	w.change(func(s *state.Service) { s.Doc.DeploymentConfiguration = &types.DeploymentConfiguration{} })
	w.deploy(3).run(10 * time.Minute)
	if got := w.weights(productionARN); got != "100/0" || !w.steady() || w.count(3) != 2 {
		t.Errorf("weights %s, %d new tasks", got, w.count(3))
	}
	for _, target := range targets(w) {
		if target.Group != groupARN {
			t.Errorf("a target in %s", target.Group)
		}
	}
}

func TestScalingInTheMiddleOfAShiftScalesBothRevisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4).rules().service(2, blueGreen(30), routedBalancer)
	w.run(40 * time.Minute)
	w.deploy(2)
	for w.history(2).LifecycleStage != bake {
		w.run(tick)
	}
	for _, n := range []int{3, 1} {
		w.scale(n)
		w.run(2 * time.Minute)
		if blue, green := w.count(1), w.count(2); blue != n || green != n {
			t.Errorf("scaled to %d: %d blue, %d green", n, blue, green)
		}
	}
}
