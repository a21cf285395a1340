// Package bus is the engine's event bus: it sends events to the targets of the rules that they match, and to those of rules
// that a schedule starts.
package bus

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/eventpattern"
	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/state"
)

// Options say what a bus works with. DB and Logs are required.
type Options struct {
	DB   *state.DB
	Logs *logs.Store // where log groups that are targets get their lines

	// Targets names places that targets' ARNs stand for, by the last part of the ARN: a URL, or file: and a path, to
	// which a line is added for each event.
	Targets map[string]string

	Account, Region string
	Speed           float64 // rates and waits are divided by it; 0 means 1
	Logger          *slog.Logger
}

// Event is one event as targets receive it. [EventBridge User Guide, "Events"]
type Event struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// Bus sends events on. It may be used by several goroutines.
type Bus struct {
	options  Options
	patterns sync.Map // text → *eventpattern.Pattern
	client   *http.Client

	mu       sync.Mutex
	queues   map[queueKey]*queue
	stopped  bool
	stopping chan struct{}   // closed when the bus is to stop
	ctx      context.Context //nolint:containedctx // ends with the bus: deliveries have no caller that waits for them
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// New returns a bus that delivers events. Schedules run from Start on.
func New(o Options) *Bus {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Speed = cmp.Or(o.Speed, 1)
	b := &Bus{options: o, client: newClient(), queues: map[queueKey]*queue{}, stopping: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// Start has the rules with schedules run.
func (b *Bus) Start() {
	w := newClockwork(b)
	running, cancel := context.WithCancel(b.ctx)
	b.running.Go(func() {
		defer cancel()
		<-b.stopping
	})
	b.running.Go(func() { w.run(running) })
}

// grace is how long deliveries that are under way or waiting may take when the bus stops.
const grace = 2 * time.Second

// Stop takes no more events. What waits is tried once more each, for a moment; what is not delivered then is lost. The
// context bounds the waiting.
func (b *Bus) Stop(ctx context.Context) error {
	b.mu.Lock()
	if !b.stopped {
		b.stopped = true
		close(b.stopping)
	}
	b.mu.Unlock()
	done := make(chan struct{})
	go func() {
		b.running.Wait()
		close(done)
	}()
	end := time.AfterFunc(grace, b.cancel)
	defer end.Stop()
	select {
	case <-done:
		b.cancel()
		b.client.CloseIdleConnections()
		return nil
	case <-ctx.Done():
		b.cancel()
		return ctx.Err()
	}
}

// Wanted reports whether there is any rule that an event could match: without, nobody need make events.
func (b *Bus) Wanted() bool {
	for r := range b.options.DB.Read().EventRules() {
		if r.Active() && r.Doc.EventPattern != nil {
			return true
		}
	}
	return false
}

// Put sends an event to the targets of all rules that match it. It doesn't wait for them.
func (b *Bus) Put(e Event) {
	b.complete(&e)
	text, err := json.Marshal(e)
	if err != nil {
		b.options.Logger.Error("an event could not be written", "source", e.Source, "detail-type", e.DetailType, "error", err)
		return
	}
	for r := range b.options.DB.Read().EventRules() {
		if r.Active() && r.Doc.EventPattern != nil && b.matches(*r.Doc.EventPattern, text) {
			b.send(r, text)
		}
	}
}

// complete fills in what every event has.
func (b *Bus) complete(e *Event) {
	e.Version = "0"
	e.ID = cmp.Or(e.ID, newID())
	e.Account, e.Region = b.options.Account, b.options.Region
	e.Time = e.Time.UTC().Truncate(time.Second) // as AWS's are
	if e.Resources == nil {
		e.Resources = []string{}
	}
}

const maxPatterns = 1000 // that are kept parsed

func (b *Bus) matches(text string, event []byte) bool {
	if p, ok := b.patterns.Load(text); ok {
		return p.(*eventpattern.Pattern).Matches(event)
	}
	p, err := eventpattern.Parse(text)
	if err != nil { // it was checked when it was put
		b.options.Logger.Error("a rule's event pattern cannot be read", "pattern", text, "error", err)
		return false
	}
	n := 0
	b.patterns.Range(func(any, any) bool { n++; return n < maxPatterns })
	if n == maxPatterns {
		b.patterns.Clear()
	}
	b.patterns.Store(text, p)
	return p.Matches(event)
}

// send gives an event to each of a rule's targets.
func (b *Bus) send(r *state.EventRule, event []byte) {
	for _, t := range r.Targets {
		body, err := Input(r, t, event)
		if err != nil {
			b.options.Logger.Warn("an event could not be put into its target's form", "rule", r.Name, "target", *t.Id, "error", err)
			continue
		}
		b.enqueue(r, t, body)
	}
}
