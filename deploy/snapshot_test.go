package deploy

import (
	"testing"

	"github.com/slipway-cd/slipway/rollout"
)

func TestWhatRunsIsCalledNewOnlyOnceSomethingNewIsFollowed(t *testing.T) {
	t.Parallel()
	primary := rollout.Deployment{ID: "D1", Primary: true, Desired: 2, Running: 1, Pending: 1, Failed: 3}
	old := rollout.Deployment{ID: "D0", Running: 2}
	targets := []rollout.TargetHealth{{State: rollout.TargetHealthy}, {State: rollout.TargetInitial}, {State: rollout.TargetDraining}}
	for want, s := range map[string]Snapshot{
		"": {},
		"1 of 2 tasks running, 1 pending, 3 failed":                      {Deployments: []rollout.Deployment{primary}},
		"1 of 2 new tasks running, 1 pending, 3 failed, 2 old left":      {Deployments: []rollout.Deployment{primary, old}, Ours: "D1"},
		"1 of 2 restored tasks running, 1 pending, 3 failed, 2 old left": {Deployments: []rollout.Deployment{primary, old}, Ours: "D0", Undoing: true},
		"1 of 2 targets healthy":                                         {Targets: targets, Ours: "D1"},
	} {
		if got := s.String(); got != want {
			t.Errorf("told is %q, want %q", got, want)
		}
	}
}
