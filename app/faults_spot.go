package app

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// interrupted is why tasks stop whose spare capacity is taken back. [Amazon ECS Developer Guide, "Amazon ECS clusters for Fargate",
// Fargate Spot termination notices]
const interrupted = "Your Spot Task was interrupted."

// interrupt has a task on FARGATE_SPOT, or those of a service, be interrupted. It returns their ids.
func (e *Engine) interrupt(f faults.Fault) ([]string, error) {
	var ids []string
	err := e.engine.DB().Write(func(tx *state.Tx) error {
		every := f
		every.Tasks = 0
		tasks, err := tasksOf(tx.Snapshot, every)
		if err != nil {
			return err
		}
		tasks = slices.DeleteFunc(tasks, func(t *state.Task) bool {
			return t.Provider != schedule.FargateSpot || t.Desired != state.Running
		})
		if len(tasks) == 0 {
			return fault.New(fault.NotFound, "no task of %q runs on FARGATE_SPOT", f.Target).
				WithHint("start it with the capacity provider strategy FARGATE_SPOT")
		}
		if f.Tasks > 0 && len(tasks) > f.Tasks {
			tasks = tasks[:f.Tasks]
		}
		for _, t := range tasks {
			if _, err := e.engine.StopTask(tx, t.ID, types.TaskStopCodeSpotInterruption, interrupted); err != nil {
				return err
			}
			ids = append(ids, string(t.ID))
		}
		return nil
	})
	return ids, err
}
