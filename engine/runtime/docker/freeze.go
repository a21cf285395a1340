package docker

import (
	"context"

	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Freeze pauses a container: its processes get no more of the processor. [docs.docker.com, docker container pause]
func (r *Runtime) Freeze(ctx context.Context, name runtime.Name) error {
	_, err := r.api.ContainerPause(ctx, r.container(name), client.ContainerPauseOptions{})
	if err == nil || r.paused(ctx, name) {
		return nil
	}
	err = failed(err, "cannot freeze container %q", name)
	if fault.KindOf(err) == fault.Internal { // one that is not running: Docker gives it no kind
		return fault.New(fault.Conflict, "%w", err)
	}
	return err
}

// Thaw has a paused container go on.
func (r *Runtime) Thaw(ctx context.Context, name runtime.Name) error {
	_, err := r.api.ContainerUnpause(ctx, r.container(name), client.ContainerUnpauseOptions{})
	if err == nil {
		return nil
	}
	err = failed(err, "cannot have container %q go on", name)
	if fault.KindOf(err) != fault.NotFound && !r.paused(ctx, name) {
		return nil
	}
	return err
}

func (r *Runtime) paused(ctx context.Context, name runtime.Name) bool {
	found, err := r.api.ContainerInspect(ctx, r.container(name), client.ContainerInspectOptions{})
	return err == nil && found.Container.State != nil && found.Container.State.Paused
}
