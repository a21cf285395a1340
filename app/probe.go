package app

import (
	"context"

	"github.com/slipway-cd/slipway/engine/balance"
	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
)

// Probe returns how targets are checked: over the network, but where the runtime's containers have no sockets, which
// answer for themselves.
func Probe(db *state.DB, r runtime.Runtime) balance.Probe {
	prober, ok := r.(runtime.Prober)
	if !ok {
		return balance.Dial
	}
	return func(ctx context.Context, target *state.Target, c balance.Check) balance.Outcome {
		task, ok := db.Read().Task(target.Task)
		if !ok {
			return balance.Dial(ctx, target, c) // it was registered by hand: nobody knows what it is
		}
		container := behind(task, target)
		return c.Judge(prober.Probe(ctx, lifecycle.Name(task.ID, container.Name), int(target.Address.Port()), c.Path))
	}
}

// behind returns the container that takes a target's traffic: the one with its host port, or the first of a task with an
// address of its own.
func behind(task *state.Task, target *state.Target) state.Container {
	for _, c := range task.Containers {
		for _, b := range c.Bindings {
			if b.HostPort != nil && int(*b.HostPort) == int(target.Address.Port()) {
				return c
			}
		}
	}
	if len(task.Containers) == 0 {
		return state.Container{}
	}
	return task.Containers[0]
}
