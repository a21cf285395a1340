package deploy

import (
	"context"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// Verifier is a target that finds out before a rollout begins what would make it fail.
type Verifier interface {
	// Verify looks at everything that the documents ask for, and touches nothing. What cannot be looked at is a finding, too.
	Verify(ctx context.Context, want rollout.Desired) []rollout.Finding
}

// Verification is what was found out about a version before its rollout.
type Verification struct {
	Schema   int                 `json:"schema"`
	Cluster  rollout.ClusterName `json:"cluster"`
	Service  rollout.ServiceName `json:"service"`
	Version  string              `json:"version,omitempty"`
	Problems int                 `json:"problems"` // how many of the findings are problems; 0: it may begin
	Findings []rollout.Finding   `json:"findings"` // problems first
}

// Verify finds out what would make a rollout fail, and touches nothing.
func Verify(ctx context.Context, target Target, want rollout.Desired) (Verification, error) {
	verifier, err := capability[Verifier](target, "verify a version")
	if err != nil {
		return Verification{}, err
	}
	found := rollout.Sorted(append([]rollout.Finding{}, verifier.Verify(ctx, want)...))
	if ctx.Err() != nil {
		return Verification{}, fault.New(fault.Interrupted, "cannot verify service %q: %w", want.Ref.Service, ctx.Err())
	}
	return Verification{
		Schema: Schema, Cluster: want.Ref.Cluster, Service: want.Ref.Service, Version: want.Version,
		Problems: len(rollout.Problems(found)), Findings: found,
	}, nil
}
