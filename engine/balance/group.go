package balance

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// group is a set of targets that requests are spread over. What it chooses from is replaced as a whole.
type group struct {
	id   groupID
	pool atomic.Pointer[pool]
	next atomic.Uint64
}

// pool is the targets of a group that take new requests, and how one of them is chosen. It is never changed.
type pool struct {
	targets []*target
	routing routing
}

// routing says how a target of a group is chosen, at AWS's pace. [Application Load Balancers: Target group attributes]
type routing struct {
	Algorithm string        // round_robin, least_outstanding_requests or weighted_random
	SlowStart time.Duration // a target that has become healthy gets its full share after so long
	Sticky    string        // "", lb_cookie, app_cookie or source_ip
	Cookie    string        // the program's own one, for app_cookie
	Lasts     time.Duration // of the bond between a client and its target

	FailsOpen bool    // with too few healthy targets all of them take requests
	Least     int     // so many must be healthy
	LeastPart float64 // and this part of all: 0 to 1
}

// pick returns the target for the client, or nil when there is none.
func (g *group) pick(v *visit) *target {
	p := g.pool.Load()
	if p == nil || len(p.targets) == 0 {
		return nil
	}
	if p.routing.Sticky != "" {
		if t := p.bound(v); t != nil {
			return t
		}
	}
	switch p.routing.Algorithm {
	case "least_outstanding_requests":
		return p.idlest(g.next.Add(1))
	case "weighted_random":
		return p.inTurn(rand.Uint64)
	default:
		return p.inTurn(func() uint64 { return g.next.Add(1) })
	}
}

// inTurn returns the target that turn points to, unless it is starting slowly and this turn is not for it.
func (p *pool) inTurn(turn func() uint64) *target {
	n := uint64(len(p.targets))
	if p.routing.SlowStart == 0 {
		return p.targets[turn()%n]
	}
	now := time.Now()
	var t *target
	for range 2 * n {
		t = p.targets[turn()%n]
		if share := t.share(now, p.routing.SlowStart); share == 1 || rand.Float64() < share {
			return t
		}
	}
	return t
}

// idlest returns the target with the fewest requests in flight, from the one on whose turn it is.
func (p *pool) idlest(turn uint64) *target {
	var best *target
	least := 0
	for i := range uint64(len(p.targets)) {
		t := p.targets[(turn+i)%uint64(len(p.targets))]
		if n := t.outstanding(); best == nil || n < least {
			best, least = t, n
		}
	}
	return best
}

// size returns how many targets there are to choose from.
func (g *group) size() int {
	if p := g.pool.Load(); p != nil {
		return len(p.targets)
	}
	return 0
}

// sticky reports whether clients are bound to targets of the group by cookies.
func (g *group) sticky() bool {
	p := g.pool.Load()
	return p != nil && (p.routing.Sticky == "lb_cookie" || p.routing.Sticky == "app_cookie")
}

// candidate is a target that is not draining, with what its record says.
type candidate struct {
	*target
	health v2.TargetHealthStateEnum
}

func (c candidate) healthy() bool {
	return c.health == v2.TargetHealthStateEnumHealthy || c.health == v2.TargetHealthStateEnumUnavailable
}

// choose returns the targets that take new requests: the healthy ones. When too few are healthy, load balancers fail open
// and have all of them take requests, but for classic ones, which answer 503 when none is.
// [Application Load Balancers: Target group health; Classic Load Balancers: HTTP errors]
func choose(candidates []candidate, r routing) []*target {
	var healthy, all []*target
	for _, c := range candidates {
		if c.healthy() {
			healthy = append(healthy, c.target)
		}
		all = append(all, c.target)
	}
	enough := len(healthy) > 0 && len(healthy) >= r.Least && float64(len(healthy)) >= r.LeastPart*float64(len(all))
	if !enough && r.FailsOpen {
		return all
	}
	return healthy
}

// startSlowly has targets that have become healthy begin with a small share of the requests, if there is another one
// that takes its full share meanwhile. [Application Load Balancers: Slow start mode]
func startSlowly(candidates []candidate, slow time.Duration, since func(*target) time.Time) {
	now, warm := time.Now(), false
	for _, c := range candidates {
		warm = warm || c.healthy() && c.known == v2.TargetHealthStateEnumHealthy && c.share(now, slow) == 1
	}
	for _, c := range candidates {
		switch {
		case !c.healthy() || slow == 0:
			c.slowFrom.Store(0)
		case c.known != v2.TargetHealthStateEnumHealthy && c.known != "" && warm:
			c.slowFrom.Store(since(c.target).UnixNano())
		}
		c.known = c.health
	}
}
