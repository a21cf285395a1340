package lifecycle

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
)

// start makes a container and starts it.
func (w *work) start(ctx context.Context, c state.Container) {
	d := w.merged(c.Name)
	if err := w.openLog(c, d); err != nil {
		w.fail(c, "ResourceInitializationError: failed to validate logger args: "+err.Error())
		return
	}
	spec, err := w.spec(c, d)
	if err != nil { // it was to be had when the task began; whatever has become of it since
		w.fail(c, err.Error())
		return
	}
	release, ok := w.slot(ctx)
	if !ok {
		return
	}
	defer release()
	if err := w.keepNetwork(ctx); err != nil {
		w.failUnlessEnding(ctx, c, err.Error())
		return
	}
	if err := w.Runtime.Create(ctx, spec); err != nil {
		w.failUnlessEnding(ctx, c, "CannotCreateContainerError: "+err.Error())
		return
	}
	if err := w.Runtime.Start(ctx, spec.Name); err != nil {
		w.failUnlessEnding(ctx, c, "CannotStartContainerError: "+err.Error())
		return
	}
	w.note(ctx, c, spec)
}

// failUnlessEnding tells an error of the runtime from one that comes of this engine being stopped.
func (w *work) failUnlessEnding(ctx context.Context, c state.Container, reason string) {
	if ctx.Err() == nil {
		w.fail(c, reason)
	}
}

// note writes down what has been started.
func (w *work) note(ctx context.Context, c state.Container, spec runtime.Spec) {
	status, err := w.Runtime.Inspect(ctx, spec.Name)
	if err != nil {
		status = runtime.Status{Name: spec.Name, ID: string(spec.Name), Phase: runtime.Running}
	}
	bindings := w.bindings(c.Name)
	stream, group := w.logStream(c.Name)
	w.editContainer(c.Name, func(c *state.Container) {
		c.Bindings, c.LogGroup, c.LogStream = bindings, group, stream
	})
	w.see(c, status)
	if stream != "" {
		w.followers.follow(spec.Name, w.outlet(c.Name))
	}
}

// see writes down what the runtime says of a container that was started.
func (w *work) see(c state.Container, s runtime.Status) {
	started, ended := orNow(s.StartedAt), s.EndedAt
	w.editContainer(c.Name, func(c *state.Container) {
		c.RuntimeID = s.ID
		if c.RuntimeID == "" {
			c.RuntimeID = string(s.Name)
		}
		if c.StartedAt.IsZero() {
			c.StartedAt = started
		}
		if c.Last == state.Pending {
			c.Last = state.Running
		}
	})
	if s.Phase == runtime.Exited {
		w.exited(c, s, orNow(ended))
	}
}

func (w *work) exited(c state.Container, s runtime.Status, at time.Time) {
	code, reason := s.ExitCode, s.Error
	if s.OutOfMem {
		reason = "OutOfMemoryError: Container killed due to memory usage"
	}
	w.editContainer(c.Name, func(c *state.Container) {
		c.Last, c.ExitCode, c.EndedAt = state.Stopped, &code, at
		if c.Reason == "" {
			c.Reason = reason
		}
	})
	if !c.Essential {
		return
	}
	w.edit(func(t *state.Task) {
		if t.ExecutionStoppedAt.IsZero() {
			t.ExecutionStoppedAt = at
		}
	})
}

func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return now()
	}
	return t.UTC()
}

// bindings returns where the container's ports are reachable. A task with an address of its own has none: its ports are
// the container's.
func (w *work) bindings(container string) []types.NetworkBinding {
	if w.definition.Doc.NetworkMode == types.NetworkModeAwsvpc {
		return nil
	}
	var list []types.NetworkBinding
	for _, p := range w.ports(container) {
		ip, inside, outside := p.Host.Addr().String(), int32(p.Container), int32(p.Host.Port()) //nolint:gosec // ports
		list = append(list, types.NetworkBinding{BindIP: &ip, ContainerPort: &inside, HostPort: &outside, Protocol: p.Protocol})
	}
	return list
}
