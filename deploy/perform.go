package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// tries is how often one step is tried while the target does not answer. Between the tries the rollout looks again, so
// that a step whose answer was lost is not done twice.
const tries = 5

// perform does one step that changes something, with the progress kept before and after it.
func (r *run) perform(ctx context.Context, step rollout.Step) error {
	if len(step.Content) == 0 && (step.Kind == rollout.Register || step.Kind == rollout.Create) {
		return fault.New(fault.Invalid, "cannot %s: the version has no %s", step, step.Document.Words()).
			WithHint("name one under descriptors in slipway.yaml, and publish again")
	}
	if err := r.preflight(ctx, step); err != nil {
		return err
	}
	if err := r.save(); err != nil {
		return err
	}
	plan := planned(step)
	r.emit(Event{Type: StepBegun, Text: step.String(), Step: &plan, Reasons: step.Reasons})
	receipt, err := r.target.Perform(ctx, step)
	if err != nil {
		return r.fell(ctx, step, err)
	}
	r.acted, r.stumbles, r.actedAt = true, 0, time.Now()
	r.want = rollout.After(r.want, step, receipt)
	r.emit(Event{
		Type: StepDone, Text: came(step, receipt), Step: &plan, Revision: receipt.Revision, Deployment: receipt.Deployment,
	})
	return r.save()
}

// fell decides what the error of a step means. A rollback that cannot be performed is an end of its own, not an error.
func (r *run) fell(ctx context.Context, step rollout.Step, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if fault.KindOf(err) == fault.Throttled || fault.KindOf(err) == fault.Unavailable && r.stumbles < tries {
		return r.stumble(ctx, err)
	}
	if step.Kind == rollout.Rollback {
		p := &r.want.Progress
		p.Undoing, p.UndoReasons = rollout.UndoFailed, []rollout.Reason{rollout.Reason(err.Error())}
		return r.save()
	}
	return err
}

func came(step rollout.Step, receipt rollout.Receipt) string {
	switch {
	case receipt.Revision != "":
		return fmt.Sprintf("registered %s", receipt.Revision)
	case receipt.Deployment != "":
		return fmt.Sprintf("deployment %s", receipt.Deployment)
	}
	return step.String()
}

func planned(step rollout.Step) PlannedStep {
	return PlannedStep{Kind: step.Kind, Text: step.String(), Reasons: step.Reasons}
}
