//go:build !linux

// Package process runs containers as supervised processes, unpacked from their images. It needs Linux.
package process

import (
	"context"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Options are what may be chosen about processes.
type Options struct {
	Isolation Isolation
	Unpack    Bounds
}

// Runtime is never made on this system.
type Runtime struct{ runtime.Runtime }

// Describe says nothing.
func (r *Runtime) Describe() string { return "" }

// Isolation says nothing.
func (r *Runtime) Isolation() Isolation { return "" }

// Open returns a fault of the kind Unavailable.
func Open(_ context.Context, dir string, _ Options) (*Runtime, error) {
	return nil, fault.New(fault.Unavailable, "cannot run processes in %q: the process runtime needs Linux", dir).
		WithHint("use a Docker Engine, or the scripted runtime")
}

// Shim returns: there are no supervisors on this system.
func Shim() {}
