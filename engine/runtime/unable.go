package runtime

import (
	"context"

	"github.com/slipway-cd/slipway/fault"
)

// Unable is what a runtime embeds that runs nothing: it has every volume that it is asked for, no commands that anybody
// could talk with, and nothing to measure.
type Unable struct{}

// Shares says that nothing is shared.
func (Unable) Shares() bool { return false }

// CreateVolume does nothing.
func (Unable) CreateVolume(context.Context, Volume) error { return nil }

// HasVolume says that there is every volume.
func (Unable) HasVolume(context.Context, string) (bool, error) { return true, nil }

// RemoveVolume does nothing.
func (Unable) RemoveVolume(context.Context, string) error { return nil }

// Attach returns a fault of the kind Refused.
func (Unable) Attach(_ context.Context, name Name, _ Session) (int, error) {
	return 0, fault.New(fault.Refused, "cannot run a command in container %q: there is no container, only a script that pretends one", name).
		WithHint("use the docker or the process runtime")
}

// Stats returns a fault of the kind Refused.
func (Unable) Stats(_ context.Context, name Name) ([]byte, error) {
	return nil, fault.New(fault.Refused, "cannot measure container %q: there is no container, only a script that pretends one", name)
}
