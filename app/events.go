package app

import (
	"context"
	"errors"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/emit"
)

// events is the engine's event bus, and what puts ECS's own events on it.
type events struct {
	bus     *bus.Bus
	emitter *emit.Emitter
}

func openEvents(e *engine.Engine, o EngineOptions) *events {
	identity := e.Identity()
	b := bus.New(bus.Options{
		DB: e.DB(), Logs: e.Logs(), Targets: o.EventTargets, Account: identity.Account, Region: identity.Region,
		Speed: e.Speed(), Logger: o.Logger,
	})
	return &events{b, emit.New(e, b, o.Logger)}
}

func (v *events) start(ctx context.Context) {
	v.bus.Start()
	v.emitter.Start(ctx)
}

func (v *events) stop(ctx context.Context) error {
	v.emitter.Stop()
	if err := v.bus.Stop(ctx); err != nil {
		return errors.Join(errors.New("events are still being delivered"), err)
	}
	return nil
}
