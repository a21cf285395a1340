package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// Ask says for what a place is sought.
type Ask struct {
	Definition  *state.TaskDefinition
	Overrides   *types.TaskOverride // nil: none
	Fargate     bool
	Zone        string // empty: any will do
	Provider    string // the capacity provider that must have the instance; empty: any will do
	Group       string // "service:web", "family:web": whose tasks are spread, and kept apart by distinctInstance
	Constraints []types.PlacementConstraint
	Strategies  []types.PlacementStrategy // none: over zones, then to the instance with the fewest tasks of the group
	Seed        uint64                    // for the strategy random

	mappings    []mapping
	cpu, memory int
	gpus        int
}

// Failure is why there is no place for a task.
type Failure struct {
	Closest *state.Instance // the instance that met most requirements; nil: there is none at all
	Where   string          // where none was, when there is none at all: "cluster", "capacity provider"
	Reason  string          // as in the failures of RunTask: RESOURCE:CPU, RESOURCE:MEMORY, RESOURCE:PORTS, AGENT, ATTRIBUTE …
	Detail  string          // more, where there is more to say
}

// The reasons, in the order in which the requirements are looked at. [ecs-behaviour 1.6, placement]
const (
	reasonAgent     = "AGENT"
	reasonCPU       = "RESOURCE:CPU"
	reasonMemory    = "RESOURCE:MEMORY"
	reasonPorts     = "RESOURCE:PORTS"
	reasonGPU       = "RESOURCE:GPU"
	reasonAttribute = "ATTRIBUTE"
	reasonMissing   = "MISSING"
	reasonCapacity  = "Capacity is unavailable at this time. Please try again later or in a different availability zone."
	reasonDistinct  = "DistinctInstance placement constraint unsatisfied."
	reasonMember    = "MemberOf placement constraint unsatisfied."
)

var reasons = []string{reasonAgent, reasonCPU, reasonMemory, reasonPorts, reasonGPU, reasonAttribute, reasonDistinct, reasonMember}

// Event returns what service events say after the service's name.
func (f *Failure) Event() string {
	said := "was unable to place a task because no container instance met all of its requirements. " + f.Text()
	if f.Reason == reasonCapacity {
		said = "was unable to place a task. Reason: " + reasonCapacity
	}
	return said + " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
}

// Text returns the sentence that service events contain where no container instance will do.
func (f *Failure) Text() string {
	if f.Closest == nil {
		return "Reason: " + noInstances(cmp.Or(f.Where, "cluster"))
	}
	closest := fmt.Sprintf("The closest matching (container-instance %s) ", f.Closest.ID)
	switch f.Reason {
	case reasonCPU:
		return closest + "has insufficient CPU units available."
	case reasonMemory:
		return closest + "has insufficient memory available."
	case reasonPorts:
		return closest + "is already using a port required by your task."
	case reasonGPU:
		return closest + "has insufficient GPUs available."
	case reasonAttribute:
		return closest + "is missing an attribute required by your task."
	default:
		return closest + fmt.Sprintf("encountered error %q.", f.Reason)
	}
}

func noInstances(where string) string {
	return "No Container Instances were found in your " + where + "."
}

// Doc returns the failure as RunTask reports it.
func (f *Failure) Doc() types.Failure {
	doc := types.Failure{Reason: aws.String(f.Reason)}
	if f.Closest != nil {
		doc.Arn = f.Closest.Doc.ContainerInstanceArn
	}
	if f.Detail != "" {
		doc.Detail = aws.String(f.Detail)
	}
	return doc
}

// Place finds a place for one task and takes it.
func (f *Fleet) Place(ask Ask) (Place, *Failure) {
	ask.prepare()
	if ask.Fargate {
		return f.placeOnFargate(&ask)
	}
	s, failure := f.find(&ask)
	if failure != nil {
		return Place{}, failure
	}
	return f.occupy(s, &ask), nil
}

// PlaceOn places one task on a container instance, whatever the constraints and strategies, if it has room for it.
func (f *Fleet) PlaceOn(ask Ask, id state.InstanceID) (Place, *Failure) {
	ask.prepare()
	s := f.site(id)
	if s == nil {
		return Place{}, &Failure{Reason: reasonMissing}
	}
	if reason := s.lacks(&ask); reason != "" {
		return Place{}, &Failure{Closest: s.Instance, Reason: reason}
	}
	return f.occupy(s, &ask), nil
}

// occupy takes a place on an instance that has room for the task.
func (f *Fleet) occupy(s *site, ask *Ask) Place {
	ports, _ := s.portsFor(ask)
	place := Place{
		Instance: s.ID, Zone: s.Zone, CPU: ask.cpu, Memory: ask.memory, Ports: ports,
		GPUs: slices.Clone(s.gpus[:ask.gpus]), Provider: ask.Provider,
	}
	f.take(s, ask.taking(place), ask.Group)
	for i, m := range ask.mappings {
		if m.host == 0 && !ask.ownAddress() && i < len(ports) {
			s.lastPort = ports[i].Port
		}
	}
	return place
}

// Fits reports whether there is a place for one task, without taking it.
func (f *Fleet) Fits(ask Ask) bool {
	ask.prepare()
	if ask.Fargate {
		return len(f.zones()) > 0
	}
	_, failure := f.find(&ask)
	return failure == nil
}

// fitsWithout reports whether the instance would have a place if these tasks, which are of the group, were gone.
func (f *Fleet) fitsWithout(ask Ask, id state.InstanceID, gone []*state.Task) bool {
	ask.prepare()
	s := f.site(id)
	if s == nil {
		return false
	}
	staying := 0
	for _, t := range gone {
		if t.Desired != state.Stopped {
			staying++
		}
	}
	return f.obstacle(&ask, s.without(gone), staying) == ""
}

func (f *Fleet) placeOnFargate(ask *Ask) (Place, *Failure) {
	place := Place{CPU: ask.cpu, Memory: ask.memory, Provider: ask.Provider}
	g := f.group(ask.Group)
	zones := slices.DeleteFunc(f.zones(), func(zone string) bool { return ask.Zone != "" && zone != ask.Zone })
	if len(zones) == 0 {
		return Place{}, &Failure{Reason: reasonCapacity}
	}
	place.Zone = slices.MinFunc(zones, func(a, b string) int { return cmp.Or(g.zones[a]-g.zones[b], strings.Compare(a, b)) })
	g.zones[place.Zone]++
	for _, m := range ask.mappings {
		place.Ports = append(place.Ports, state.HostPort{Port: m.port, Protocol: m.protocol})
	}
	return place, nil
}

// find returns the best of the instances that meet all requirements.
func (f *Fleet) find(ask *Ask) (*site, *Failure) {
	var best, closest *site
	furthest := -1
	for _, s := range f.sites {
		if !s.active() || ask.Zone != "" && s.Zone != ask.Zone || ask.Provider != "" && aws.ToString(s.Doc.CapacityProviderName) != ask.Provider {
			continue
		}
		if best != nil && f.compare(ask, s, best) >= 0 {
			continue
		}
		if reason := f.obstacle(ask, s, 0); reason != "" {
			if at := slices.Index(reasons, reason); at > furthest {
				closest, furthest = s, at
			}
			continue
		}
		best = s
	}
	switch {
	case best != nil:
		return best, nil
	case closest == nil:
		where := "cluster"
		if ask.Provider != "" {
			where = "capacity provider"
		}
		return nil, &Failure{Where: where, Reason: "EMPTY CLUSTER", Detail: noInstances(where)}
	default:
		return nil, &Failure{Closest: closest.Instance, Reason: reasons[furthest], Detail: f.detail(ask, reasons[furthest])}
	}
}

// prepare works out once what is the same for every instance.
func (a *Ask) prepare() {
	a.cpu, a.memory = Needs(a.Definition, a.Overrides)
	a.gpus = NeedsGPUs(a.Definition, a.Overrides)
	if a.mode() != types.NetworkModeNone {
		a.mappings = mappings(a.Definition)
	}
}

func (a *Ask) mode() types.NetworkMode {
	if a.Fargate {
		return types.NetworkModeAwsvpc
	}
	return cmp.Or(a.Definition.Doc.NetworkMode, types.NetworkModeBridge)
}

// ownAddress reports whether the task's ports listen at an address of its own, not at the instance's.
func (a *Ask) ownAddress() bool { return a.mode() == types.NetworkModeAwsvpc }

// taking returns what a place takes from its instance.
func (a *Ask) taking(place Place) Place {
	if a.ownAddress() {
		place.Ports = nil
	}
	return place
}
