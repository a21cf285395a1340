package lifecycle

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// Next says what follows a step.
type Next string

// What can follow a step; there is nothing else.
const (
	Done   Next = "done"   // the task is STOPPED
	Again  Next = "again"  // after a while, or at once
	Wait   Next = "wait"   // until something changes
	Failed Next = "failed" // the runtime was of no help; the same step is tried again
)

// Outcome is what a step came to.
type Outcome struct {
	Next  Next
	After time.Duration // Again: how long to wait. Wait: at most so long; 0: for ever
	Err   error         // Failed
}

// work is one step of one task: what it knows, and the changes it makes. They are made on a copy and again, when the
// step is over, on the record as it is then: the scheduler may have changed the task meanwhile.
type work struct {
	*Keeper
	snap       state.Snapshot
	task       *state.Task
	definition *state.TaskDefinition
	now        time.Time

	edits  []func(*state.Task)
	writes []func(*state.Tx)
}

func (k *Keeper) newWork(snap state.Snapshot, task *state.Task) (*work, bool) {
	definition, ok := snap.TaskDefinition(task.TaskDefinition)
	return &work{Keeper: k, snap: snap, task: clone(task), definition: definition, now: now()}, ok
}

func now() time.Time { return time.Now().UTC() }

func clone(t *state.Task) *state.Task {
	c := *t
	c.Containers = slices.Clone(t.Containers)
	return &c
}

// edit changes the task.
func (w *work) edit(change func(*state.Task)) {
	change(w.task)
	w.edits = append(w.edits, change)
}

// editContainer changes a container of the task.
func (w *work) editContainer(name string, change func(*state.Container)) {
	w.edit(func(t *state.Task) {
		for i := range t.Containers {
			if t.Containers[i].Name == name {
				change(&t.Containers[i])
			}
		}
	})
}

// write adds what is written together with the task.
func (w *work) write(change func(*state.Tx)) { w.writes = append(w.writes, change) }

// advance moves the task to a later station; it never goes back.
func (w *work) advance(to state.TaskStatus) {
	w.edit(func(t *state.Task) {
		if t.Last.Before(to) {
			t.Last = to
		}
	})
}

// end has the task stopped. A task that is to be stopped already keeps its first reason.
func (w *work) end(code types.TaskStopCode, reason string) {
	at := w.now
	w.edit(func(t *state.Task) {
		if t.Desired == state.Stopped {
			return
		}
		t.Desired, t.StopCode, t.StoppedReason, t.StoppingAt = state.Stopped, code, reason, at
	})
}

// fail has a container not come to life, with a reason in the agent's words; if it is essential, nor does its task.
func (w *work) fail(c state.Container, reason string) {
	at := now()
	w.editContainer(c.Name, func(c *state.Container) {
		c.Last, c.Reason, c.EndedAt = state.Stopped, reason, at
	})
	if c.Essential {
		w.end(types.TaskStopCodeTaskFailedToStart, reason)
	}
}

// failAll has a task fail before any of its containers was made.
func (w *work) failAll(reason string) {
	at := now()
	w.edit(func(t *state.Task) {
		for i := range t.Containers {
			t.Containers[i].Last, t.Containers[i].EndedAt = state.Stopped, at
		}
	})
	w.end(types.TaskStopCodeTaskFailedToStart, reason)
}

// commit makes the changes on the record as it is now.
func (w *work) commit(tx *state.Tx) {
	t, ok := tx.Task(w.task.ID)
	if !ok || len(w.edits)+len(w.writes) == 0 {
		return
	}
	for _, write := range w.writes {
		write(tx)
	}
	if len(w.edits) == 0 {
		return
	}
	changed := clone(t)
	for _, edit := range w.edits {
		edit(changed)
	}
	changed.Version++
	tx.Put(changed)
}
