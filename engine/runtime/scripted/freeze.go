package scripted

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Freeze has a container stand still: it answers nothing, is not healthy, takes the SIGKILL, and does not end by itself.
func (r *Runtime) Freeze(_ context.Context, name runtime.Name) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(name)
	if err != nil {
		return err
	}
	if c.phase != runtime.Running {
		return fault.New(fault.Conflict, "cannot freeze container %q: it is not running", name)
	}
	if !c.frozen && c.timer != nil {
		c.timer.Stop()
		c.left = max(time.Until(c.due), 0)
	}
	c.frozen = true
	return nil
}

// Thaw has a container go on. What it would have done by itself it does so much later.
func (r *Runtime) Thaw(_ context.Context, name runtime.Name) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(name)
	if err != nil {
		return err
	}
	if c.frozen && c.timer != nil {
		c.due = time.Now().Add(c.left)
		c.timer.Reset(c.left)
	}
	c.frozen = false
	return nil
}
