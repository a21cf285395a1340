package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

func rebalancing(s *types.Service, _ *types.TaskDefinition) {
	s.AvailabilityZoneRebalancing = types.AvailabilityZoneRebalancingEnabled
}

// lopsided is a steady service whose tasks are all in one zone, because there was no other one, until now.
func lopsided(t *testing.T, desired int, options ...option) *world {
	w := newWorld(t).instances(1).service(desired, options...)
	w.run(3 * time.Minute)
	w.take()
	w.instances(2)
	return w
}

func TestTasksAreMovedToAZoneThatHasFewer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		options []option
		want    []string
	}{
		"others are started first": {
			[]option{rebalancing},
			[]string{
				"is not AZ balanced with 4 tasks in us-east-1a, and 0 in us-east-1b. AZ Rebalancing in progress.",
				"has started 2 tasks in us-east-1b to AZ Rebalance: (task t5) (task t6).",
				"has stopped 2 running tasks in us-east-1a due to AZ rebalancing: (task t4) (task t3).",
				"has reached a steady state.",
				"is AZ balanced with 2 tasks in us-east-1a, and 2 tasks in us-east-1b.",
			},
		},
		"one by one where there is room for one more": {
			[]option{rebalancing, percent(100, 125)},
			[]string{
				"is not AZ balanced with 4 tasks in us-east-1a, and 0 in us-east-1b. AZ Rebalancing in progress.",
				"has started 1 tasks in us-east-1b to AZ Rebalance: (task t5).",
				"has stopped 1 running tasks in us-east-1a due to AZ rebalancing: (task t4).",
				"has reached a steady state.",
				"is not AZ balanced with 3 tasks in us-east-1a, and 1 in us-east-1b. AZ Rebalancing in progress.",
				"has started 1 tasks in us-east-1b to AZ Rebalance: (task t6).",
				"has stopped 1 running tasks in us-east-1a due to AZ rebalancing: (task t3).",
				"has reached a steady state.",
				"is AZ balanced with 2 tasks in us-east-1a, and 2 tasks in us-east-1b.",
			},
		},
		"not unless it is asked for": {nil, nil},
		"not with a maximum of 100":  {[]option{rebalancing, percent(50, 100)}, nil},
		"not behind a classic load balancer": {
			[]option{rebalancing, classic}, nil,
		},
		"not when zones come second": {[]option{rebalancing, func(s *types.Service, _ *types.TaskDefinition) {
			s.PlacementStrategy = []types.PlacementStrategy{{Type: types.PlacementStrategyTypeRandom}}
		}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := lopsided(t, 4, tc.options...)
			w.run(10 * time.Minute)
			if diff := cmp.Diff(tc.want, w.take()); diff != "" {
				t.Error(diff)
			}
			if !w.steady() {
				t.Error("it is not steady")
			}
		})
	}
}

func TestAZoneWithoutRoomIsToldOnceAndTriedAgain(t *testing.T) {
	t.Parallel()
	w := lopsided(t, 2, rebalancing)
	room := func(memory int) {
		w.changed("2", func(i *state.Instance) { i.Memory = memory })
	}
	room(1)
	w.run(20 * time.Minute)
	want := []string{
		"is not AZ balanced with 2 tasks in us-east-1a, and 0 in us-east-1b. AZ Rebalancing in progress.",
		"is unable to place a task in us-east-1b because no container instance met all of its requirements.",
	}
	if diff := cmp.Diff(want, w.take()); diff != "" {
		t.Error(diff)
	}
	room(4096)
	w.run(20 * time.Minute)
	if a, b := w.on("1"), w.on("2"); a != 1 || b != 1 {
		t.Errorf("%d and %d tasks", a, b)
	}
}

func TestAnUpdateInTheMiddleOfRebalancingGoesFirst(t *testing.T) {
	t.Parallel()
	w := lopsided(t, 4, rebalancing)
	w.run(20 * time.Second)
	w.deploy(2, rebalancing)
	w.run(10 * time.Minute)
	if w.count(1) != 0 || w.count(2) != 4 || !w.steady() {
		t.Errorf("%d old, %d new tasks, steady: %v", w.count(1), w.count(2), w.steady())
	}
}

func TestZonesLackWhatWouldMakeThemEven(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		tasks []int
		want  map[string]int
	}{
		{[]int{2, 2}, map[string]int{}},
		{[]int{3, 2}, map[string]int{}},
		{[]int{4, 1}, map[string]int{"b": 1}},
		{[]int{3, 1, 1}, map[string]int{"b": 1}},
		{[]int{3, 3, 0}, map[string]int{"c": 2}},
		{[]int{0, 0, 7}, map[string]int{"a": 2, "b": 2}},
	} {
		var zones zoneCounts
		for i, n := range tc.tasks {
			zones = append(zones, zoneCount{string(rune('a' + i)), n})
		}
		if diff := cmp.Diff(tc.want, zones.lacking()); diff != "" {
			t.Errorf("%v: %s", tc.tasks, diff)
		}
	}
}
