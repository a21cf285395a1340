package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const attributeZone = "attribute:ecs.availability-zone"

// rebalance moves tasks from availability zones with more of them to zones with fewer, once the service is steady: new ones are
// started first, and others stopped when those are healthy. [Amazon ECS Developer Guide, "Balancing an Amazon ECS service across
// Availability Zones"; "Availability Zone service rebalancing service event messages"]
func (p *pass) rebalance() {
	if !p.rebalances() {
		p.balancing(false)
		return
	}
	if p.service.Balancing {
		p.stopInRichest()
	}
	if !p.whole() || p.alive() != p.desired {
		return
	}
	zones := p.spread()
	if zones.even() {
		if p.service.Balancing {
			p.say(") is AZ balanced with %s.", zones.text(" tasks"))
		}
		p.primary.overcome(sortBalance)
		p.balancing(false)
		return
	}
	p.sayOnce(p.primary, sortBalance, ") is not AZ balanced with %s. AZ Rebalancing in progress.", zones.text(""))
	p.balancing(p.startInPoorest(zones))
	p.plan.Again = p.now.Add(p.pace.Pass)
	if !p.service.Balancing { // nothing tells when there is room in a zone
		p.plan.Again = p.now.Add(6 * p.pace.Pass)
	}
}

// rebalances reports whether the service is one of those whose tasks are moved, and at rest but for that.
func (p *pass) rebalances() bool {
	doc := p.service.Doc
	if doc.AvailabilityZoneRebalancing != types.AvailabilityZoneRebalancingEnabled || p.ceiling <= p.desired || len(p.olds) > 0 ||
		p.primary.Broken || p.primary.State != types.DeploymentRolloutStateCompleted {
		return false
	}
	if slices.ContainsFunc(doc.LoadBalancers, func(lb types.LoadBalancer) bool { return lb.LoadBalancerName != nil }) {
		return false // a classic one
	}
	if strategies := doc.PlacementStrategy; len(strategies) > 0 {
		return strategies[0].Type == types.PlacementStrategyTypeSpread && aws.ToString(strategies[0].Field) == attributeZone
	}
	return true
}

func (p *pass) balancing(so bool) {
	if p.service.Balancing != so {
		p.editService().Balancing = so
	}
}

// zoneCount says how many tasks of the service a zone has.
type zoneCount struct {
	zone  string
	tasks int
}

// zoneCounts are those of all zones that tasks may be in, by name.
type zoneCounts []zoneCount

// spread counts the tasks in each zone that they could be in.
func (p *pass) spread() zoneCounts {
	counts := map[string]int{}
	for _, t := range p.primary.tasks {
		if good(t) {
			counts[t.Zone]++
		}
	}
	var list zoneCounts
	for _, zone := range p.instances().zonesFor(p.ask(p.primary)) {
		list = append(list, zoneCount{zone, counts[zone]})
	}
	return list
}

// even reports whether no zone has more than one task more than another one.
func (z zoneCounts) even() bool {
	poorest, richest := z.ends()
	return len(z) < 2 || z[richest].tasks-z[poorest].tasks <= 1
}

// ends returns the places of a zone with the fewest tasks and of one with the most.
func (z zoneCounts) ends() (poorest, richest int) {
	for i, c := range z {
		if c.tasks < z[poorest].tasks {
			poorest = i
		}
		if c.tasks > z[richest].tasks {
			richest = i
		}
	}
	return poorest, richest
}

// lacking returns how many more tasks each zone would have if they were even.
func (z zoneCounts) lacking() map[string]int {
	left, more := slices.Clone(z), map[string]int{}
	for !left.even() {
		poorest, richest := left.ends()
		left[poorest].tasks++
		left[richest].tasks--
		more[left[poorest].zone]++
	}
	return more
}

// text lists the zones as events do; what stands after the later numbers depends on the event.
func (z zoneCounts) text(later string) string {
	parts := make([]string, len(z))
	for i, c := range z {
		what := later
		if i == 0 {
			what = " tasks"
		}
		parts[i] = fmt.Sprintf("%d%s in %s", c.tasks, what, c.zone)
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + ", and " + parts[last]
}

// startInPoorest starts tasks in the zones with the fewest, until these would be even or there is no room for more. It reports
// whether there are any.
func (p *pass) startInPoorest(zones zoneCounts) bool {
	if !p.mayStart(p.primary) {
		return false
	}
	lacking := zones.lacking()
	moved := false
	for _, z := range zones {
		first := len(p.plan.Start)
		for n := lacking[z.zone]; n > 0 && p.room() > 0; n-- {
			ask := p.ask(p.primary)
			ask.Zone = z.zone
			place, failure := p.instances().Place(ask)
			if failure != nil {
				p.sayOnce(p.primary, sortZone+sort(z.zone),
					") is unable to place a task in %s because no container instance met all of its requirements.", z.zone)
				break
			}
			p.plan.Start = append(p.plan.Start, Start{Deployment: p.primary.ID, Place: place})
		}
		if n := len(p.plan.Start) - first; n > 0 {
			moved = true
			p.primary.overcome(sortZone + sort(z.zone))
			p.say(") has started %d tasks in %s to AZ Rebalance: %s.", n, z.zone, startRefs(first, n))
		}
	}
	return moved
}

func startRefs(first, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "(task " + startRef(first+i) + ")"
	}
	return strings.Join(names, " ")
}

// stopInRichest stops what there is too much of, in the zones with the most tasks, as soon as others are healthy.
func (p *pass) stopInRichest() {
	stopped := map[string][]string{}
	for excess := p.primary.count(well) - p.desired; excess > 0; excess-- {
		t := p.richest()
		if t == nil {
			break
		}
		p.scaleIn(t)
		stopped[t.Zone] = append(stopped[t.Zone], "(task "+string(t.ID)+")")
	}
	for _, z := range p.spread() {
		if names := stopped[z.zone]; len(names) > 0 {
			p.say(") has stopped %d running tasks in %s due to AZ rebalancing: %s.", len(names), z.zone, strings.Join(names, " "))
		}
	}
}

// richest returns a task of the zone with the most, the newest; nil when none may be stopped.
func (p *pass) richest() *task {
	counts := map[string]int{}
	for _, z := range p.spread() {
		counts[z.zone] = z.tasks
	}
	var best *task
	for _, t := range p.primary.tasks {
		if !well(t) || t.protected {
			continue
		}
		if best == nil || cmp.Or(counts[t.Zone]-counts[best.Zone], t.CreatedAt.Compare(best.CreatedAt), strings.Compare(string(t.ID), string(best.ID))) > 0 {
			best = t
		}
	}
	return best
}

// zonesFor returns the zones in which a task may be at all, by name: where there are instances that take such tasks, whether they
// have room now or not.
func (f *Fleet) zonesFor(ask Ask) []string {
	ask.prepare()
	if ask.Fargate {
		return f.zones()
	}
	var zones []string
	for _, s := range f.sites {
		if !s.active() || ask.Provider != "" && aws.ToString(s.Doc.CapacityProviderName) != ask.Provider || slices.Contains(zones, s.Zone) {
			continue
		}
		if reason := f.obstacle(&ask, s, 0); reason != reasonAttribute && reason != reasonMember && reason != reasonDistinct {
			zones = append(zones, s.Zone)
		}
	}
	slices.Sort(zones)
	return zones
}
