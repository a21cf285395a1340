package engine

import (
	"net/netip"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// Address returns an address of the engine's network that nothing in the state has: for an instance, a load balancer,
// or a task with network mode awsvpc. It is taken as soon as a record that has it is put.
//
// Addresses are given out in turn, so that one is not used again at once by something else.
func (e *Engine) Address(tx *state.Tx) (netip.Addr, error) {
	return e.free(tx).take()
}

// addresses are those that are free at one moment.
type addresses struct {
	engine *Engine
	taken  map[netip.Addr]bool
}

func (e *Engine) free(tx *state.Tx) *addresses {
	taken := map[netip.Addr]bool{}
	for i := range tx.AllInstances() {
		if i.Gone.IsZero() || tx.Usage(i.ID).Tasks > 0 {
			taken[i.Address] = true
		}
	}
	for b := range tx.ClassicBalancers() {
		taken[b.Address] = true
	}
	for b := range tx.Balancers() {
		taken[b.Address] = true
	}
	for t := range tx.TasksWithAddress() {
		taken[t.Address] = true
	}
	return &addresses{e, taken}
}

func (a *addresses) take() (netip.Addr, error) {
	network := a.engine.options.Addresses
	first := network.Addr().Next() // the network's own address stays free, and the next, for the engine itself
	a.engine.mu.Lock()
	defer a.engine.mu.Unlock()
	for range 1 << (32 - network.Bits()) {
		candidate := a.engine.lastAddress.Next()
		if !network.Contains(candidate) || candidate.Compare(first) <= 0 {
			candidate = first.Next()
		}
		a.engine.lastAddress = candidate
		if !a.taken[candidate] && network.Contains(candidate.Next()) { // the last one is the broadcast address
			a.taken[candidate] = true
			return candidate, nil
		}
	}
	return netip.Addr{}, fault.New(fault.Unavailable, "no address of %s is free", network).
		WithHint("delete load balancers or clusters that are no longer needed, or give the engine a larger network")
}
