package deploy

import (
	"context"
	"fmt"

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

// preflight has the version verified before the first step that brings it nearer. What undoes a rollout waits for nothing.
func (r *run) preflight(ctx context.Context, step rollout.Step) error {
	nearer := step.Kind == rollout.Register || step.Kind == rollout.Create || step.Kind == rollout.Update
	if r.opts.Verify == nil || r.verified || !nearer {
		return nil
	}
	found, err := r.opts.Verify(ctx)
	if err != nil {
		return err
	}
	r.verified = true
	for _, f := range found.Findings {
		r.emit(Event{Type: Found, Text: f.String(), Finding: &f})
	}
	return refusal(found)
}

// refusal is why a rollout does not begin: of the kind Invalid when a descriptor asks for what there is not, so that it is there
// that something can be corrected, else NotFound.
func refusal(found Verification) error {
	if found.Problems == 0 {
		return nil
	}
	kind := fault.NotFound
	for _, f := range rollout.Problems(found.Findings) {
		if f.Document != "" || f.Position != nil {
			kind = fault.Invalid
		}
	}
	counted := "1 problem"
	if found.Problems > 1 {
		counted = fmt.Sprintf("%d problems", found.Problems)
	}
	return fault.New(kind, "%s of service %q would fail: %s", found.Version, found.Service, counted).
		WithHint("nothing was touched; --no-verify begins all the same")
}
