package lifecycle

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// bringUp looks at the containers that run, and starts those whose turn it is.
func (w *work) bringUp(ctx context.Context) Outcome {
	if err := w.observe(ctx); err != nil {
		return Outcome{Next: Failed, Err: err}
	}
	w.failWithoutEssential()
	var deadline time.Time
	for progress := true; progress && w.task.Desired != state.Stopped && ctx.Err() == nil; {
		progress, deadline = w.startNext(ctx)
	}
	if w.started() && w.task.Last == state.Activating {
		at := now()
		w.edit(func(t *state.Task) { t.StartedAt = at })
		w.advance(state.Running)
	}
	switch {
	case w.task.Desired == state.Stopped:
		return Outcome{Next: Again}
	case !deadline.IsZero():
		return Outcome{Next: Wait, After: max(deadline.Sub(now()), time.Millisecond)}
	default:
		return Outcome{Next: Wait}
	}
}

// started reports whether every essential container has been started, whatever has become of it since.
func (w *work) started() bool {
	for _, c := range w.task.Containers {
		if c.Essential && c.StartedAt.IsZero() {
			return false
		}
	}
	return true
}

// startNext starts each container that has not been, and whose dependencies allow it. It reports whether one was
// started or given up, and until when the dependencies of those that wait must be fulfilled.
func (w *work) startNext(ctx context.Context) (progress bool, deadline time.Time) {
	for _, c := range w.task.Containers {
		if c.Last != state.Pending || c.RuntimeID != "" {
			continue
		}
		may := w.may(c)
		switch {
		case may.never != "":
			w.fail(c, "TaskDependencyError: "+may.never)
			progress = true
		case may.start:
			w.start(ctx, c)
			progress = true
		case !may.until.IsZero() && (deadline.IsZero() || may.until.Before(deadline)):
			deadline = may.until
		}
		if w.task.Desired == state.Stopped {
			return progress, deadline
		}
	}
	return progress, deadline
}

// failWithoutEssential ends a task whose essential container has come to its end.
func (w *work) failWithoutEssential() {
	for _, c := range w.task.Containers {
		if c.Essential && c.Last == state.Stopped && !c.StartedAt.IsZero() {
			w.passRunning()
			w.end(types.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
		}
	}
}

// passRunning has a task whose program ended at once be RUNNING before it goes down: it did start, however soon it ended.
func (w *work) passRunning() {
	if w.task.Last == state.Activating && w.started() {
		at := now()
		w.edit(func(t *state.Task) { t.StartedAt = at })
		w.advance(state.Running)
	}
}
