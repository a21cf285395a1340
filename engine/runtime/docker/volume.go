package docker

import (
	"context"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// CreateVolume makes a volume. Docker gives the one of that name, if it is of the same driver.
func (r *Runtime) CreateVolume(ctx context.Context, v runtime.Volume) error {
	_, err := r.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: v.Name, Driver: v.Driver, DriverOpts: v.Options, Labels: v.Labels})
	if err != nil {
		return failed(err, "cannot create volume %q", v.Name)
	}
	return nil
}

// HasVolume asks Docker for a volume.
func (r *Runtime) HasVolume(ctx context.Context, name string) (bool, error) {
	_, err := r.api.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	switch {
	case err == nil:
		return true, nil
	case errdefs.IsNotFound(err):
		return false, nil
	}
	return false, failed(err, "cannot look for volume %q", name)
}

// RemoveVolume deletes a volume.
func (r *Runtime) RemoveVolume(ctx context.Context, name string) error {
	if _, err := r.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{}); err != nil && !errdefs.IsNotFound(err) {
		return failed(err, "cannot remove volume %q", name)
	}
	return nil
}
