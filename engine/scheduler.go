package engine

import (
	"math/rand/v2"
	"slices"
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

// ask says for what a stand-alone task seeks a place.
func ask(d *state.TaskDefinition, in *ecs.RunTaskInput) schedule.Ask {
	return schedule.Ask{
		Definition: d, Overrides: in.Overrides, Fargate: onFargate(in), Group: groupOf(d, in),
		Constraints: in.PlacementConstraints, Strategies: in.PlacementStrategy,
		Seed: rand.Uint64(), //nolint:gosec // spreads tasks, keeps no secret
	}
}

func onFargate(in *ecs.RunTaskInput) bool {
	return in.LaunchType == types.LaunchTypeFargate ||
		slices.ContainsFunc(in.CapacityProviderStrategy, func(i types.CapacityProviderStrategyItem) bool {
			name := aws.ToString(i.CapacityProvider)
			return name == "FARGATE" || name == "FARGATE_SPOT"
		})
}

func groupOf(d *state.TaskDefinition, in *ecs.RunTaskInput) string {
	if group := aws.ToString(in.Group); group != "" {
		return group
	}
	return "family:" + d.Family
}
