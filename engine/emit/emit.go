// Package emit tells the event bus what Amazon ECS and CloudWatch do, in the events that AWS sends of it.
package emit

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/ecsapi"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/state"
)

// Emitter follows the changes of an engine's state and puts an event on the bus for each that AWS would tell.
type Emitter struct {
	engine *engine.Engine
	ecs    *ecsapi.Server
	put    func(bus.Event)
	wanted func() bool
	logger *slog.Logger
	watch  *state.Watcher
	cancel context.CancelFunc
	done   chan struct{}
}

// New returns an emitter of what changes from now on.
func New(e *engine.Engine, b *bus.Bus, logger *slog.Logger) *Emitter {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Emitter{
		engine: e, ecs: ecsapi.New(e), put: b.Put, wanted: b.Wanted, logger: logger, done: make(chan struct{}),
		watch: e.DB().Watch(state.KindTask, state.KindInstance, state.KindService, state.KindDeployment, state.KindEvents, state.KindAlarm),
	}
}

// Start has the emitter follow. The context is where values come from; it doesn't end the emitter.
func (m *Emitter) Start(ctx context.Context) {
	following, cancel := context.WithCancel(context.WithoutCancel(ctx))
	m.cancel = cancel
	go m.follow(following)
}

// Stop ends the emitter.
func (m *Emitter) Stop() {
	if m.cancel != nil {
		m.cancel()
		<-m.done
	}
	m.watch.Close()
}

func (m *Emitter) follow(ctx context.Context) {
	defer close(m.done)
	for {
		changes, err := m.watch.Next(ctx)
		if err != nil {
			return
		}
		if !m.wanted() { // nobody listens: making events would be work for nothing
			continue
		}
		snap := m.engine.DB().Read()
		for _, c := range changes {
			for _, e := range m.events(snap, c) {
				m.put(e)
			}
		}
	}
}

// events returns what AWS tells of a change.
func (m *Emitter) events(snap state.Snapshot, c state.Change) []bus.Event {
	switch r := c.After.(type) {
	case *state.Task:
		before, _ := c.Before.(*state.Task)
		return m.ofTask(snap, before, r)
	case *state.Instance:
		before, _ := c.Before.(*state.Instance)
		return m.ofInstance(snap, before, r)
	case *state.Deployment:
		before, _ := c.Before.(*state.Deployment)
		return m.ofDeployment(before, r)
	case *state.Service:
		before, _ := c.Before.(*state.Service)
		return m.ofService(before, r)
	case *state.Events:
		before, _ := c.Before.(*state.Events)
		return m.ofMessages(before, r)
	case *state.Alarm:
		before, _ := c.Before.(*state.Alarm)
		return m.ofAlarm(before, r)
	}
	return nil
}

// ecsSource is whom ECS's events are from.
const ecsSource = "aws.ecs"

// event makes an event of a detail that is given as JSON or as what JSON is made of.
func (m *Emitter) event(detailType, resource string, at time.Time, detail any) []bus.Event {
	text, ok := detail.([]byte)
	if !ok {
		var err error
		if text, err = json.Marshal(detail); err != nil {
			m.logger.Error("an event could not be written", "detail-type", detailType, "error", err)
			return nil
		}
	}
	return []bus.Event{{Source: ecsSource, DetailType: detailType, Time: at, Resources: []string{resource}, Detail: text}}
}

// stamp is how events write a time.
func stamp(at time.Time) *string { return aws.String(at.UTC().Format("2006-01-02T15:04:05.000Z")) }
