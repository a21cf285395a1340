package schedule

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// complete ends a deployment whose tasks are all healthy once those of the others are gone, and tells when the service
// has reached its steady state. Both come in one pass, in this order. [ecs-behaviour 1.2, trace]
func (p *pass) complete() {
	if p.primary.inProgress() && !p.primary.Broken && p.ripe() && p.baked() {
		record := p.primary.edit()
		record.State, record.Reason = types.DeploymentRolloutStateCompleted, fmt.Sprintf(reasonDone, record.ID)
		record.Completed, record.Updated = p.now, p.now
		p.say(") (deployment %s) deployment completed.", record.ID)
	}
	p.settleDown(p.whole() && (p.alive() == p.desired || p.service.Daemon()) && p.primary.State == types.DeploymentRolloutStateCompleted)
}

// ripe reports whether the PRIMARY deployment has done all that it is there for.
func (p *pass) ripe() bool {
	switch early := p.early(); {
	case p.primary.Shift != nil:
		return p.whole() && p.primary.Shift.Stage == types.ServiceDeploymentLifecycleStageCleanUp
	case early == nil:
		return p.whole()
	default:
		return p.enough(early) && (early.SourceServiceRevisionCleanup == types.ServiceRevisionCleanupDeferred || p.cleared())
	}
}

// whole reports whether the PRIMARY deployment has what it wants, and the others have nothing left.
func (p *pass) whole() bool {
	if p.service.Daemon() {
		return p.everywhere()
	}
	return !p.turned && p.cleared() && !p.leaving() && len(p.plan.Start) == 0 &&
		p.primary.count(well) == p.desired && p.primary.count(staying) == p.desired
}

// cleared reports whether the deployments that are being replaced have no tasks left.
func (p *pass) cleared() bool {
	return !slices.ContainsFunc(p.olds, func(d *deployment) bool { return len(d.tasks) > 0 })
}

// settleDown tells that the service is steady: once, and again after pace.Quiet.
func (p *pass) settleDown(steady bool) {
	if p.service.Steady != steady {
		p.editService().Steady = steady
		p.primary.overcome(sortSteady)
	}
	if steady {
		p.sayOnce(p.primary, sortSteady, ") has reached a steady state.")
		p.plan.Again = p.primary.Told[string(sortSteady)].At.Add(p.pace.Quiet)
	}
}

// retire takes the deployments without tasks out of the service's description; their records remain.
func (p *pass) retire() {
	if p.service.Managed() && p.status() != statusInactive {
		return // task sets are described as long as nobody deletes them
	}
	for _, d := range p.olds {
		if len(d.tasks) == 0 && d.Wanted == 0 && d.known {
			d.edit().Status = state.Inactive
			d.edit().Updated = p.now
		}
	}
}

// drain stops everything of a service that is being deleted, and makes it INACTIVE when nothing is left.
func (p *pass) drain() {
	for _, d := range p.current() {
		for _, t := range d.tasks {
			if staying(t) {
				p.scaleIn(t)
			}
		}
		p.setWanted(d, 0)
	}
	p.sayStops()
	if p.alive() > 0 {
		return
	}
	s := p.editService()
	s.Doc.Status, s.Deleted, s.Steady = aws.String(statusInactive), p.now, false
	if p.primary.known {
		p.primary.edit().Status = state.Inactive
	}
	p.plan.Again = time.Time{}
}
