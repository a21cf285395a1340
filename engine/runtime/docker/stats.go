package docker

import (
	"context"
	"io"

	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Stats returns what Docker measures.
func (r *Runtime) Stats(ctx context.Context, name runtime.Name) ([]byte, error) {
	found, err := r.Inspect(ctx, name)
	if err != nil {
		return nil, err
	}
	if found.Phase != runtime.Running {
		return nil, fault.New(fault.Conflict, "cannot measure container %q: it is not running", name)
	}
	answer, err := r.api.ContainerStats(ctx, r.container(name), client.ContainerStatsOptions{IncludePreviousSample: true})
	if err != nil {
		return nil, failed(err, "cannot measure container %q", name)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, failed(err, "cannot measure container %q", name)
	}
	return text, nil
}
