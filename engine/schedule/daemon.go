package schedule

import (
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// daemon keeps one task of the service on every ACTIVE container instance that meets its constraints, and updates them
// instance by instance: the old task goes first, the new one comes in its place. [ecs-behaviour 1.2, DAEMON]
func (p *pass) daemon() {
	hosts := p.survey()
	p.replaceSick()
	p.breakCircuit()
	p.withdraw()
	p.renew()
	p.startOn(hosts)
	p.sayStarts(p.unhealthy())
	p.sayStops()
	p.sayStuck()
	p.want()
	p.complete()
}

// survey finds the instances that want a task, which is what the desired count of such a service is.
func (p *pass) survey() []*site {
	p.fleet = newFleet(p.snap, p.service.ID.Cluster) // not less what is reserved: that is for these very tasks
	var hosts []*site
	ask := p.ask(p.primary)
	if ask.Definition != nil {
		for _, s := range p.fleet.sites {
			if s.active() && !s.disconnected() && p.fleet.unsatisfied(&ask, s, math.MaxInt) == "" {
				hosts = append(hosts, s)
			}
		}
	}
	p.desired = len(hosts)
	if p.service.Desired() != p.desired {
		p.editService().Doc.DesiredCount = int32(p.desired)
	}
	low := int32(0)
	if c := p.service.Doc.DeploymentConfiguration; c != nil && c.MinimumHealthyPercent != nil {
		low = *c.MinimumHealthyPercent
	}
	p.floor, p.ceiling = Floor(p.desired, int(low)), p.desired
	for _, d := range p.current() {
		for _, t := range d.tasks {
			t.leaving = !slices.ContainsFunc(hosts, func(s *site) bool { return s.ID == t.Instance })
		}
	}
	return hosts
}

// withdraw stops the tasks on instances that want none any more. On one that drains, a task is stopped only when the
// tasks of all other services are gone from it.
func (p *pass) withdraw() {
	for _, d := range p.current() {
		for _, t := range d.tasks {
			if staying(t) && t.leaving && (t.Last.Before(state.Running) || !p.needed(t)) {
				p.scaleIn(t)
			}
		}
	}
}

// needed reports whether the task's instance still has tasks of services that are not daemons.
func (p *pass) needed(t *task) bool {
	i, ok := p.snap.Instance(t.Instance)
	if !ok || aws.ToString(i.Doc.Status) != statusDraining {
		return false
	}
	for other := range p.snap.TasksOnInstance(t.Instance) {
		if s, ok := p.snap.Service(other.Service); ok && other.Alive() && !s.Daemon() {
			return true
		}
	}
	return false
}

// renew stops tasks of the deployments that are being replaced: those that aren't healthy, and of the others as many as
// the floor allows.
func (p *pass) renew() {
	if !p.mayStart(p.primary) {
		return
	}
	for _, d := range p.olds {
		for _, t := range d.tasks {
			if staying(t) && !t.leaving && !t.protected && (!t.healthy || p.healthyHere() > p.floor) {
				p.scaleIn(t)
			}
		}
	}
}

// healthyHere counts the healthy tasks on the instances that want one.
func (p *pass) healthyHere() int {
	n := 0
	for _, d := range p.current() {
		n += d.count(func(t *task) bool { return well(t) && !t.leaving })
	}
	return n
}

// startOn starts a task on each of the instances that has none, not even one that is stopping.
func (p *pass) startOn(hosts []*site) {
	busy, renewed := map[state.InstanceID]bool{}, map[state.InstanceID]bool{}
	for _, d := range p.current() {
		for _, t := range d.tasks {
			busy[t.Instance] = true
			renewed[t.Instance] = renewed[t.Instance] || d == p.primary
		}
	}
	for _, s := range hosts {
		switch {
		case renewed[s.ID]:
		case busy[s.ID], !p.mayStart(p.primary):
			p.missing++
		default:
			p.startAt(s)
		}
	}
}

func (p *pass) startAt(s *site) {
	place, refusal := p.fleet.PlaceOn(p.ask(p.primary), s.ID)
	if refusal != nil {
		p.refusal = refusal
		p.missing++
		return
	}
	p.plan.Start = append(p.plan.Start, Start{Deployment: p.primary.ID, Place: place})
}

// everywhere reports whether every instance that wants a task has a healthy one of the PRIMARY deployment, and no other.
func (p *pass) everywhere() bool {
	for _, d := range p.olds {
		if d.count(func(t *task) bool { return !t.leaving }) > 0 {
			return false
		}
	}
	here := func(t *task) bool { return well(t) && !t.leaving }
	return !p.turned && len(p.plan.Start) == 0 && p.primary.count(here) == p.desired
}

// reserve keeps free what the DAEMON services of the cluster still need on its instances. [ECS guide, DAEMON: Amazon ECS
// reserves CPU, memory and network interfaces for daemon tasks]
func (f *Fleet) reserve() {
	for s := range f.snap.Daemons(f.cluster) {
		ask, ok := daemonAsk(f.snap, s)
		if !ok {
			continue
		}
		ask.prepare()
		group := f.group(ask.Group)
		for _, site := range f.sites {
			if site.active() && group.instances[site.ID] == 0 && f.unsatisfied(&ask, site, 0) == "" {
				site.keep(&ask)
			}
		}
	}
}

// keep sets aside what a task would take. What isn't there cannot be kept.
func (s *site) keep(ask *Ask) {
	ports, ok := s.portsFor(ask)
	if ok && !ask.ownAddress() {
		for i, m := range ask.mappings {
			if m.host != 0 || ask.mode() == types.NetworkModeHost { // a dynamic port is found at any time
				s.ports = append(s.ports, ports[i])
			}
		}
	}
	s.cpu, s.memory = max(s.cpu-ask.cpu, 0), max(s.memory-ask.memory, 0)
	s.gpus = s.gpus[min(ask.gpus, len(s.gpus)):]
}

// daemonAsk says for what a DAEMON service seeks places; not ok when it starts nothing.
func daemonAsk(snap state.Snapshot, s *state.Service) (Ask, bool) {
	for d := range snap.Deployments(s.ID) {
		if d.Status != state.Primary || d.Broken {
			continue
		}
		definition, ok := snap.TaskDefinition(d.TaskDefinition)
		return Ask{Definition: definition, Group: "service:" + s.ID.Name, Constraints: s.Doc.PlacementConstraints}, ok
	}
	return Ask{}, false
}
