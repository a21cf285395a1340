package schedule

import (
	"time"

	"github.com/slipway-cd/slipway/engine/state"
)

// Statuses of a service, as its document has them.
const (
	statusActive   = "ACTIVE"
	statusDraining = "DRAINING"
	statusInactive = "INACTIVE"
)

// Service looks once at a service and returns what has to be done now. The caller looks at it again when something that
// concerns it has changed or Again has come, but not before pace.Pass has gone by.
// An unknown service, and one that is INACTIVE, need nothing.
func Service(snap state.Snapshot, key state.ServiceKey, now time.Time, pace Pace) Plan {
	p, ok := look(snap, key, now, pace)
	if !ok {
		return Plan{}
	}
	p.settle()
	p.retarget()
	p.examine()
	p.advance()
	p.retire()
	p.record()
	return p.finish()
}

// advance does what brings the service nearer to its wish. How that is done is the one thing in which services differ:
// by their end, their scheduling strategy, their deployment controller, and the strategy of their deployment. All that
// is peculiar to one of these stands behind this switch.
func (p *pass) advance() {
	switch {
	case p.status() == statusDraining:
		p.drain()
		p.endSets()
	case p.service.Managed():
		p.keepSets()
	case p.service.Daemon():
		p.daemon()
	case p.shifting():
		p.shift()
	default:
		p.update()
	}
}

// update is a rolling update, and the keeping of what was updated.
func (p *pass) update() {
	p.replaceSick()
	p.breakCircuit()
	if p.reclaim() {
		p.clearEarly()
		p.roll()
	} else {
		p.hold()
	}
	p.complete()
	p.rebalance()
}

// finish gathers the changed records.
func (p *pass) finish() Plan {
	for _, d := range p.all() {
		if d.edited && d.known {
			p.plan.Deployments = append(p.plan.Deployments, d.Deployment)
		}
	}
	if p.plan.Again.IsZero() && p.status() != statusInactive {
		p.plan.Again = p.now.Add(p.pace.Pass)
	}
	return p.plan
}
