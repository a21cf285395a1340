package schedule

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

func early(percent int32, cleanup types.ServiceRevisionCleanup) option {
	return func(s *types.Service, _ *types.TaskDefinition) {
		s.DeploymentConfiguration.EarlySuccessCriteria = &types.DeploymentEarlySuccessCriteria{
			Enable: true, HealthyPercent: aws.Int32(percent), SourceServiceRevisionCleanup: cleanup,
		}
	}
}

// recover has the containers of these tasks pass their checks.
func (w *world) recover(ids ...state.TaskID) {
	_ = w.db.Write(func(tx *state.Tx) error {
		for _, id := range ids {
			changeTask(tx, id, func(t *state.Task) {
				t.Containers = slices.Clone(t.Containers)
				t.Containers[0].Health = types.HealthStatusHealthy
			})
		}
		return nil
	})
}

func TestEarlySuccessDoesNotWaitForEveryTask(t *testing.T) {
	t.Parallel()
	for cleanup, want := range map[types.ServiceRevisionCleanup]struct{ half, whole []string }{
		types.ServiceRevisionCleanupBlocking: {[]string{
			"has started 4 tasks: (task t5) (task t6) (task t7) (task t8).",
			"has stopped 4 running tasks: (task t1) (task t2) (task t3) (task t4).",
			"(deployment ecs-svc/2) deployment completed.",
		}, []string{
			"has reached a steady state.",
		}},
		types.ServiceRevisionCleanupDeferred: {[]string{
			"has started 4 tasks: (task t5) (task t6) (task t7) (task t8).",
			"has stopped 2 running tasks: (task t1) (task t2).",
			"(deployment ecs-svc/2) deployment completed.",
		}, []string{
			"has stopped 2 running tasks: (task t3) (task t4).",
			"has reached a steady state.",
		}},
	} {
		t.Run(string(cleanup), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(4).service(4, percent(50, 200), early(50, cleanup), checkedContainer)
			w.run(5 * time.Minute)
			w.take()
			w.behaviour[2] = behaviour{neverPasses: true}
			w.deploy(2, checkedContainer).run(2 * time.Minute)
			w.recover("t5", "t6")
			w.run(2 * time.Minute)
			expect(t, w, "half of the new tasks are healthy", want.half)
			if h := w.history(2); h.Status != types.ServiceDeploymentStatusSuccessful || w.steady() {
				t.Errorf("service deployment %s, steady %t", h.Status, w.steady())
			}
			w.recover("t7", "t8")
			w.run(2 * time.Minute)
			expect(t, w, "all of them are", want.whole)
		})
	}
}

func TestEarlySuccessIsNoSuccessBelowItsPercentage(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4).service(4, early(100, types.ServiceRevisionCleanupDeferred))
	w.run(5 * time.Minute)
	w.behaviour[2] = behaviour{crashAfter: 20 * time.Second}
	w.deploy(2).run(10 * time.Minute)
	if h := w.history(2); h.Status != types.ServiceDeploymentStatusInProgress {
		t.Errorf("service deployment %s", h.Status)
	}
}
