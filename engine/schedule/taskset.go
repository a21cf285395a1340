package schedule

import (
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// TaskSetSize returns how many tasks a task set is to have: its percentage of the service's desired count, rounded up; none
// when it is being deleted. [API reference: TaskSet, computedDesiredCount]
func TaskSetSize(s *state.Service, set *state.TaskSet) int {
	if set.Doc.Scale == nil || aws.ToString(set.Doc.Status) == statusDraining {
		return 0
	}
	return int(math.Ceil(float64(s.Desired()) * set.Doc.Scale.Value / 100))
}

// keepSets keeps every task set of the service at its scale. Which of them there are, and which is PRIMARY, is decided by
// somebody else; the minimum and the maximum count only while tasks are replaced. [ECS guide, external deployments]
func (p *pass) keepSets() {
	sets := p.sets()
	p.measure(sets)
	p.replaceSick()
	p.evict()
	steady := len(sets) > 0
	p.lookAgain(p.now.Add(p.pace.Quiet))
	for _, d := range p.current() {
		set, ok := sets[d.ID]
		if !ok {
			continue
		}
		p.scaleSet(d)
		p.sayOfSet(d)
		steady = p.stabilize(d, set) && steady
	}
	if p.service.Steady != steady {
		p.editService().Steady = steady
	}
}

// sets returns the task sets of the service by their deployments.
func (p *pass) sets() map[state.DeploymentID]*state.TaskSet {
	sets := map[state.DeploymentID]*state.TaskSet{}
	for set := range p.snap.TaskSets(p.service.ID) {
		sets[set.Deployment] = set
	}
	return sets
}

// measure says how many tasks each set is to have, and from that how many there must and may be while tasks are replaced.
func (p *pass) measure(sets map[state.DeploymentID]*state.TaskSet) {
	low, high := 100, 200
	if c := p.service.Doc.DeploymentConfiguration; c != nil {
		low, high = int(*orElse(c.MinimumHealthyPercent, 100)), int(*orElse(c.MaximumPercent, 200))
	}
	p.desired, p.floor, p.ceiling = 0, 0, 0
	for _, d := range p.current() {
		size := 0
		if set, ok := sets[d.ID]; ok {
			size = TaskSetSize(p.service, set)
		}
		if d == p.primary {
			p.desired = size
		}
		p.setWanted(d, size)
		p.floor += Floor(size, low)
		p.ceiling += max(Ceiling(size, high), size, len(d.tasks)) // other sets are none of its business
	}
}

func orElse(n *int32, otherwise int32) *int32 {
	if n == nil {
		return &otherwise
	}
	return n
}

// scaleSet starts what a task set lacks, and stops what it has too many of.
func (p *pass) scaleSet(d *deployment) {
	lacking := p.wanted(d) - d.count(good)
	if p.mayStart(d) {
		p.fill(d, lacking)
	}
	chosen := choose(d.tasks, -lacking, len(d.tasks))
	for _, t := range chosen {
		p.scaleIn(t)
	}
	p.sayShielded(d, -lacking-len(chosen))
}

// fill starts up to n tasks of a set, and tells when one of them finds no place.
func (p *pass) fill(d *deployment, n int) {
	for range min(n-d.count(stillborn), p.room()) {
		place, refusal := p.place(d)
		if refusal != nil {
			p.sayOnce(d, sortPlacement, ", taskSet %s) %s", d.ID, refusal.Event())
			return
		}
		p.plan.Start = append(p.plan.Start, Start{Deployment: d.ID, Place: place})
	}
	d.overcome(sortPlacement)
}

// sayOfSet tells which tasks of a set are started and stopped.
func (p *pass) sayOfSet(d *deployment) {
	var started, stopped []string
	pending := 0
	for i, s := range p.plan.Start {
		if s.Deployment == d.ID {
			started = append(started, "(task "+startRef(i)+")")
		}
	}
	for _, t := range d.tasks {
		switch {
		case !t.stopped:
		case t.Last.Before(state.Running):
			pending++
		default:
			stopped = append(stopped, "(task "+string(t.ID)+")")
		}
	}
	if len(started) > 0 {
		p.say(", taskSet %s) has started %d tasks: %s.", d.ID, len(started), strings.Join(started, " "))
	}
	if pending > 0 {
		p.say(", taskSet %s) stopped %d pending tasks.", d.ID, pending)
	}
	if len(stopped) > 0 {
		p.say(", taskSet %s) has stopped %d running tasks: %s.", d.ID, len(stopped), strings.Join(stopped, " "))
	}
}

// stabilize notes whether a task set has what it wants, tells when it does, and forgets one that is being deleted when it
// has no tasks any more. It returns whether the set is steady. [API reference: TaskSet, stabilityStatus]
func (p *pass) stabilize(d *deployment, set *state.TaskSet) bool {
	if aws.ToString(set.Doc.Status) == statusDraining && len(d.tasks) == 0 {
		p.plan.Ended = append(p.plan.Ended, set)
		d.edit().Status, d.edit().Updated = state.Inactive, p.now
		return true
	}
	size := p.wanted(d)
	steady := len(d.tasks) == size && d.count(well) == size && d.count(good) == size && p.startedOf(d) == size
	status := types.StabilityStatusStabilizing
	if steady {
		status = types.StabilityStatusSteadyState
		p.sayOnce(d, sortSteady, ", taskSet %s) has reached a steady state.", d.ID)
		p.lookAgain(d.Told[string(sortSteady)].At.Add(p.pace.Quiet))
	} else {
		d.overcome(sortSteady)
		p.lookAgain(p.now.Add(p.pace.Pass))
	}
	if set.Doc.StabilityStatus != status {
		changed := *set
		changed.Doc.StabilityStatus, changed.Doc.StabilityStatusAt = status, p.moment()
		p.plan.TaskSets = append(p.plan.TaskSets, &changed)
	}
	return steady
}

// lookAgain has the service looked at at that time, unless it is looked at earlier.
func (p *pass) lookAgain(at time.Time) {
	if p.plan.Again.IsZero() || at.Before(p.plan.Again) {
		p.plan.Again = at
	}
}

// endSets forgets the task sets of a service that has come to its end.
func (p *pass) endSets() {
	if p.status() != statusInactive {
		return
	}
	for set := range p.snap.TaskSets(p.service.ID) {
		p.plan.Ended = append(p.plan.Ended, set)
	}
}
