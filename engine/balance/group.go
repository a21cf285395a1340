package balance

import (
	"sync/atomic"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// group is a set of targets that requests are spread over in turn. What it chooses from is replaced as a whole.
type group struct {
	choice  atomic.Pointer[[]*target]
	next    atomic.Uint64
	classic atomic.Bool
}

// pick returns the target whose turn it is, or nil when there is none.
func (g *group) pick() *target {
	choice := g.choice.Load()
	if choice == nil || len(*choice) == 0 {
		return nil
	}
	return (*choice)[g.next.Add(1)%uint64(len(*choice))]
}

// size returns how many targets there are to choose from.
func (g *group) size() int {
	if choice := g.choice.Load(); choice != nil {
		return len(*choice)
	}
	return 0
}

// candidate is a target that is not draining, with what its record says.
type candidate struct {
	*target
	health v2.TargetHealthStateEnum
}

// choose returns the targets that take new requests: the healthy ones. When none is healthy, an application load balancer
// fails open and takes all of them, while a classic one answers 503.
// [Application Load Balancers: Health checks for target groups; Classic Load Balancers: HTTP errors]
func choose(candidates []candidate, classic bool) []*target {
	var healthy, all []*target
	for _, c := range candidates {
		if c.health == v2.TargetHealthStateEnumHealthy || c.health == v2.TargetHealthStateEnumUnavailable {
			healthy = append(healthy, c.target)
		}
		all = append(all, c.target)
	}
	if len(healthy) == 0 && !classic {
		return all
	}
	return healthy
}
