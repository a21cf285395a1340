package deploy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// Planned is what a rollout would do, as it was at one moment.
type Planned struct {
	Schema  int                  `json:"schema"`
	Time    time.Time            `json:"time"`
	Cluster rollout.ClusterName  `json:"cluster"`
	Service rollout.ServiceName  `json:"service"`
	Version string               `json:"version,omitempty"`
	Steps   []PlannedStep        `json:"steps"` // none: there is nothing to change
	Reasons []rollout.Reason     `json:"reasons"`
	Changes []rollout.Difference `json:"changes"` // of what runs; empty for a service that doesn't exist yet
	Outlook rollout.Outlook      `json:"outlook"`
	From    Basis                `json:"from"`

	Seen rollout.Observed `json:"-"`
}

// Basis is what a plan was made for: what ran then.
type Basis struct {
	Status     rollout.ServiceStatus `json:"status"`
	Deployment rollout.DeploymentID  `json:"deployment,omitempty"`
	Revision   rollout.RevisionID    `json:"revision,omitempty"`
	Version    string                `json:"version,omitempty"`
}

// Plan returns what Rollout would do now, and touches nothing.
func Plan(ctx context.Context, target Target, want rollout.Desired, policy rollout.Policy) (Planned, error) {
	want.Ref.Depth = rollout.Past
	seen, err := observe(ctx, target, want.Ref)
	if err != nil {
		return Planned{}, err
	}
	steps, _, reasons := rollout.Next(want, seen, policy, time.Now())
	p := Planned{
		Schema: Schema, Time: time.Now(), Cluster: want.Ref.Cluster, Service: want.Ref.Service, Version: want.Version, Steps: []PlannedStep{},
		Reasons: reasons, Changes: rollout.Changes(seen), Outlook: rollout.Foreseen(steps, seen), From: Basis{Status: seen.Status}, Seen: seen,
	}
	for _, step := range steps {
		p.Steps = append(p.Steps, planned(step))
	}
	if primary := seen.Primary(); primary != nil {
		p.From.Deployment, p.From.Revision, p.From.Version = primary.ID, primary.Revision, primary.Version
	}
	return p, nil
}

// Alters reports whether the plan changes anything: following or checking what runs already does not.
func (p Planned) Alters() bool {
	return slices.ContainsFunc(p.Steps, func(s PlannedStep) bool { return s.Kind.Changes() })
}

// Holds says whether what a saved plan was made for is still so, and what it would do is still the same: an error of the kind
// fault.Refused tells what has changed.
func (p Planned) Holds(now Planned) error {
	var what string
	switch {
	case p.From.Status != now.From.Status:
		what = fmt.Sprintf("the service was %s, and is %s", p.From.Status, now.From.Status)
	case p.From.Deployment != now.From.Deployment:
		what = fmt.Sprintf("deployment %s has taken the place of %s", now.From.Deployment, p.From.Deployment)
	case !slices.Equal(p.Changes, now.Changes):
		what = "what would change is not the same any more"
	case !slices.EqualFunc(p.Steps, now.Steps, func(a, b PlannedStep) bool { return a.Kind == b.Kind && a.Text == b.Text }):
		what = "the steps would not be the same any more"
	default:
		return nil
	}
	return fault.New(fault.Refused, "the plan of %s for service %q does not hold any more: %s", p.Time.UTC().Format(time.RFC3339), p.Service, what).
		WithHint("make a new plan: `slipway plan --out FILE`")
}
