package runtime

import "context"

// Freezer is what a runtime may also be: it has a container stand still as it is, without its programs knowing, and go on
// again. What is asked of a container that stands still already, or that goes on already, is no error. A frozen container
// can be stopped: after the grace it is killed as any other.
type Freezer interface {
	// Freeze returns a fault: NotFound for a container that isn't there, Conflict for one that isn't running.
	Freeze(ctx context.Context, name Name) error
	// Thaw returns a fault of the kind NotFound for a container that isn't there.
	Thaw(ctx context.Context, name Name) error
}
