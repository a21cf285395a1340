package lifecycle

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// permission is whether a container may be started.
type permission struct {
	start bool
	never string    // why it never will; empty while it may yet
	until time.Time // when its patience ends; zero: it has no end
}

// may tells whether the dependencies of a container allow it to start. [ecs-behaviour 1.6, dependsOn; the texts are the
// agent's, dependencygraph/graph.go]
func (w *work) may(c state.Container) permission {
	d, _ := w.definition.Container(c.Name)
	all := permission{start: true}
	for _, on := range dependencies(d) {
		one := w.fulfilled(c.Name, on)
		if one.never != "" {
			return one
		}
		all.start = all.start && one.start
		if !one.until.IsZero() && (all.until.IsZero() || one.until.Before(all.until)) {
			all.until = one.until
		}
	}
	return all
}

func (w *work) fulfilled(target string, on types.ContainerDependency) permission {
	name := aws.ToString(on.ContainerName)
	c, ok := w.task.Container(name)
	if !ok {
		return never("dependency graph: container ordering dependency [%s] for target [%s] does not exist.", name, target)
	}
	stopped := c.Last == state.Stopped
	switch {
	case stopped && c.StartedAt.IsZero():
		return never("dependency graph: failed to resolve container ordering dependency [%s] for target [%s]"+
			" because dependency will never start", name, target)
	case on.Condition == types.ContainerConditionStart:
		return permission{start: !c.StartedAt.IsZero()}
	case on.Condition == types.ContainerConditionHealthy && c.Health == types.HealthStatusHealthy && !stopped,
		on.Condition == types.ContainerConditionComplete && stopped && c.ExitCode != nil,
		on.Condition == types.ContainerConditionSuccess && stopped && c.ExitCode != nil && *c.ExitCode == 0:
		return permission{start: true}
	case stopped:
		return never("dependency graph: failed to resolve container ordering dependency [%s] for target [%s]"+
			" as dependency did not exit successfully.", name, target)
	}
	until := w.patience(c)
	if !until.IsZero() && !w.now.Before(until) {
		return never("dependency graph: container ordering dependency [%s] for target [%s] has timed out.", name, target)
	}
	return permission{until: until}
}

func never(format string, args ...any) permission {
	return permission{never: fmt.Sprintf(format, args...)}
}

// patience returns when the start timeout of a container ends; zero when it has none, or has not been started yet.
func (w *work) patience(c state.Container) time.Time {
	d, _ := w.definition.Container(c.Name)
	if d.StartTimeout == nil || c.StartedAt.IsZero() {
		return time.Time{}
	}
	return c.StartedAt.Add(seconds(d.StartTimeout, 0, w.waits.program))
}
