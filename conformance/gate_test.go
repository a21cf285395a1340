package conformance

import (
	"context"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/fault"
)

// gate stands between an engine and the containers. When it is shut, the engine cannot do anything to them any more, as one
// that was killed cannot; the containers live on.
type gate struct {
	*scripted.Runtime

	mu     sync.Mutex
	shut   bool
	calls  int    // that are let through before the engine is killed; negative: any number
	killed func() // called once, when that number is reached
}

func newGate(r *scripted.Runtime) *gate { return &gate{Runtime: r, calls: -1} }

// killAfter has the engine killed after so many more calls.
func (g *gate) killAfter(calls int, killed func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls, g.killed = calls, killed
}

// pass lets a call through, or says that there is no engine any more that makes it.
func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.shut:
		return fault.New(fault.Unavailable, "the engine was killed")
	case g.calls < 0:
		return nil
	case g.calls == 0:
		g.shut = true
		g.killed()
		return fault.New(fault.Unavailable, "the engine was killed")
	}
	g.calls--
	return nil
}

// close shuts the gate; it reports whether it was open.
func (g *gate) close() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := !g.shut
	g.shut = true
	return was
}

func (g *gate) Create(ctx context.Context, spec runtime.Spec) error {
	if err := g.pass(); err != nil {
		return err
	}
	return g.Runtime.Create(ctx, spec)
}

func (g *gate) Start(ctx context.Context, name runtime.Name) error {
	if err := g.pass(); err != nil {
		return err
	}
	return g.Runtime.Start(ctx, name)
}

func (g *gate) Stop(ctx context.Context, name runtime.Name, grace time.Duration) error {
	if err := g.pass(); err != nil {
		return err
	}
	return g.Runtime.Stop(ctx, name, grace)
}

func (g *gate) Remove(ctx context.Context, name runtime.Name) error {
	if err := g.pass(); err != nil {
		return err
	}
	return g.Runtime.Remove(ctx, name)
}

func (g *gate) Pull(ctx context.Context, ref string) (runtime.Image, error) {
	if err := g.pass(); err != nil {
		return runtime.Image{}, err
	}
	return g.Runtime.Pull(ctx, ref)
}
