package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// Continue continues the deployment of a service that waits for a person. With follow it is followed until it is proven.
func Continue(ctx context.Context, target Target, ref rollout.ServiceRef, follow bool, policy rollout.Policy, opts Options) (Result, error) {
	seen, err := underway(ctx, target, ref, "continued")
	if err != nil {
		return Result{}, err
	}
	if seen.Shift == nil || len(seen.Shift.Pauses) == 0 {
		return Result{}, fault.New(fault.NotFound, "the deployment of service %q waits for nobody", ref.Service).
			WithHint("`slipway status` tells how far it has come")
	}
	r := newRun(target, rollout.Desired{Ref: seen.Ref, Progress: adopted(seen)}, policy, opts)
	r.seen = seen
	step := rollout.Step{Kind: rollout.Resume, Ref: seen.Ref, Deployment: seen.Primary().ID, Record: seen.Shift.Record, Pauses: seen.Shift.Pauses}
	r.stage = seen.Shift.String()
	r.start([]rollout.Step{step}, []rollout.Reason{"it waits for somebody"})
	if err := r.perform(ctx, step); err != nil {
		return Result{}, err
	}
	if !follow {
		return r.end(Continued), nil
	}
	return r.run(ctx)
}

// Stop ends the deployment of a service that is under way: what was proven before serves again. The outcome is Proven when
// it does.
func Stop(ctx context.Context, target Target, ref rollout.ServiceRef, policy rollout.Policy, opts Options) (Result, error) {
	seen, err := underway(ctx, target, ref, "stopped")
	if err != nil {
		return Result{}, err
	}
	if len(seen.Proven) == 0 {
		return Result{}, fault.New(fault.NotFound, "cannot stop the deployment of service %q: nothing before it was ever proven that could serve again", ref.Service).
			WithHint("--as-is stops it as it stands; `slipway delete` takes the service away")
	}
	return RollBack(ctx, target, ref, nil, policy, opts)
}

// Halt stops the deployment of a service that is under way as it stands: the scheduler starts nothing more for it, and
// undoes nothing.
func Halt(ctx context.Context, target Target, ref rollout.ServiceRef, opts Options) (Result, error) {
	seen, err := underway(ctx, target, ref, "stopped")
	if err != nil {
		return Result{}, err
	}
	r := newRun(target, rollout.Desired{Ref: seen.Ref, Progress: adopted(seen)}, rollout.Policy{}, opts)
	r.seen = seen
	step := rollout.Step{Kind: rollout.Halt, Ref: seen.Ref, Deployment: seen.Primary().ID, Record: seen.Record}
	r.start([]rollout.Step{step}, []rollout.Reason{"it is to be stopped as it stands"})
	if err := r.perform(ctx, step); err != nil {
		return Result{}, err
	}
	r.lastLook(ctx)
	return r.end(Halted), nil
}

// underway looks at a service that has a deployment under way; done is what cannot be done without one.
func underway(ctx context.Context, target Target, ref rollout.ServiceRef, done string) (rollout.Observed, error) {
	ref.Wanted, ref.Depth = nil, rollout.Past|rollout.Records
	seen, err := observe(ctx, target, ref)
	if err != nil {
		return seen, err
	}
	primary := seen.Primary()
	if seen.Status != rollout.Active || primary == nil {
		return seen, fault.New(fault.NotFound, "there is no service %q in cluster %q", ref.Service, ref.Cluster).
			WithHint("check --cluster, --service and --region")
	}
	if seen.Record == "" && primary.State != rollout.InProgress {
		return seen, fault.New(fault.NotFound, "service %q has no deployment under way that could be %s", ref.Service, done).
			WithHint("`slipway status` tells what runs")
	}
	return seen, nil
}

// adopted is the progress of a rollout that somebody else has begun.
func adopted(seen rollout.Observed) rollout.Progress {
	primary := seen.Primary()
	return rollout.Progress{
		Started: time.Now(), Looked: true, Before: seen.Raw, Base: seen.Proven, Deployment: primary.ID, Created: primary.Created,
		Underway: true, Verdict: rollout.Moving,
	}
}
