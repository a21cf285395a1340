package lifecycle

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// observe asks the runtime what has become of the containers that were started.
func (w *work) observe(ctx context.Context) error {
	for _, c := range w.task.Containers {
		if c.RuntimeID == "" || c.Last == state.Stopped {
			continue
		}
		if err := w.observeOne(ctx, c); err != nil {
			return err
		}
	}
	return w.observeNetwork(ctx)
}

func (w *work) observeOne(ctx context.Context, c state.Container) error {
	status, err := w.Runtime.Inspect(ctx, Name(w.task.ID, c.Name))
	switch {
	case err != nil && fault.KindOf(err) == fault.NotFound:
		w.vanished(c)
		return nil
	case err != nil:
		return err
	case status.Phase != runtime.Exited:
		return nil
	}
	if w.task.Desired == state.Running && w.restarts(c, status) {
		return w.restart(ctx, c)
	}
	w.exited(c, status, orNow(status.EndedAt))
	return nil
}

// vanished is what happens to a container that somebody took away, or that a restart of the machine has ended.
func (w *work) vanished(c state.Container) {
	at := now()
	w.editContainer(c.Name, func(c *state.Container) {
		c.Last, c.EndedAt = state.Stopped, at
		if c.Reason == "" {
			c.Reason = "CannotInspectContainerError: the container is no longer there"
		}
	})
	if c.Essential {
		w.edit(func(t *state.Task) { t.ExecutionStoppedAt = at })
	}
}

// restarts reports whether the container's restart policy has it started again: it must have run for a while first.
func (w *work) restarts(c state.Container, s runtime.Status) bool {
	d, _ := w.definition.Container(c.Name)
	p := d.RestartPolicy
	if p == nil || !aws.ToBool(p.Enabled) || slices.Contains(p.IgnoredExitCodes, int32(s.ExitCode)) { //nolint:gosec // an exit code
		return false
	}
	const period = 300 // seconds [API reference, ContainerRestartPolicy]
	return !orNow(s.EndedAt).Before(c.StartedAt.Add(seconds(p.RestartAttemptPeriod, period, w.waits.program)))
}

func (w *work) restart(ctx context.Context, c state.Container) error {
	name := Name(w.task.ID, c.Name)
	if err := w.Runtime.Start(ctx, name); err != nil {
		if ctx.Err() != nil {
			return err
		}
		w.fail(c, "CannotStartContainerError: "+err.Error())
		return nil
	}
	at := now()
	w.edit(func(t *state.Task) {
		for i := range t.Containers {
			if r := &t.Containers[i]; r.Name == c.Name {
				r.Restarts++
				r.StartedAt, r.Health = at, types.HealthStatusUnknown
			}
		}
		t.Health = w.aggregate(t)
	})
	if c.LogStream != "" {
		w.followers.follow(name, w.outlet(c.Name))
	}
	return nil
}
