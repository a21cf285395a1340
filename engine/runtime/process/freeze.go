//go:build linux

package process

import (
	"context"
	"os"
	"syscall"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Freeze stops all processes of a container with SIGSTOP, which none can refuse.
func (r *Runtime) Freeze(ctx context.Context, name runtime.Name) error {
	return r.signalAll(ctx, name, syscall.SIGSTOP)
}

// Thaw has the processes of a container go on. One that has ended needs nothing.
func (r *Runtime) Thaw(ctx context.Context, name runtime.Name) error {
	err := r.signalAll(ctx, name, syscall.SIGCONT)
	switch fault.KindOf(err) {
	case fault.Conflict:
		return nil
	case fault.Unavailable: // its supervisor may have ended with it just now
		if s, serr := r.Inspect(ctx, name); serr == nil && s.Phase == runtime.Exited {
			return nil
		}
	}
	return err
}

func (r *Runtime) signalAll(ctx context.Context, name runtime.Name, signal syscall.Signal) error {
	c, err := r.find(name)
	if err != nil {
		return err
	}
	if s, err := c.status(); err != nil || s.Phase != runtime.Running {
		if err == nil {
			err = fault.New(fault.Conflict, "cannot freeze container %q: it is not running", name)
		}
		return err
	}
	return c.ask(ctx, request{Op: opSignalAll, Signal: signal})
}

// signalAll sends a signal to all processes of the container but the supervisor.
func (f *family) signalAll(program int, namespaced bool, signal syscall.Signal) {
	if namespaced {
		_ = syscall.Kill(-1, signal) // all but the first process
		return
	}
	_ = syscall.Kill(-program, signal)
	for _, pid := range descendants(os.Getpid()) {
		_ = syscall.Kill(pid, signal)
	}
}
