package schedule

import (
	"slices"

	"github.com/slipway-cd/slipway/engine/state"
)

// roll starts tasks of the PRIMARY deployment and stops those of the others, between floor and ceiling.
// [ecs-behaviour 1.2]
func (p *pass) roll() {
	p.evict()
	p.startNew()
	p.replaceOld()
	p.relieveOld()
	p.makeRoom()
	p.shrink()
	p.sayStarts(p.unhealthy())
	p.sayStops()
	p.sayStuck()
	p.sayProtected()
	p.want()
}

// mayStart reports whether the deployment may start tasks now.
func (p *pass) mayStart(d *deployment) bool { return !d.Broken && !p.now.Before(d.NotBefore) }

// startNew starts what the PRIMARY deployment lacks, as far as the ceiling and the instances have room.
func (p *pass) startNew() {
	if !p.mayStart(p.primary) {
		return
	}
	lacking := p.desired - p.primary.count(good)
	p.missing = max(0, lacking-p.start(p.primary, lacking))
}

// replaceOld starts tasks in the place of lost ones of a deployment that is being replaced: tasks are replaced with the
// revision that they belong to.
func (p *pass) replaceOld() {
	for _, d := range p.olds {
		spare := p.desired - p.primary.count(well)
		for _, other := range p.olds {
			spare -= other.count(good)
		}
		if n := min(d.Wanted-d.count(good), spare); n > 0 && p.mayStart(d) {
			p.start(d, n)
		}
	}
}

// start starts up to n tasks and returns how many it did. In the place of one that fails to start nothing is started before
// that one has come to its end: how long the next start waits is known only then.
func (p *pass) start(d *deployment, n int) int {
	n = min(n-d.count(stillborn), p.room())
	for i := range n {
		place, refusal := p.place(d)
		if refusal != nil {
			if d == p.primary {
				p.refusal = refusal
			}
			return i
		}
		p.plan.Start = append(p.plan.Start, Start{Deployment: d.ID, Place: place})
	}
	return max(n, 0)
}

// relieveOld stops old tasks in whose places there are healthy new ones, and what is left of broken deployments.
func (p *pass) relieveOld() {
	var tasks []*task
	for _, d := range p.olds {
		for _, t := range d.tasks {
			if staying(t) && d.Broken && !t.healthy && !t.protected {
				p.scaleIn(t)
			}
		}
		tasks = append(tasks, d.tasks...)
	}
	surplus := p.primary.count(well) - p.desired
	for _, d := range p.olds {
		surplus += d.count(func(t *task) bool { return staying(t) && !t.leaving })
	}
	p.stopOld(tasks, surplus)
}

// makeRoom stops old tasks, as far as the floor allows, when new ones cannot be started beside them: because of the
// ceiling, or because no instance has room for one more.
func (p *pass) makeRoom() {
	// The new ones that fail their checks give their own room back; healthy old ones don't go for them.
	failing := p.primary.count(func(t *task) bool { return staying(t) && t.sick != nil })
	need := p.missing - p.stopping() - failing
	if need <= 0 {
		return
	}
	var tasks []*task
	for _, d := range p.olds {
		tasks = append(tasks, d.tasks...)
	}
	if p.refusal != nil {
		tasks = p.obstacles(tasks)
	}
	p.stopOld(tasks, need)
}

// obstacles returns those tasks without which their instance would have room for a new one.
func (p *pass) obstacles(tasks []*task) []*task {
	on := map[state.InstanceID][]*state.Task{}
	for _, t := range tasks {
		on[t.Instance] = append(on[t.Instance], t.Task)
	}
	helps := map[state.InstanceID]bool{}
	for id, gone := range on {
		helps[id] = p.instances().fitsWithout(p.ask(p.primary), id, gone)
	}
	return slices.DeleteFunc(slices.Clone(tasks), func(t *task) bool { return !helps[t.Instance] })
}

func (p *pass) stopOld(tasks []*task, n int) {
	for _, t := range choose(tasks, n, p.healthy()-p.floor) {
		p.scaleIn(t)
	}
}

// shrink stops what the PRIMARY deployment has too many of.
func (p *pass) shrink() {
	if p.service.Balancing && p.rebalances() { // rebalance does it, where it is due
		return
	}
	excess := p.primary.count(good) - p.desired
	for _, t := range choose(p.primary.tasks, excess, p.healthy()-p.floor) {
		p.scaleIn(t)
	}
}

// want notes how many tasks each deployment is meant to have from now on.
func (p *pass) want() {
	p.setWanted(p.primary, min(p.desired, max(p.primary.Wanted, p.startedOf(p.primary))))
	left := p.desired - p.primary.count(well)
	for _, d := range p.olds {
		wanted := min(d.Wanted-scaledIn(d), max(left, d.count(staying)))
		if d.Broken {
			wanted = d.count(staying)
		}
		p.setWanted(d, max(wanted, 0))
		left -= d.Wanted
	}
}

func (p *pass) startedOf(d *deployment) int {
	n := d.count(good)
	for _, s := range p.plan.Start {
		if s.Deployment == d.ID {
			n++
		}
	}
	return n
}

// scaledIn counts the tasks that this pass stops for good.
func scaledIn(d *deployment) int {
	return d.count(func(t *task) bool { return t.surplus })
}

func (p *pass) setWanted(d *deployment, n int) {
	if d.Wanted != n && d.known {
		d.edit().Wanted = n
	}
}

// advancing reports whether new tasks are on their way for which old ones will go.
func (p *pass) advancing() bool {
	underway := len(p.plan.Start) + p.primary.count(good) - p.primary.count(well)
	return underway > 0 && slices.ContainsFunc(p.olds, func(d *deployment) bool { return d.count(staying) > 0 })
}

// sayStuck tells why the PRIMARY deployment cannot start its tasks, when nothing that is under way will change it.
func (p *pass) sayStuck() {
	waits := p.missing > 0 && p.stopping() == 0 && !p.advancing()
	switch {
	case waits && p.refusal != nil:
		p.sayOnce(p.primary, sortPlacement, ") %s", p.refusal.Event())
	case waits && len(p.plan.Start) == 0 && p.room() <= 0 && p.healthy() == p.alive() && p.healthy() <= p.floor:
		p.sayOnce(p.primary, sortConfiguration, ") was unable to stop or start tasks during a deployment because of the service"+
			" deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.")
	case p.missing == 0:
		p.primary.overcome(sortPlacement)
		p.primary.overcome(sortConfiguration)
	}
}
