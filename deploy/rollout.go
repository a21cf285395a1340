package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Rollout brings a service to what is wanted, one step at a time, until that is proven, or has failed and was undone. An
// error means that it could not be carried out; everything else is an outcome, and Result says what is left running in
// both cases. When ctx ends, it looks once more and returns the outcome Interrupted.
func Rollout(ctx context.Context, target Target, want rollout.Desired, policy rollout.Policy, opts Options) (Result, error) {
	want.Progress = opts.From
	r := newRun(target, want, policy, opts)
	return r.run(ctx)
}

// run looks, asks what remains, and does the first step, until nothing remains.
func (r *run) run(ctx context.Context) (Result, error) {
	for ctx.Err() == nil {
		if err := r.look(ctx); err != nil {
			if ctx.Err() != nil {
				break
			}
			if err := r.stumble(ctx, err); err != nil {
				return r.end(""), err
			}
			continue
		}
		now := time.Now()
		steps, verdict, reasons := rollout.Next(r.want, r.seen, r.policy, now)
		r.want = rollout.Remember(r.want, r.seen, r.policy, now)
		r.tell(steps, verdict, reasons)
		if len(steps) == 0 && verdict != rollout.Moving {
			return r.end(r.outcome()), r.save()
		}
		if outcome := r.enough(); outcome != "" {
			return r.end(outcome), r.save()
		}
		if err := r.do(ctx, steps[0]); err != nil && ctx.Err() == nil {
			return r.end(""), err
		}
	}
	r.lastLook(ctx)
	return r.end(Interrupted), r.save()
}

// do performs a step that changes something, or waits as long as the step and the pace ask for.
func (r *run) do(ctx context.Context, step rollout.Step) error {
	if step.Kind.Changes() {
		return r.perform(ctx, step)
	}
	adopted := r.want.Progress.Deployment == ""
	r.want = rollout.After(r.want, step, rollout.Receipt{})
	if adopted && r.want.Progress.Deployment != "" && rollout.Settled(r.seen) {
		return nil // it has come to its end already: look at its tasks at once
	}
	if r.probing(step) && r.probe(ctx) {
		r.fresh = true // all have passed: see at once whether something remains
		return nil
	}
	r.pause(ctx, step)
	return nil
}

// enough returns what the rollout has come to when that is as far as it is to be followed; "" otherwise.
func (r *run) enough() Outcome {
	switch {
	case r.opts.Until != UntilServing && r.opts.Until != UntilPaused:
		return ""
	case rollout.Serving(r.want, r.seen):
		return Serving
	case r.opts.Until == UntilPaused && rollout.Paused(r.want, r.seen):
		return Paused
	}
	return ""
}

// outcome names what the rollout came to, now that nothing remains to be done.
func (r *run) outcome() Outcome {
	p := r.want.Progress
	switch p.Verdict {
	case rollout.Proven:
		if p.Deployment == "" || !r.acted && p.Deployment == p.Replaced && !p.Underway {
			return Unchanged
		}
		return Proven
	case rollout.TimedOut:
		return TimedOut
	case rollout.Stopped:
		return Superseded
	case rollout.Failed, rollout.Moving:
	}
	switch {
	case p.Undoing != rollout.Undone && p.Undoing != rollout.UndoneBy:
		return NotRolledBack
	case p.Cause == rollout.AskedFor:
		return Proven
	}
	return RolledBack
}

// lastLook finds out what is left after an interruption, though the context has ended.
func (r *run) lastLook(ctx context.Context) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	ref := r.want.Ref
	ref.Wanted, ref.Depth = nil, rollout.Tasks
	if seen, err := observe(ctx, r.target, ref); err == nil {
		r.seen = seen
	}
}

func observe(ctx context.Context, target Target, ref rollout.ServiceRef) (rollout.Observed, error) {
	seen, err := target.Observe(ctx, []rollout.ServiceRef{ref})
	if err != nil {
		return rollout.Observed{}, err
	}
	return seen[0], nil
}
