package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/state"
)

// step moves the task one station further, if it can.
func (w *work) step(ctx context.Context) Outcome {
	t := w.task
	switch {
	case t.Last == state.Stopped:
		return Outcome{Next: Done}
	case t.Desired == state.Stopped && t.Last.Before(state.Deactivating):
		return w.leave()
	}
	switch t.Last {
	case state.Provisioning:
		w.advance(state.Pending)
		return Outcome{Next: Again}
	case state.Pending:
		w.edit(func(t *state.Task) { t.PullStartedAt = w.now })
		w.advance(state.Activating)
		return Outcome{Next: Again}
	case state.Activating:
		if t.PullStoppedAt.IsZero() {
			return w.pull(ctx)
		}
		return w.bringUp(ctx)
	case state.Running:
		return w.bringUp(ctx)
	case state.Deactivating:
		return w.drain(ctx)
	case state.Stopping:
		return w.shutDown(ctx)
	case state.Deprovisioning:
		return w.cleanUp(ctx)
	default:
		return Outcome{Next: Failed, Err: fmt.Errorf("unknown status %q", t.Last)}
	}
}

// leave begins the way down. A task that made no container has nothing to drain and nothing to stop.
func (w *work) leave() Outcome {
	if w.task.Last.Before(state.Activating) {
		w.advance(state.Deprovisioning)
	} else {
		w.advance(state.Deactivating)
	}
	return Outcome{Next: Again}
}

// drain waits until no load balancer sends the task anything more. A task that has failed has nobody to answer.
func (w *work) drain(ctx context.Context) Outcome {
	if err := w.observe(ctx); err != nil {
		return Outcome{Next: Failed, Err: err}
	}
	if w.serves() {
		for range w.snap.TargetsOfTask(w.task.ID) {
			return Outcome{Next: Wait}
		}
	}
	w.advance(state.Stopping)
	return Outcome{Next: Again}
}

// serves reports whether all essential containers run.
func (w *work) serves() bool {
	for _, c := range w.task.Containers {
		if c.Essential && c.Last != state.Running {
			return false
		}
	}
	return true
}

// cleanUp removes the containers once their output is safe, and with them the volumes that were theirs alone. Those of a lost instance run on and are removed as they are.
func (w *work) cleanUp(ctx context.Context) Outcome {
	if !w.task.Lost {
		for _, c := range w.task.Containers {
			w.followers.wait(ctx, Name(w.task.ID, c.Name))
		}
	}
	for _, c := range w.task.Containers {
		if err := w.Runtime.Remove(ctx, Name(w.task.ID, c.Name)); err != nil {
			return Outcome{Next: Failed, Err: err}
		}
	}
	if w.shares() {
		if err := w.Runtime.Remove(ctx, w.keeperName()); err != nil {
			return Outcome{Next: Failed, Err: err}
		}
	}
	if err := w.removeVolumes(ctx, w.task.ID, w.definition); err != nil {
		return Outcome{Next: Failed, Err: err}
	}
	at := now()
	w.edit(func(t *state.Task) { finish(t, at) })
	w.advance(state.Stopped)
	return Outcome{Next: Done}
}

func finish(t *state.Task, at time.Time) {
	t.StoppedAt = at
	if t.ExecutionStoppedAt.IsZero() && !t.StartedAt.IsZero() {
		t.ExecutionStoppedAt = at
	}
	for i := range t.Containers {
		c := &t.Containers[i]
		c.Last = state.Stopped
		if c.EndedAt.IsZero() {
			c.EndedAt = at
		}
	}
	t.Attachments = slices.Clone(t.Attachments)
	for i := range t.Attachments {
		t.Attachments[i].Status = aws.String("DELETED")
	}
}
