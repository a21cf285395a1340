package engine

import (
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// plan has the scheduler look at a service.
func (e *Engine) plan(snap state.Snapshot, key state.ServiceKey, now time.Time) schedule.Plan {
	return schedule.Service(snap, key, now, e.pace)
}

// ask says for what a stand-alone task seeks a place, at the capacity provider whose turn it is.
func ask(d *state.TaskDefinition, in *ecs.RunTaskInput, provider string) schedule.Ask {
	return schedule.Ask{
		Definition: d, Overrides: in.Overrides, Group: groupOf(d, in), Provider: provider,
		Fargate:     in.LaunchType == types.LaunchTypeFargate || schedule.OnFargate(provider),
		Constraints: in.PlacementConstraints, Strategies: in.PlacementStrategy,
		Seed: rand.Uint64(), //nolint:gosec // spreads tasks, keeps no secret
	}
}

func groupOf(d *state.TaskDefinition, in *ecs.RunTaskInput) string {
	if group := aws.ToString(in.Group); group != "" {
		return group
	}
	return "family:" + d.Family
}
