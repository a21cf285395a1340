package schedule

import (
	"hash/fnv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// instances returns the room in the service's cluster, looked up when it is first asked for.
func (p *pass) instances() *Fleet {
	if p.fleet == nil {
		p.fleet = NewFleet(p.snap, p.service.ID.Cluster)
	}
	return p.fleet
}

// place takes a place for one more task of the deployment.
func (p *pass) place(d *deployment) (Place, *Failure) {
	if d.definition == nil {
		return Place{}, &Failure{Reason: reasonMissing, Detail: "its task definition is not there"}
	}
	place, failure := p.instances().Place(p.ask(d))
	if failure == nil {
		d.sharing().Note(place.Provider)
	}
	return place, failure
}

func (p *pass) placeable(d *deployment) bool {
	return d.definition != nil && p.instances().Fits(p.ask(d))
}

func (p *pass) ask(d *deployment) Ask {
	h := fnv.New64a()
	_, _ = h.Write([]byte(d.ID)) // never fails
	next := d.sharing().Next()
	return Ask{
		Definition: d.definition, Fargate: d.revision.LaunchType == types.LaunchTypeFargate || OnFargate(next), Provider: next,
		Group: "service:" + p.service.ID.Name, Constraints: p.service.Doc.PlacementConstraints,
		Strategies: p.service.Doc.PlacementStrategy,
		Seed:       h.Sum64() + uint64(p.now.UnixNano()) + uint64(len(p.plan.Start)),
	}
}

// sharing returns how the deployment's tasks are shared among the capacity providers of its strategy.
func (d *deployment) sharing() *Shares {
	if d.shares == nil {
		d.shares = NewShares(d.revision.CapacityProviderStrategy)
		for _, t := range d.tasks {
			if good(t) {
				d.shares.Note(t.Provider)
			}
		}
	}
	return d.shares
}
