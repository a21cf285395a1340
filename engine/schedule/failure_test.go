package schedule

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

const unhealthyT = "(port 32768) is unhealthy in (target-group G) due to (reason Health checks failed with these codes: [503])."

func TestThreshold(t *testing.T) {
	t.Parallel()
	of := func(kind types.ThresholdType, value int32) *types.DeploymentCircuitBreaker {
		return &types.DeploymentCircuitBreaker{ThresholdConfiguration: &types.ThresholdConfiguration{Type: kind, Value: value}}
	}
	for name, tc := range map[string]struct {
		breaker       *types.DeploymentCircuitBreaker
		desired, want int
	}{
		"default of 1":     {nil, 1, 3},
		"default of 25":    {nil, 25, 13},
		"default of 400":   {nil, 400, 200},
		"default of 800":   {nil, 800, 200},
		"unbounded of 800": {of(types.ThresholdTypeUnboundedPercent, 50), 800, 400},
		"unbounded of 1":   {of(types.ThresholdTypeUnboundedPercent, 50), 1, 1},
		"unbounded of 0":   {of(types.ThresholdTypeUnboundedPercent, 50), 0, 1},
		"count":            {of(types.ThresholdTypeCount, 7), 800, 7},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Threshold(tc.breaker, tc.desired); got != tc.want {
				t.Errorf("Threshold = %d, want %d", got, tc.want)
			}
		})
	}
}

func TestBreakerStopsAFirstDeploymentThatNeverStarts(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]behaviour{
		"that is gone at once": {cannotPull: true},
		"that is cleaned up":   {cannotPull: true, lingers: true}, // what follows it waits for its end
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(2)
			w.behaviour[1] = b
			w.service(1, breaker(true)).run(time.Hour)
			expect(t, w, "events", []string{
				"has started 1 tasks: (task t1).",
				"was unable to place a task. Reason: CannotPullContainerError: not found.",
				"has started 1 tasks: (task t2).",
				"has started 1 tasks: (task t3).",
				"is unable to consistently start tasks successfully.",
				"(deployment ecs-svc/1) deployment failed: tasks failed to start.",
			})
			d := w.deployment(1)
			if d.Status != state.Primary || d.State != types.DeploymentRolloutStateFailed || d.Reason != reasonBroken || d.Failed != 3 {
				t.Errorf("deployment %s %s %q, %d failed", d.Status, d.State, d.Reason, d.Failed)
			}
			if h := w.history(1); h.Status != types.ServiceDeploymentStatusRollbackFailed || aws.ToString(h.StatusReason) != statusNoCandidate {
				t.Errorf("service deployment %s %q", h.Status, aws.ToString(h.StatusReason))
			}
		})
	}
}

func TestBreakerRollsBackUnderTheOldDeploymentsID(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.service(1, balanced, breaker(true)).run(3 * time.Minute)
	w.take()
	w.behaviour[2] = behaviour{unhealthy: true, checkTakes: 20 * time.Second}
	w.deploy(2, balanced).run(20 * time.Minute)
	expect(t, w, "events", []string{
		"has started 1 tasks: (task t2).",
		"registered 1 targets in (target-group G)",
		"(task t2) " + unhealthyT,
		"has stopped 1 running tasks: (task t2).",
		"deregistered 1 targets in (target-group G)",
		"has begun draining connections on 1 tasks.",
		"has started 1 tasks: (task t3). Amazon ECS replaced 1 tasks due to an unhealthy status.",
		"registered 1 targets in (target-group G)",
		"(task t3) " + unhealthy3,
		"has stopped 1 running tasks: (task t3).",
		"deregistered 1 targets in (target-group G)",
		"has begun draining connections on 1 tasks.",
		"has started 1 tasks: (task t4). Amazon ECS replaced 1 tasks due to an unhealthy status.",
		"registered 1 targets in (target-group G)",
		"(task t4) " + unhealthy4,
		"(deployment ecs-svc/2) deployment failed: tasks failed to start.",
		"rolling back to deployment ecs-svc/1.",
		"has stopped 1 running tasks: (task t4).",
		"deregistered 1 targets in (target-group G)",
		"(taskSet ecs-svc/2) has begun draining connections on 1 tasks.",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	})
	base, broken := w.deployment(1), w.deployment(2)
	if base.Status != state.Primary || base.State != types.DeploymentRolloutStateCompleted {
		t.Errorf("old deployment %s %s", base.Status, base.State)
	}
	if broken.Status != state.Inactive || broken.State != types.DeploymentRolloutStateFailed || broken.RollbackTo != base.ID {
		t.Errorf("failed deployment %s %s, rolled back to %q", broken.Status, broken.State, broken.RollbackTo)
	}
	s, _ := w.db.Read().Service(web)
	if got := aws.ToString(s.Doc.TaskDefinition); got != "web:1" {
		t.Errorf("the service has task definition %s", got)
	}
	h := w.history(2)
	if h.Status != types.ServiceDeploymentStatusRollbackSuccessful || aws.ToString(h.StatusReason) != statusRolledBack+"the circuit breaker threshold was exceeded." ||
		h.Rollback == nil || aws.ToString(h.Rollback.ServiceRevisionArn) != base.Revision || h.FinishedAt == nil {
		t.Errorf("service deployment %s %q %+v", h.Status, aws.ToString(h.StatusReason), h.Rollback)
	}
	want := &types.ServiceDeploymentCircuitBreaker{Status: "TRIGGERED", FailureCount: 3, Threshold: 3}
	if got := h.DeploymentCircuitBreaker; *got != *want {
		t.Errorf("breaker %+v, want %+v", *got, *want)
	}
}

const (
	unhealthy3 = "(port 32769) is unhealthy in (target-group G) due to (reason Health checks failed with these codes: [503])."
	unhealthy4 = "(port 32770) is unhealthy in (target-group G) due to (reason Health checks failed with these codes: [503])."
)

func TestRollbackIsTheReasonWhileItIsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.service(2, breaker(true)).run(2 * time.Minute)
	w.behaviour[2] = behaviour{crashAfter: 5 * time.Second}
	w.deploy(2)
	for w.deployment(1).Status != state.Primary {
		w.run(tick)
	}
	d := w.deployment(1)
	if want := "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1"; d.Reason != want ||
		d.State != types.DeploymentRolloutStateInProgress {
		t.Errorf("%s %q, want %q", d.State, d.Reason, want)
	}
	if h := w.history(2); h.Status != types.ServiceDeploymentStatusRollbackInProgress {
		t.Errorf("service deployment %s", h.Status)
	}
	if got := w.count(2); got != 0 {
		t.Errorf("%d tasks of the failed deployment stay", got)
	}
}

func TestBreakerWithoutRollbackStallsAndTheOldOnesServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.service(2, breaker(false)).run(2 * time.Minute)
	w.behaviour[2] = behaviour{crashAfter: 5 * time.Second}
	w.deploy(2).run(30 * time.Minute)
	d := w.deployment(2)
	if d.Status != state.Primary || d.State != types.DeploymentRolloutStateFailed || w.count(2) != 0 || w.count(1) != 2 {
		t.Errorf("%s %s, %d new and %d old tasks", d.Status, d.State, w.count(2), w.count(1))
	}
	if h := w.history(2); h.Status != types.ServiceDeploymentStatusStopped || h.StoppedAt == nil {
		t.Errorf("service deployment %s", h.Status)
	}
}

func TestARollbackThatFailsStalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.service(1, breaker(true), percent(0, 100)).run(2 * time.Minute)
	w.behaviour[1] = behaviour{cannotPull: true}
	w.behaviour[2] = behaviour{cannotPull: true}
	w.deploy(2).run(2 * time.Hour)
	if d := w.deployment(1); d.Status != state.Primary || d.State != types.DeploymentRolloutStateFailed {
		t.Errorf("%s %s", d.Status, d.State)
	}
	if h := w.history(2); h.Status != types.ServiceDeploymentStatusRollbackFailed {
		t.Errorf("service deployment %s", h.Status)
	}
}

func TestTasksThatNeverRunAreStartedEverMoreSeldom(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.behaviour[1] = behaviour{cannotPull: true}
	var starts []time.Time
	w.seen = func(p Plan) {
		if len(p.Start) > 0 {
			starts = append(starts, w.now)
		}
	}
	w.service(1).run(6 * time.Hour)
	if n := len(starts); n < 10 || n > 25 {
		t.Errorf("%d starts in six hours", n)
	}
	last := starts[len(starts)-1].Sub(starts[len(starts)-2])
	if last < 27*time.Minute || last > 29*time.Minute {
		t.Errorf("the last wait was %s", last)
	}
	w.take()
	w.deploy(2).run(2 * time.Minute)
	if got := w.take(); len(got) == 0 || got[0] != "has started 1 tasks: (task t"+strconv.Itoa(w.tasks)+")." {
		t.Errorf("a new task definition starts at once: %q", got)
	}
}

func TestGracePeriodMasksFailingChecks(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		options []option
		reason  string
	}{
		"load balancer": {[]option{balanced}, "Task failed ELB health checks in (target-group " + groupARN + ")"},
		"container":     {[]option{checkedContainer}, "Task failed container health checks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(2)
			w.behaviour[1] = behaviour{unhealthy: true}
			w.service(1, append(tc.options, grace(300))...)
			w.run(5 * time.Minute)
			w.change(func(s *state.Service) { s.Doc.DesiredCount = 1 })
			if n := w.tasks; n != 1 {
				t.Errorf("%d tasks were started within the grace period", n)
			}
			w.run(6 * time.Minute)
			first, _ := w.db.Read().Task("t1")
			if first.StoppedReason != tc.reason || first.StopCode != types.TaskStopCodeServiceSchedulerInitiated {
				t.Errorf("stopped for %q %s, want %q", first.StoppedReason, first.StopCode, tc.reason)
			}
		})
	}
}

func TestUnhealthyTaskIsReplacedBeforeItIsStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.service(2, checkedContainer).run(2 * time.Minute)
	w.take()
	_ = w.db.Write(func(tx *state.Tx) error {
		changeTask(tx, "t1", func(task *state.Task) {
			task.TaskDefinition.Revision = 9 // whose tasks are unhealthy from now on
		})
		return nil
	})
	w.behaviour[9] = behaviour{unhealthy: true}
	w.run(2 * time.Minute)
	expect(t, w, "events", []string{
		"(task t1) failed container health checks.",
		"has started 1 tasks: (task t3). Amazon ECS replaced 1 tasks due to an unhealthy status.",
		"has stopped 1 running tasks: (task t1).",
		"has reached a steady state.",
	})
}

func TestOldTasksAreReplacedWithTheirOwnRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4)
	w.service(2).run(2 * time.Minute)
	w.behaviour[2] = behaviour{neverPasses: true}
	w.deploy(2, checkedContainer).run(2 * time.Minute)
	_ = w.db.Write(func(tx *state.Tx) error {
		changeTask(tx, "t1", func(task *state.Task) {
			task.Last, task.Desired, task.StopCode = state.Stopped, state.Stopped, types.TaskStopCodeEssentialContainerExited
		})
		return nil
	})
	w.run(2 * time.Minute)
	if diff := cmp.Diff([]int{2, 2}, []int{w.count(1), w.count(2)}); diff != "" {
		t.Errorf("tasks of old and new (-want +got):\n%s", diff)
	}
	if d := w.deployment(2); d.Failed != 0 {
		t.Errorf("the new deployment pays for the old one: %d", d.Failed)
	}
}

func TestDeploymentThatReplacesOneUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4)
	w.service(2).run(2 * time.Minute)
	w.take()
	w.deploy(2).run(20 * time.Second)
	w.deploy(3).run(4 * time.Minute)
	if diff := cmp.Diff([]int{0, 0, 2}, []int{w.count(1), w.count(2), w.count(3)}); diff != "" || !w.steady() {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
}
