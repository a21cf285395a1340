package lifecycle

import (
	"context"
	"errors"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// Recover compares the containers that there are with the tasks that there should be, before anything moves. A container
// that was made by an engine that was killed before it could write that down becomes its task's again; one that no
// task knows is removed. What has become of the rest the tasks' next steps find out.
func (k *Keeper) Recover(ctx context.Context) error {
	list, err := k.own(ctx)
	if err != nil {
		return fault.New(fault.KindOf(err), "cannot find the containers of an earlier run: %w", err).
			WithHint("see that the container runtime answers")
	}
	snap := k.DB.Read()
	var adopted []*work
	var errs []error
	for _, s := range list {
		w := k.adopt(snap, s)
		if w == nil {
			errs = append(errs, k.Runtime.Remove(ctx, s.Name))
			continue
		}
		adopted = append(adopted, w)
	}
	errs = append(errs, k.DB.Write(func(tx *state.Tx) error {
		for _, w := range adopted {
			w.commit(tx)
		}
		return nil
	}))
	return errors.Join(errs...)
}

func (k *Keeper) own(ctx context.Context) ([]runtime.Status, error) {
	return k.Runtime.List(ctx, map[string]string{LabelEngine: k.Engine})
}

// adopt returns the changes that make a container its task's again; nil when no task knows it.
func (k *Keeper) adopt(snap state.Snapshot, s runtime.Status) *work {
	t, ok := snap.Task(state.TaskID(s.Labels[labelTask]))
	if !ok || !t.Alive() {
		return nil
	}
	w, ok := k.newWork(snap, t)
	if !ok {
		return nil
	}
	if s.Labels[labelContainer] == keeperOf {
		return w
	}
	c, ok := t.Container(s.Labels[labelContainer])
	if !ok {
		return nil
	}
	if c.RuntimeID == "" && s.Phase != runtime.Created {
		w.adoptStarted(c, s)
	}
	if to := w.outlet(c.Name); to.stream != "" && s.Phase != runtime.Created {
		k.followers.follow(s.Name, to)
	}
	return w
}

// adoptStarted writes down what the engine that started the container was killed too early for.
func (w *work) adoptStarted(c state.Container, s runtime.Status) {
	bindings := w.bindings(c.Name)
	stream, group := w.logStream(c.Name)
	if stream != "" {
		w.keepLog(group, stream, c.Name)
	}
	w.editContainer(c.Name, func(c *state.Container) {
		c.Bindings, c.LogGroup, c.LogStream = bindings, group, stream
	})
	s.Phase = runtime.Running // the task's next step sees whether it has ended
	w.see(c, s)
}

// sweep looks at the tasks whose containers are not what they are taken for: a safety net under Runtime.Changes.
func (k *Keeper) sweep(ctx context.Context) {
	list, err := k.own(ctx)
	if err != nil {
		k.Logger.Warn("the containers cannot be listed", "error", err)
		return
	}
	phases := make(map[runtime.Name]runtime.Phase, len(list))
	for _, s := range list {
		phases[s.Name] = s.Phase
	}
	for t := range k.DB.Read().AllTasks() {
		for _, c := range t.Containers {
			if t.Alive() && c.Last == state.Running && phases[Name(t.ID, c.Name)] != runtime.Running {
				k.wake(t.ID)
			}
		}
	}
}

// Clear removes every container of the engine, whatever the state says of it, and the volumes of its tasks.
func (k *Keeper) Clear(ctx context.Context) error {
	list, err := k.own(ctx)
	errs := []error{err}
	for _, s := range list {
		errs = append(errs, k.Runtime.Remove(ctx, s.Name))
	}
	snap := k.DB.Read()
	for t := range snap.AllTasks() {
		if d, ok := snap.TaskDefinition(t.TaskDefinition); ok && t.Alive() {
			errs = append(errs, k.removeVolumes(ctx, t.ID, d))
		}
	}
	return errors.Join(errs...)
}
