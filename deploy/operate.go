package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// BoundsReader is a target that knows whether something else sets the number of a service's tasks.
type BoundsReader interface {
	// Bounds returns between which numbers autoscaling keeps a service's tasks; nil when nothing does.
	Bounds(ctx context.Context, ref rollout.ServiceRef) (*rollout.Bounds, error)
}

// Scale changes how many tasks a service has, and follows it until they run and are healthy. A number that autoscaling
// would change at once is refused.
func Scale(ctx context.Context, target Target, ref rollout.ServiceRef, count int, policy rollout.Policy, opts Options) (Result, error) {
	if err := present(ctx, target, ref, "scale"); err != nil {
		return Result{}, err
	}
	if reader, ok := target.(BoundsReader); ok {
		b, err := reader.Bounds(ctx, ref)
		if err != nil {
			return Result{}, err
		}
		if b != nil && !b.Allow(count) {
			return Result{}, fault.New(fault.Refused, "cannot scale service %q to %d: autoscaling keeps it between %d and %d tasks", ref.Service, count, b.Least, b.Most).
				WithHint("choose a number between them, or change the scalable target")
		}
	}
	update, err := json.Marshal(map[string]any{"cluster": ref.Cluster, "service": ref.Service, "desiredCount": count})
	if err != nil {
		return Result{}, fault.New(fault.Internal, "cannot write the update of service %q: %w", ref.Service, err)
	}
	ref.Wanted = rollout.Documents{descriptor.ServiceUpdate: update}
	policy.Rollback = false
	return Rollout(ctx, target, rollout.Desired{Ref: ref}, policy, opts)
}

// Restart replaces a service's tasks with new ones of the same revision, and follows that until it is proven.
func Restart(ctx context.Context, target Target, ref rollout.ServiceRef, policy rollout.Policy, opts Options) (Result, error) {
	if err := present(ctx, target, ref, "restart"); err != nil {
		return Result{}, err
	}
	ref.Wanted = nil
	return Rollout(ctx, target, rollout.Desired{Ref: ref, Force: true}, policy, opts)
}

// Delete takes a service away with all its tasks, and follows it until they are gone. Its task definitions stay.
func Delete(ctx context.Context, target Target, ref rollout.ServiceRef, policy rollout.Policy, opts Options) (Result, error) {
	ref.Wanted, ref.Depth = nil, rollout.Glance
	r := newRun(target, rollout.Desired{Ref: ref}, policy, opts)
	seen, err := observe(ctx, target, ref)
	if err != nil {
		return Result{}, err
	}
	if r.seen = seen; seen.Status == rollout.Missing {
		return Result{}, absent(ref, "delete")
	}
	steps := []rollout.Step{{Kind: rollout.Delete, Ref: ref}, {Kind: rollout.Vacate, Ref: ref}}
	if seen.Status == rollout.Draining {
		steps = steps[1:]
	}
	r.start(steps, []rollout.Reason{"it is to be deleted"})
	if seen.Status == rollout.Active {
		if err := r.perform(ctx, steps[0]); err != nil {
			return Result{}, err
		}
	}
	return r.vacate(ctx)
}

// vacate looks until the service is gone.
func (r *run) vacate(ctx context.Context) (Result, error) {
	for ctx.Err() == nil {
		seen, err := observe(ctx, r.target, r.want.Ref)
		switch {
		case ctx.Err() != nil:
		case err != nil && !fault.MayPass(err):
			return Result{}, err
		case err != nil:
			r.emit(Event{Type: Trouble, Text: err.Error() + "; trying again"})
		case seen.Status == rollout.Missing:
			r.seen = seen
			return r.end(Deleted), nil
		case time.Since(r.begun) >= r.policy.Timeout:
			r.want.Progress.Reasons = []rollout.Reason{rollout.Reason(fmt.Sprintf("its tasks are not gone after %s", r.policy.Timeout))}
			return r.end(TimedOut), nil
		}
		r.sleep(ctx, max(r.opts.Pace.Quick, min(time.Since(r.begun)/growth, alert)))
	}
	r.lastLook(ctx)
	return r.end(Interrupted), nil
}

// present says when there is no service to do something with.
func present(ctx context.Context, target Target, ref rollout.ServiceRef, doing string) error {
	ref.Wanted, ref.Depth = nil, rollout.Glance
	seen, err := observe(ctx, target, ref)
	if err == nil && seen.Status != rollout.Active {
		return absent(ref, doing)
	}
	return err
}

func absent(ref rollout.ServiceRef, doing string) error {
	return fault.New(fault.NotFound, "cannot %s service %q: there is no such service in cluster %q", doing, ref.Service, ref.Cluster).
		WithHint("check --cluster, --service and --region")
}
