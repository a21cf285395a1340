package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/engine/state"
)

var ignoreSerde = cmpopts.IgnoreUnexported(types.ServiceRevisionSummary{}, types.ServiceDeploymentCircuitBreaker{})

func TestServiceDeploymentCountsOldAndNewTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4).service(2, breaker(true))
	w.run(2 * time.Minute)
	w.behaviour[2] = behaviour{neverPasses: true}
	w.deploy(2, checkedContainer).run(time.Minute)
	h := w.history(2)
	summary := func(arn string, requested, running int32) types.ServiceRevisionSummary {
		return types.ServiceRevisionSummary{Arn: aws.String(arn), RequestedTaskCount: requested, RunningTaskCount: running}
	}
	if diff := cmp.Diff([]types.ServiceRevisionSummary{summary("revision/1", 2, 2)}, h.SourceServiceRevisions, ignoreSerde); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(summary("revision/2", 2, 2), *h.TargetServiceRevision, ignoreSerde); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	want := types.ServiceDeploymentCircuitBreaker{Status: types.ServiceDeploymentRollbackMonitorsStatusMonitoring, Threshold: 3}
	if diff := cmp.Diff(want, *h.DeploymentCircuitBreaker, ignoreSerde); diff != "" {
		t.Errorf("breaker (-want +got):\n%s", diff)
	}
	if h.Status != types.ServiceDeploymentStatusInProgress || h.StartedAt == nil || h.UpdatedAt == nil || h.FinishedAt != nil {
		t.Errorf("%s, started %v, updated %v, finished %v", h.Status, h.StartedAt, h.UpdatedAt, h.FinishedAt)
	}
}

func TestServiceDeploymentOfADeletedServiceIsStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(1)
	w.behaviour[1] = behaviour{neverPasses: true}
	w.service(1, checkedContainer).run(time.Minute)
	w.change(func(s *state.Service) { s.Doc.Status, s.Doc.DesiredCount = aws.String(statusDraining), 0 })
	w.run(time.Minute)
	if h := w.history(1); h.Status != types.ServiceDeploymentStatusStopped || aws.ToString(h.StatusReason) != statusDeleted {
		t.Errorf("%s %q", h.Status, aws.ToString(h.StatusReason))
	}
	if plan := Service(w.db.Read(), web, w.now, w.pace); !plan.Empty() || !plan.Again.IsZero() {
		t.Errorf("a deleted service has something done: %+v", plan)
	}
}
