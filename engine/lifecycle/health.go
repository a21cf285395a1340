package lifecycle

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/agenda"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// The defaults of a container's health check, in seconds and times. [ecs-behaviour 1.6, Containers]
const (
	checkInterval = 30
	checkTimeout  = 5
	checkRetries  = 3
)

// checks are the health checks of containers: those that a task definition names; an image's own are ignored.
type checks struct {
	keeper   *Keeper
	agenda   agenda.Agenda[checked]
	all      map[checked]*check
	verdicts chan verdict
}

type checked struct {
	task      state.TaskID
	container string
}

type check struct {
	since    time.Time // the container's start
	health   types.HealthStatus
	failures int
	busy     bool
}

type verdict struct {
	of      checked
	check   *check
	passed  bool
	skipped bool // nothing was learnt
}

func newChecks(k *Keeper) *checks {
	return &checks{keeper: k, all: map[checked]*check{}, verdicts: make(chan verdict, 64)}
}

// note begins to check the containers of a task that have begun to run, and ceases with those that have ended.
func (c *checks) note(t *state.Task) {
	for _, container := range t.Containers {
		of := checked{t.ID, container.Name}
		known := c.all[of]
		runs := container.Last == state.Running && t.Last.Before(state.Stopping)
		switch {
		case !runs && known != nil:
			delete(c.all, of)
			c.agenda.Drop(of)
		case runs && (known == nil || !known.since.Equal(container.StartedAt)):
			if h := c.definition(of); h != nil {
				c.all[of] = &check{since: container.StartedAt, health: container.Health}
				c.agenda.Set(of, later(container.StartedAt.Add(c.interval(h)), now()))
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// definition returns the health check of a container; nil when it has none.
func (c *checks) definition(of checked) *types.HealthCheck {
	snap := c.keeper.DB.Read()
	t, ok := snap.Task(of.task)
	if !ok {
		return nil
	}
	d, ok := snap.TaskDefinition(t.TaskDefinition)
	if !ok {
		return nil
	}
	return checkOf(d, of.container)
}

func checkOf(d *state.TaskDefinition, container string) *types.HealthCheck {
	cd, _ := d.Container(container)
	if cd.HealthCheck == nil || len(probe(cd.HealthCheck.Command)) == 0 {
		return nil
	}
	return cd.HealthCheck
}

// probe returns the command that a health check runs in the container.
func probe(command []string) []string {
	switch {
	case len(command) == 0 || command[0] == "NONE":
		return nil
	case command[0] == "CMD-SHELL":
		return append([]string{"/bin/sh", "-c"}, command[1:]...)
	case command[0] == "CMD":
		return command[1:]
	default: // [API reference, HealthCheck: a bare command is run as CMD]
		return command
	}
}

func (c *checks) interval(h *types.HealthCheck) time.Duration {
	return seconds(h.Interval, checkInterval, c.keeper.waits.interval)
}

// run begins the checks that are due.
func (c *checks) run(ctx context.Context) {
	for _, of := range c.agenda.Due(now(), 1<<30) {
		known, h := c.all[of], c.definition(of)
		if known == nil || known.busy || h == nil {
			continue
		}
		known.busy = true
		c.keeper.steps.Go(func() {
			v := c.probe(ctx, of, known, h)
			select {
			case c.verdicts <- v:
			case <-ctx.Done():
			}
		})
	}
}

func (c *checks) probe(ctx context.Context, of checked, known *check, h *types.HealthCheck) verdict {
	limited, cancel := context.WithTimeout(ctx, seconds(h.Timeout, checkTimeout, c.keeper.waits.program))
	defer cancel()
	code, _, err := c.keeper.Runtime.Exec(limited, Name(of.task, of.container), probe(h.Command))
	v := verdict{of: of, check: known, passed: err == nil && code == 0}
	if err != nil && limited.Err() == nil {
		v.skipped = slices.Contains([]fault.Kind{fault.Unavailable, fault.NotFound, fault.Conflict}, fault.KindOf(err))
	}
	return v
}

// finish draws the consequences of a check: a number of failures in a row makes the container unhealthy, one success
// healthy. Failures within the start period don't count until it was healthy once.
func (c *checks) finish(v verdict) {
	known := c.all[v.of]
	if known != v.check {
		return // the container has ended, or been restarted
	}
	known.busy = false
	h := c.definition(v.of)
	if h == nil {
		return
	}
	c.agenda.Set(v.of, now().Add(c.interval(h)))
	if v.skipped {
		return
	}
	c.judge(v.of, known, h, v.passed)
}

func (c *checks) judge(of checked, known *check, h *types.HealthCheck, passed bool) {
	health := known.health
	grace := now().Before(known.since.Add(seconds(h.StartPeriod, 0, c.keeper.waits.interval)))
	switch {
	case passed:
		known.failures, health = 0, types.HealthStatusHealthy
	case grace && health != types.HealthStatusHealthy:
		return
	default:
		known.failures++
		if known.failures >= int(aws.ToInt32(orElse(h.Retries, checkRetries))) {
			health = types.HealthStatusUnhealthy
		}
	}
	if health == known.health {
		return
	}
	if err := c.store(of, health); err != nil {
		c.keeper.Logger.Error("a container's health could not be stored", "task", of.task, "error", err)
		return
	}
	known.health = health
}

func orElse[T any](value *T, otherwise T) *T {
	if value == nil {
		return &otherwise
	}
	return value
}

func (c *checks) store(of checked, health types.HealthStatus) error {
	return c.keeper.DB.Write(func(tx *state.Tx) error {
		t, ok := tx.Task(of.task)
		d, defined := tx.TaskDefinition(t.TaskDefinition)
		if !ok || !defined {
			return nil
		}
		changed := clone(t)
		for i := range changed.Containers {
			if changed.Containers[i].Name == of.container {
				changed.Containers[i].Health = health
			}
		}
		changed.Health = aggregate(d, changed)
		changed.Version++
		tx.Put(changed)
		return nil
	})
}

func (w *work) aggregate(t *state.Task) types.HealthStatus { return aggregate(w.definition, t) }

// aggregate returns the health of a task: over its essential containers with a check the worst of UNHEALTHY, UNKNOWN,
// HEALTHY. [ecs-behaviour 1.6, Containers]
func aggregate(d *state.TaskDefinition, t *state.Task) types.HealthStatus {
	health, some := types.HealthStatusHealthy, false
	for _, c := range t.Containers {
		if !c.Essential || checkOf(d, c.Name) == nil {
			continue
		}
		some = true
		switch {
		case c.Health == types.HealthStatusUnhealthy:
			return types.HealthStatusUnhealthy
		case c.Health != types.HealthStatusHealthy:
			health = types.HealthStatusUnknown
		}
	}
	if !some {
		return types.HealthStatusUnknown
	}
	return health
}
