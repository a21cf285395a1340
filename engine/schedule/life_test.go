package schedule

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// behaviour is how the tasks of one task definition revision live.
type behaviour struct {
	cannotPull  bool
	lingers     bool          // one that cannot pull is not STOPPED at once: it has to be cleaned up
	crashAfter  time.Duration // after it became RUNNING; 0: never
	unhealthy   bool          // its target, or its container, is found unhealthy
	checkTakes  time.Duration // until a check has an opinion
	neverPasses bool          // no check ever has an opinion
}

// live moves every task and every target one step further.
func (w *world) live() {
	snap := w.db.Read()
	_ = w.db.Write(func(tx *state.Tx) error {
		for target := range snap.AllTargets() {
			w.liveTarget(tx, target)
		}
		for t := range snap.AllTasks() {
			if t.Alive() {
				changeTask(tx, t.ID, func(c *state.Task) { w.liveTask(tx, c) })
			}
		}
		return nil
	})
}

func (w *world) liveTarget(tx *state.Tx, target *state.Target) {
	if !target.Draining.IsZero() {
		if !w.now.Before(target.Draining.Add(w.drain)) {
			tx.Delete(target)
		}
		return
	}
	t, _ := tx.Task(target.Task)
	b := w.behaviour[t.TaskDefinition.Revision]
	if b.neverPasses || w.now.Before(target.Registered.Add(b.checkTakes)) {
		return
	}
	c := *target
	c.Health, c.Description = v2.TargetHealthStateEnumHealthy, ""
	if b.unhealthy {
		c.Health, c.Description = v2.TargetHealthStateEnumUnhealthy, "Health checks failed with these codes: [503]"
	}
	tx.Put(&c)
}

func (w *world) liveTask(tx *state.Tx, t *state.Task) {
	b := w.behaviour[t.TaskDefinition.Revision]
	next := map[state.TaskStatus]state.TaskStatus{
		state.Provisioning: state.Pending, state.Pending: state.Activating, state.Activating: state.Running,
		state.Running: state.Deactivating, state.Deactivating: state.Stopping, state.Stopping: state.Stopped,
	}
	switch {
	case t.Desired == state.Stopped:
		for range tx.TargetsOfTask(t.ID) {
			t.Last = state.Deactivating
			return
		}
		t.Last = next[t.Last]
		if t.Last.Before(state.Deactivating) {
			t.Last = state.Deactivating
		}
	case t.Last == state.Activating && b.cannotPull:
		t.Desired, t.StopCode = state.Stopped, types.TaskStopCodeTaskFailedToStart
		t.StoppedReason = "CannotPullContainerError: not found"
		if !b.lingers {
			t.Last = state.Stopped
		}
	case t.Last.Before(state.Running):
		if t.Last = next[t.Last]; t.Last == state.Running {
			t.StartedAt = w.now
		}
	case b.crashAfter > 0 && !w.now.Before(t.StartedAt.Add(b.crashAfter)):
		t.Last, t.Desired, t.StopCode = state.Stopped, state.Stopped, types.TaskStopCodeEssentialContainerExited
		t.StoppedReason = "Essential container in task exited"
	default:
		w.checkContainers(t, b)
	}
}

func (w *world) checkContainers(t *state.Task, b behaviour) {
	if b.neverPasses || w.now.Before(t.StartedAt.Add(b.checkTakes)) {
		return
	}
	t.Health = types.HealthStatusHealthy
	if b.unhealthy {
		t.Health = types.HealthStatusUnhealthy
	}
	t.Containers = slices.Clone(t.Containers)
	t.Containers[0].Health = t.Health
}
