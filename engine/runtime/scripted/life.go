package scripted

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Start starts a container as its script says.
func (r *Runtime) Start(ctx context.Context, name runtime.Name) error {
	r.mu.Lock()
	c, err := r.find(name)
	if err != nil || c.phase == runtime.Running {
		r.mu.Unlock()
		return err
	}
	r.mu.Unlock()
	if err := sleep(ctx, r.pace(c.script.StartTakes)); err != nil {
		return fault.New(fault.Interrupted, "cannot start container %q: %w", name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.find(name); err != nil || c.phase == runtime.Running {
		return err // removed, or started by somebody else meanwhile
	}
	defer r.hub.Tell(name)
	if c.script.StartFails != "" {
		err := fault.New(fault.Invalid, "cannot start container %q: %s", name, c.script.StartFails)
		c.failure = err.Error()
		return err
	}
	c.phase, c.started, c.ended, c.exitCode, c.outOfMem, c.failure = runtime.Running, time.Now(), time.Time{}, 0, false, ""
	if c.script.Ends {
		r.endAfter(name, c, r.pace(c.script.Run), c.script.ExitCode, c.script.OutOfMem)
	}
	return nil
}

// endAfter plans the end of a running container, unless an earlier one is planned. The lock is held.
func (r *Runtime) endAfter(name runtime.Name, c *container, d time.Duration, code int, outOfMem bool) {
	due := time.Now().Add(d)
	if c.timer != nil {
		if !due.Before(c.due) {
			return
		}
		c.timer.Stop()
	}
	c.due = due
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if c.timer == timer { // it was not planned otherwise meanwhile
			r.end(name, c, code, outOfMem)
		}
	})
	c.timer = timer
}

// end ends a running container. The lock is held.
func (r *Runtime) end(name runtime.Name, c *container, code int, outOfMem bool) {
	if c.phase != runtime.Running {
		return
	}
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.phase, c.ended, c.exitCode, c.outOfMem, c.frozen = runtime.Exited, time.Now(), code, outOfMem, false
	if c.over != nil {
		close(c.over)
		c.over = nil
	}
	r.hub.Tell(name)
}

// waits returns a channel that is closed when the container is no longer running. The lock is held.
func (c *container) waits() <-chan struct{} {
	if c.over == nil {
		c.over = make(chan struct{})
		if c.phase != runtime.Running {
			over := c.over
			c.over = nil
			close(over)
			return over
		}
	}
	return c.over
}

// Stop pretends a SIGTERM, and a SIGKILL after the grace. The grace is the caller's, and not divided by the speed.
func (r *Runtime) Stop(ctx context.Context, name runtime.Name, grace time.Duration) error {
	r.mu.Lock()
	c, err := r.find(name)
	if err != nil || c.phase != runtime.Running {
		r.mu.Unlock()
		return err
	}
	takes := r.pace(c.script.StopTakes)
	switch {
	case grace <= 0:
		r.end(name, c, 137, false)
	case c.frozen: // it takes the SIGKILL
	case !c.script.StopIgnored && takes == 0:
		r.end(name, c, c.script.StopCode, false)
	case !c.script.StopIgnored && takes < grace:
		r.endAfter(name, c, takes, c.script.StopCode, false)
	}
	over := c.waits()
	r.mu.Unlock()
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Timeout, "container %q has not stopped: %w", name, ctx.Err())
	case <-patience.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end(name, c, 137, false)
	return nil
}

// Remove forgets a container.
func (r *Runtime) Remove(_ context.Context, name runtime.Name) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.containers[name]; c != nil {
		r.end(name, c, 137, false)
		delete(r.containers, name)
		r.hub.Tell(name)
	}
	return nil
}

// sleep waits, unless the context ends before.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
