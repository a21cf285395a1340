package schedule

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// replaceSick stops tasks that fail their checks. A replacement, of the task's own revision, comes first when the ceiling
// and the instances have room for it; else the sick ones are stopped one at a time. [ecs-behaviour 1.2]
func (p *pass) replaceSick() {
	for _, d := range p.current() {
		sick := slices.DeleteFunc(slices.Clone(d.tasks), func(t *task) bool { return !staying(t) || t.sick == nil })
		if len(sick) == 0 {
			continue
		}
		slices.SortStableFunc(sick, func(a, b *task) int { return a.CreatedAt.Compare(b.CreatedAt) })
		for _, t := range sick[:min(p.dispensable(d, len(sick)), len(sick))] {
			p.stop(t, t.sick.reason)
			p.fail(d)
		}
	}
}

// dispensable returns how many of a deployment's sick tasks are stopped now.
func (p *pass) dispensable(d *deployment, sick int) int {
	if d.Broken {
		return sick // nothing will take their places
	}
	wanted := p.wanted(d)
	fine := d.count(good)
	underway := fine - d.count(well)
	if beyond := sick + fine - wanted - underway; beyond > 0 {
		return beyond // their replacements are healthy, or sick as well
	}
	if fine < wanted && p.mayStart(d) && !stoppingSick(d) && (p.room() <= 0 || !p.placeable(d)) {
		return 1
	}
	return 0
}

// wanted returns how many tasks a deployment is meant to have.
func (p *pass) wanted(d *deployment) int {
	if d == p.primary {
		return p.desired
	}
	return d.Wanted
}

func stoppingSick(d *deployment) bool {
	return slices.ContainsFunc(d.tasks, func(t *task) bool { return !staying(t) && failedChecks(t.Task) })
}

func failedChecks(t *state.Task) bool { return strings.HasPrefix(t.StoppedReason, reasonSick) }

// unhealthy counts the tasks that starts of this pass may stand in for: those that fail their checks and those that were
// stopped for it.
func (p *pass) unhealthy() int {
	n := 0
	for _, d := range p.current() {
		n += d.count(func(t *task) bool { return t.sick != nil })
	}
	for _, t := range p.ended {
		if failedChecks(t.Task) {
			n++
		}
	}
	return n
}

// stop decides that a task is stopped.
func (p *pass) stop(t *task, reason string) {
	t.stopped = true
	p.plan.Stop = append(p.plan.Stop, Stop{
		Task: t.ID, Code: types.TaskStopCodeServiceSchedulerInitiated, Reason: reason,
	})
}

// scaleIn stops a task because there are enough others.
func (p *pass) scaleIn(t *task) {
	t.surplus = true
	p.stop(t, reasonScaling(t))
}

func reasonScaling(t *task) string {
	return "Scaling activity initiated by (deployment " + string(t.of.ID) + ")"
}

// choose returns up to n of the tasks to be stopped, of which up to budget healthy ones: first those that aren't healthy,
// newest first, then one after the other from where most are, so that the rest stays spread. Protected ones are none of
// them. [ecs-behaviour 1.6, placement]
func choose(tasks []*task, n, budget int) []*task {
	rest := slices.DeleteFunc(slices.Clone(tasks), func(t *task) bool { return !staying(t) || t.protected })
	slices.SortStableFunc(rest, func(a, b *task) int {
		return cmp.Or(order(a.healthy, b.healthy), order(a.sick == nil, b.sick == nil), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	idle := slices.IndexFunc(rest, func(t *task) bool { return t.healthy })
	if idle < 0 {
		idle = len(rest)
	}
	chosen := slices.Clone(rest[:max(0, min(n, idle))])
	rest = rest[idle:]
	for len(chosen) < n && budget > 0 && len(rest) > 0 {
		i := crowded(rest)
		chosen = append(chosen, rest[i])
		rest = slices.Delete(rest, i, i+1)
		budget--
	}
	return chosen
}

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// crowded returns the task in the zone, and there on the instance, with the most tasks.
func crowded(tasks []*task) int {
	zones, instances := map[string]int{}, map[state.InstanceID]int{}
	for _, t := range tasks {
		zones[t.Zone]++
		instances[t.Instance]++
	}
	best := 0
	for i, t := range tasks {
		b := tasks[best]
		if cmp.Or(cmp.Compare(zones[t.Zone], zones[b.Zone]), cmp.Compare(instances[t.Instance], instances[b.Instance])) > 0 {
			best = i
		}
	}
	return best
}
