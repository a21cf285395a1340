package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// request does to a service deployment what StopServiceDeployment does.
func (w *world) request(id int, status types.ServiceDeploymentStatus) {
	h := w.history(id)
	h.Status = status
	w.put(&state.ServiceDeployment{ARN: *h.ServiceDeploymentArn, Service: w.key, Doc: h})
}

const stoppedByUser = "(deployment ecs-svc/2) deployment failed: Service deployment rolled back because it was stopped by a user."

func TestStopWithRollbackGoesBackToTheCompletedDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(2)
	w.run(2 * time.Minute)
	w.take()
	w.behaviour[2] = behaviour{crashAfter: time.Hour}
	w.deploy(2).run(20 * time.Second)
	if got := w.history(2).Status; got != types.ServiceDeploymentStatusInProgress {
		t.Fatalf("service deployment %s", got)
	}
	w.request(2, types.ServiceDeploymentStatusRollbackRequested)
	w.run(tick)
	if h := w.history(2); h.Status != types.ServiceDeploymentStatusRollbackInProgress || aws.ToString(h.Rollback.ServiceRevisionArn) != "revision/1" {
		t.Errorf("service deployment %s, rollback %+v", h.Status, h.Rollback)
	}
	w.run(3 * time.Minute)
	expect(t, w, "events", []string{
		"has started 2 tasks: (task t3) (task t4).",
		stoppedByUser,
		"rolling back to deployment ecs-svc/1.",
		"has stopped 2 running tasks: (task t3) (task t4).",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	})
	h := w.history(2)
	if want := "Service deployment rolled back because it was stopped by a user."; h.Status != types.ServiceDeploymentStatusRollbackSuccessful ||
		aws.ToString(h.StatusReason) != want || h.FinishedAt == nil {
		t.Errorf("service deployment %s %q", h.Status, aws.ToString(h.StatusReason))
	}
	if got := w.history(1).Status; got != types.ServiceDeploymentStatusSuccessful {
		t.Errorf("the history of the deployment that was gone back to is %s", got)
	}
}

func TestStopWithRollbackHasNothingToGoBackToInAFirstDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(2)
	w.run(20 * time.Second)
	w.request(1, types.ServiceDeploymentStatusRollbackRequested)
	w.run(time.Minute)
	h, d := w.history(1), w.deployment(1)
	if h.Status != types.ServiceDeploymentStatusRollbackFailed || aws.ToString(h.StatusReason) != statusNoCandidate {
		t.Errorf("service deployment %s %q", h.Status, aws.ToString(h.StatusReason))
	}
	if d.Status != state.Primary || d.State != types.DeploymentRolloutStateFailed {
		t.Errorf("deployment %s %s", d.Status, d.State)
	}
}

func TestAbortLeavesEverythingWhereItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4).service(4, percent(50, 100))
	w.run(2 * time.Minute)
	w.take()
	w.deploy(2).run(40 * time.Second)
	w.request(2, types.ServiceDeploymentStatusStopRequested)
	w.run(10 * time.Minute)
	expect(t, w, "events", []string{
		"has stopped 2 running tasks: (task t1) (task t2).",
		"has started 2 tasks: (task t5) (task t6).",
		"(deployment ecs-svc/2) deployment failed: Service deployment stopped because it was stopped by a user.",
	})
	h := w.history(2)
	if want := "Service deployment stopped because it was stopped by a user."; h.Status != types.ServiceDeploymentStatusStopped ||
		aws.ToString(h.StatusReason) != want || h.StoppedAt == nil {
		t.Errorf("service deployment %s %q", h.Status, aws.ToString(h.StatusReason))
	}
	if d := w.deployment(2); d.Status != state.Primary || d.State != types.DeploymentRolloutStateFailed {
		t.Errorf("deployment %s %s", d.Status, d.State)
	}
	if a, b := w.count(1), w.count(2); a != 2 || b != 2 {
		t.Errorf("%d old and %d new tasks", a, b)
	}
}
