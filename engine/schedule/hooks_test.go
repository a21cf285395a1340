package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/document"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:check"

func function(at ...types.DeploymentLifecycleHookStage) types.DeploymentLifecycleHook {
	return types.DeploymentLifecycleHook{HookTargetArn: aws.String(functionARN), RoleArn: aws.String("role"), LifecycleStages: at}
}

func pause(minutes int32, action types.DeploymentLifecycleHookAction, at ...types.DeploymentLifecycleHookStage) types.DeploymentLifecycleHook {
	return types.DeploymentLifecycleHook{
		TargetType: types.DeploymentLifecycleHookTargetTypePause, LifecycleStages: at,
		TimeoutConfiguration: &types.DeploymentLifecycleHookTimeoutConfiguration{TimeoutInMinutes: &minutes, Action: action},
	}
}

// hooked is a service that was deployed, and is being deployed anew with these hooks.
func hooked(t *testing.T, hooks ...types.DeploymentLifecycleHook) *world {
	t.Helper()
	w := newWorld(t).instances(2).rules().service(1, blueGreen(0), routedBalancer)
	w.run(6 * time.Minute)
	w.take()
	w.change(func(s *state.Service) {
		c := *s.Doc.DeploymentConfiguration
		c.LifecycleHooks = hooks
		s.Doc.DeploymentConfiguration = &c
	})
	return w.deploy(2)
}

// answer has every open hook of the deployments of the service come to a status.
func (w *world) answer(status types.DeploymentLifecycleHookStatus, failure string) {
	for d := range w.db.Read().Deployments(w.key) {
		if d.Shift == nil {
			continue
		}
		for _, h := range d.Shift.Hooks {
			if h.Open() {
				d, _ = d.WithHook(h.ID, func(h *state.Hook) { h.Status, h.Failure = status, failure })
				w.put(d)
			}
		}
	}
}

// open returns the hooks that are described as open: "PRE_SCALE_UP AWS_LAMBDA IN_PROGRESS".
func (w *world) open(id int) []string {
	var list []string
	h := w.history(id)
	for _, d := range h.LifecycleHookDetails {
		list = append(list, fmt.Sprintf("%s %s %s", h.LifecycleStage, d.TargetType, d.Status))
	}
	return list
}

func TestHooksRunAtTheirStagesAndTheDeploymentWaitsForThem(t *testing.T) {
	t.Parallel()
	all := types.DeploymentLifecycleHookStage("").Values()
	w := hooked(t, function(all...))
	var seen []string
	for w.history(2).Status != types.ServiceDeploymentStatusSuccessful {
		w.run(30 * time.Second)
		if open := w.open(2); len(open) > 0 {
			w.run(time.Minute)
			same(t, "the deployment waits", open, w.open(2))
			seen = append(seen, strings.Join(open, ", "))
		}
		w.answer(types.DeploymentLifecycleHookStatusSucceeded, "")
	}
	same(t, "hooks", []string{
		"PRE_SCALE_UP AWS_LAMBDA IN_PROGRESS",
		"POST_SCALE_UP AWS_LAMBDA IN_PROGRESS",
		"TEST_TRAFFIC_SHIFT AWS_LAMBDA IN_PROGRESS",
		"POST_TEST_TRAFFIC_SHIFT AWS_LAMBDA IN_PROGRESS",
		"PRE_PRODUCTION_TRAFFIC_SHIFT AWS_LAMBDA IN_PROGRESS",
		"PRODUCTION_TRAFFIC_SHIFT AWS_LAMBDA IN_PROGRESS",
		"POST_PRODUCTION_TRAFFIC_SHIFT AWS_LAMBDA IN_PROGRESS",
	}, seen)
}

func TestHookThatFailsRollsBackAndIsNamed(t *testing.T) {
	t.Parallel()
	hook := function(types.DeploymentLifecycleHookStagePostTestTrafficShift, types.DeploymentLifecycleHookStageProductionTrafficShift)
	hook.HookDetails = document.NewLazyDocument(map[string]any{"a": 1})
	w := hooked(t, hook)
	for len(w.open(2)) == 0 {
		w.run(tick)
	}
	if got := w.deployment(2).Shift.Hooks[0]; got.Details != `{"a":1}` || !strings.HasPrefix(got.ID, "ecs-lambda-") {
		t.Errorf("hook %+v", got)
	}
	w.answer(types.DeploymentLifecycleHookStatusFailed, "Lifecycle hook target "+functionARN+" returned FAILED status.")
	w.run(30 * time.Second)
	want := "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT lifecycle hook(s) failed. Lifecycle hook target " +
		functionARN + " returned FAILED status."
	h := w.history(2)
	if aws.ToString(h.StatusReason) != want || aws.ToString(h.Rollback.Reason) != want {
		t.Errorf("reason %q, want %q", aws.ToString(h.StatusReason), want)
	}
	same(t, "events", []string{
		"has started 1 tasks: (task t2).",
		"registered 1 targets in (target-group H)",
		"(deployment ecs-svc/2) deployment failed: " + want,
		"rolling back to deployment ecs-svc/1.",
	}, w.told())
	// A rollback runs the hooks of the traffic shifts too, and goes on whatever they say.
	for len(w.open(2)) == 0 {
		w.run(tick)
	}
	same(t, "hook in the rollback", []string{"PRODUCTION_TRAFFIC_SHIFT AWS_LAMBDA IN_PROGRESS"}, w.open(2))
	w.answer(types.DeploymentLifecycleHookStatusFailed, "no")
	w.run(5 * time.Minute)
	if h := w.history(2); h.Status != types.ServiceDeploymentStatusRollbackSuccessful {
		t.Errorf("service deployment %s", h.Status)
	}
}

func TestPausedDeploymentGoesOnOrBackWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	for action, want := range map[types.DeploymentLifecycleHookAction]types.ServiceDeploymentStatus{
		types.DeploymentLifecycleHookActionContinue: types.ServiceDeploymentStatusSuccessful,
		types.DeploymentLifecycleHookActionRollback: types.ServiceDeploymentStatusRollbackSuccessful,
		"": types.ServiceDeploymentStatusRollbackSuccessful,
	} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			w := hooked(t, pause(60, action, types.DeploymentLifecycleHookStagePreScaleUp))
			w.run(time.Minute)
			same(t, "paused", []string{"PRE_SCALE_UP PAUSE AWAITING_ACTION"}, w.open(2))
			details := w.history(2).LifecycleHookDetails[0]
			if !strings.HasPrefix(*details.HookId, "ecs-pause-") || details.TargetArn != nil || details.ExpiresAt.Sub(w.now) > time.Hour {
				t.Errorf("hook %+v", details)
			}
			w.run(58 * time.Minute)
			same(t, "still paused", []string{"PRE_SCALE_UP PAUSE AWAITING_ACTION"}, w.open(2))
			w.run(10 * time.Minute)
			h := w.history(2)
			if h.Status != want {
				t.Errorf("service deployment %s %q, want %s", h.Status, aws.ToString(h.StatusReason), want)
			}
		})
	}
}

func TestFunctionsAndPausesOfOneStageAllHaveToBeAnswered(t *testing.T) {
	t.Parallel()
	at := types.DeploymentLifecycleHookStagePostScaleUp
	w := hooked(t, function(at), pause(60, "", at))
	for len(w.open(2)) == 0 {
		w.run(tick)
	}
	d := w.deployment(2)
	d, _ = d.WithHook(d.Shift.Hooks[0].ID, func(h *state.Hook) { h.Status = types.DeploymentLifecycleHookStatusSucceeded })
	w.put(d)
	w.run(10 * time.Minute)
	same(t, "one is open", []string{"POST_SCALE_UP AWS_LAMBDA SUCCEEDED", "POST_SCALE_UP PAUSE AWAITING_ACTION"}, w.open(2))
	w.answer(types.DeploymentLifecycleHookStatusSucceeded, "")
	w.run(5 * time.Minute)
	if h := w.history(2); h.Status != types.ServiceDeploymentStatusSuccessful {
		t.Errorf("service deployment %s", h.Status)
	}
}

func TestLinearRunsItsTrafficHooksAtEveryStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules().service(1, blueGreen(0), routedBalancer)
	w.run(6 * time.Minute)
	w.change(func(s *state.Service) {
		s.Doc.DeploymentConfiguration = &types.DeploymentConfiguration{
			Strategy:            types.DeploymentStrategyLinear,
			LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(50), StepBakeTimeInMinutes: aws.Int32(1)},
			LifecycleHooks: []types.DeploymentLifecycleHook{function(
				types.DeploymentLifecycleHookStagePreProductionTrafficShift, types.DeploymentLifecycleHookStageProductionTrafficShift,
			)},
		}
	})
	w.deploy(2)
	ids, stages := map[string]bool{}, []string{}
	for w.history(2).Status != types.ServiceDeploymentStatusSuccessful {
		w.run(tick)
		for _, h := range w.deployment(2).Shift.Hooks {
			if !ids[h.ID] {
				ids[h.ID] = true
				stages = append(stages, fmt.Sprintf("%s %s", w.deployment(2).Shift.Stage, w.weights(productionARN)))
			}
		}
		w.answer(types.DeploymentLifecycleHookStatusSucceeded, "")
	}
	same(t, "hooks", []string{
		"PRE_PRODUCTION_TRAFFIC_SHIFT 100/0", "PRODUCTION_TRAFFIC_SHIFT 50/50",
		"PRE_PRODUCTION_TRAFFIC_SHIFT 50/50", "PRODUCTION_TRAFFIC_SHIFT 0/100",
	}, stages)
}
