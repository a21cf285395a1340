package docker

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// Start starts a container.
func (r *Runtime) Start(ctx context.Context, name runtime.Name) error {
	if _, err := r.api.ContainerStart(ctx, r.container(name), client.ContainerStartOptions{}); err != nil {
		return failed(err, "cannot start container %q", name)
	}
	return nil
}

// Stop sends the image's stop signal, waits, then kills. Docker's own call counts whole seconds only, which a grace that
// was divided by the engine's speed is not.
func (r *Runtime) Stop(ctx context.Context, name runtime.Name, grace time.Duration) error {
	found, err := r.api.ContainerInspect(ctx, r.container(name), client.ContainerInspectOptions{})
	if err != nil {
		return failed(err, "cannot stop container %q", name)
	}
	if c := found.Container; c.State == nil || !c.State.Running {
		return nil
	}
	signal := "SIGTERM"
	if c := found.Container.Config; c != nil && c.StopSignal != "" {
		signal = c.StopSignal
	}
	if grace > 0 {
		if err := r.kill(ctx, name, signal); err != nil {
			return failed(err, "cannot stop container %q", name)
		}
		patience, cancel := context.WithTimeout(ctx, grace)
		err := r.ended(patience, name)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || patience.Err() == nil {
			return failed(err, "cannot wait for the end of container %q", name)
		}
	}
	if err := r.kill(ctx, name, "SIGKILL"); err != nil {
		return failed(err, "cannot kill container %q", name)
	}
	if err := r.ended(ctx, name); err != nil {
		return failed(err, "cannot wait for the end of container %q", name)
	}
	return nil
}

// kill sends a signal. That the container has ended meanwhile is as good.
func (r *Runtime) kill(ctx context.Context, name runtime.Name, signal string) error {
	_, err := r.api.ContainerKill(ctx, r.container(name), client.ContainerKillOptions{Signal: signal})
	if errdefs.IsConflict(err) {
		return nil
	}
	return err
}

// ended waits until a container is not running. A container that was removed meanwhile has ended.
func (r *Runtime) ended(ctx context.Context, name runtime.Name) error {
	wait := r.api.ContainerWait(ctx, r.container(name), client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case <-wait.Result:
		return nil
	case err := <-wait.Error:
		if errdefs.IsNotFound(err) {
			return nil
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Remove removes a container with its anonymous volumes.
func (r *Runtime) Remove(ctx context.Context, name runtime.Name) error {
	_, err := r.api.ContainerRemove(ctx, r.container(name), client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	switch {
	case err == nil, errdefs.IsNotFound(err):
		return nil
	case errdefs.IsConflict(err): // somebody else is removing it
		wait := r.api.ContainerWait(ctx, r.container(name), client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
		select {
		case <-wait.Result:
			return nil
		case werr := <-wait.Error:
			if errdefs.IsNotFound(werr) {
				return nil
			}
		case <-ctx.Done():
		}
	}
	return failed(err, "cannot remove container %q", name)
}
