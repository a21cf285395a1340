// Package deploy carries out a rollout on a scheduler, one step at a time, and reports each.
package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Target is a scheduler that runs services: Amazon ECS and whatever speaks its API, or Nomad.
type Target interface {
	// Observe looks at services and changes nothing. It answers in the order of refs, one for one.
	Observe(ctx context.Context, refs []rollout.ServiceRef) ([]rollout.Observed, error)
	// Perform does one step that changes something. Doing it twice does no more than doing it once.
	Perform(ctx context.Context, step rollout.Step) (rollout.Receipt, error)
	// Evidence gathers what tells why tasks failed: messages, stopped tasks, exit codes, target health, last log lines.
	// Only what happened since is of interest.
	Evidence(ctx context.Context, ref rollout.ServiceRef, since time.Time) ([]rollout.Evidence, error)
}
