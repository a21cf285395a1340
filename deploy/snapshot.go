package deploy

import (
	"fmt"
	"strings"

	"github.com/slipway-cd/slipway/rollout"
)

// String tells on one line what runs.
func (s Snapshot) String() string {
	parts := s.tasks()
	healthy, all := 0, 0
	for _, t := range s.Targets {
		if t.State == rollout.TargetDraining {
			continue
		}
		all++
		if t.State == rollout.TargetHealthy {
			healthy++
		}
	}
	if all > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d targets healthy", healthy, all))
	}
	return strings.Join(parts, ", ")
}

// tasks calls new what the primary deployment runs once this rollout follows one; in a rollback that is what is being
// restored.
func (s Snapshot) tasks() []string {
	var parts []string
	others := 0
	for _, d := range s.Deployments {
		if !d.Primary {
			others += d.Running + d.Pending
			continue
		}
		parts = append(parts, fmt.Sprintf("%d of %d %stasks running", d.Running, d.Desired, s.kind()))
		if d.Pending > 0 {
			parts = append(parts, fmt.Sprintf("%d pending", d.Pending))
		}
		if d.Failed > 0 {
			parts = append(parts, fmt.Sprintf("%d failed", d.Failed))
		}
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("%d old left", others))
	}
	return parts
}

// kind is what the tasks of the primary deployment are, with a space; nothing while no deployment is followed.
func (s Snapshot) kind() string {
	switch {
	case s.Undoing:
		return "restored "
	case s.Ours == "":
		return ""
	}
	return "new "
}
