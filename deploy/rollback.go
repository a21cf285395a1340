package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// RollBack brings a service back to the last proven revision that differs from what runs, or to the one given. The
// outcome is Proven when that serves.
func RollBack(ctx context.Context, target Target, ref rollout.ServiceRef, to *rollout.Proof, policy rollout.Policy, opts Options) (Result, error) {
	ref.Wanted, ref.Depth = nil, rollout.Past|rollout.Records
	seen, err := observe(ctx, target, ref)
	if err != nil {
		return Result{}, err
	}
	primary := seen.Primary()
	if seen.Status != rollout.Active || primary == nil {
		return Result{}, fault.New(fault.NotFound, "cannot roll service %q back: there is no such service in cluster %q", ref.Service, ref.Cluster).
			WithHint("check --cluster, --service and --region")
	}
	if to == nil {
		if to = earlier(seen, *primary); to == nil {
			return Result{}, fault.New(fault.NotFound, "cannot roll service %q back: nothing before %s was ever proven", ref.Service, primary.Revision).
				WithHint("install a version that is known to work: `slipway install VERSION`")
		}
	}
	now := time.Now()
	policy.Rollback = true
	opts.From = rollout.Progress{
		Started: now, Looked: true, Before: seen.Raw, Base: []rollout.Proof{*to}, Deployment: primary.ID, Created: primary.Created,
		Verdict: rollout.Failed, Cause: rollout.AskedFor, Reasons: []rollout.Reason{"a rollback is asked for"}, Ended: now,
	}
	return Rollout(ctx, target, rollout.Desired{Ref: ref}, policy, opts)
}

// earlier returns the newest proven deployment that ran another revision than the one that runs.
func earlier(seen rollout.Observed, primary rollout.Deployment) *rollout.Proof {
	for _, p := range seen.Proven {
		if p.Deployment != primary.ID && p.Revision != primary.Revision {
			return &p
		}
	}
	return nil
}
