package docker

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// Inspect tells what has become of a container.
func (r *Runtime) Inspect(ctx context.Context, name runtime.Name) (runtime.Status, error) {
	found, err := r.api.ContainerInspect(ctx, r.container(name), client.ContainerInspectOptions{})
	if err != nil {
		return runtime.Status{}, failed(err, "cannot inspect container %q", name)
	}
	return status(found.Container), nil
}

// List finds containers of this engine by their labels.
func (r *Runtime) List(ctx context.Context, labels map[string]string) ([]runtime.Status, error) {
	filters := client.Filters{}.Add("label", labelScope+"="+r.scope)
	for k, v := range labels {
		filters.Add("label", k+"="+v)
	}
	found, err := r.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, failed(err, "cannot list containers")
	}
	all := make([]*runtime.Status, len(found.Items))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, item := range found.Items {
		group.Go(func() error {
			c, err := r.api.ContainerInspect(inner, item.ID, client.ContainerInspectOptions{})
			switch {
			case errdefs.IsNotFound(err):
				return nil // removed meanwhile
			case err != nil:
				return failed(err, "cannot inspect container %q", item.Labels[labelName])
			}
			all[i] = new(status(c.Container))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var statuses []runtime.Status
	for _, s := range all {
		if s != nil {
			statuses = append(statuses, *s)
		}
	}
	return statuses, nil
}

func status(c container.InspectResponse) runtime.Status {
	s := runtime.Status{ID: c.ID, Phase: runtime.Created}
	if c.Config != nil {
		s.Name, s.Labels = runtime.Name(c.Config.Labels[labelName]), c.Config.Labels
	}
	if c.State == nil {
		return s
	}
	s.Error = c.State.Error
	switch {
	case c.State.Running:
		s.Phase, s.StartedAt = runtime.Running, instant(c.State.StartedAt)
	case c.State.Status != container.StateCreated:
		s.Phase, s.StartedAt, s.EndedAt = runtime.Exited, instant(c.State.StartedAt), instant(c.State.FinishedAt)
		s.ExitCode, s.OutOfMem = c.State.ExitCode, c.State.OOMKilled
	}
	return s
}

// instant reads a time as Docker writes it. What never happened is the zero time.
func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
