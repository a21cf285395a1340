package engine

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/metrics"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// Engine is one engine: its state, the loop that keeps services as they are wanted, and the tasks' lives.
//
// Whoever changes something does it inside DB().Write, with the verbs that take a *state.Tx; the engine sees the change
// and draws the consequences by itself.
type Engine struct {
	options Options
	pace    schedule.Pace
	id      string // of the directory: marks its containers among those of other engines
	store   *store
	db      *state.DB
	logs    *logs.Store
	tasks   *lifecycle.Keeper
	metrics metrics.Store

	resetting   sync.Mutex // held from rest to motion again
	mu          sync.Mutex
	lastAddress netip.Addr
	stop        context.CancelFunc // nil while it is not started
	running     sync.WaitGroup
	closed      bool
}

// Open reads the state from the directory, which no other live engine may use. Nothing moves before Start.
func Open(_ context.Context, options Options) (*Engine, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	store, err := openStore(options.Dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{options: options, pace: schedule.NewPace(options.Speed), store: store, lastAddress: options.Addresses.Addr()}
	if err := e.fill(); err != nil {
		return nil, errors.Join(err, store.close())
	}
	return e, nil
}

func (e *Engine) fill() (err error) {
	if e.id, err = e.store.meta("engine", NewHexID); err != nil {
		return fault.New(fault.Internal, "cannot name the engine's directory: %w", err)
	}
	records, err := e.store.load()
	if err != nil {
		return err
	}
	e.db = state.New(e.store.commit)
	if err := e.db.Load(slices.Values(records)); err != nil {
		return err
	}
	if e.logs, err = logs.Open(filepath.Join(e.options.Dir, "logs")); err != nil {
		return err
	}
	e.tasks = e.keeper()
	return nil
}

// keeper returns what moves the tasks from now on.
func (e *Engine) keeper() *lifecycle.Keeper {
	return lifecycle.New(lifecycle.Config{
		DB: e.db, Runtime: e.options.Runtime, Logs: e.logs, Engine: e.id, ARN: e.options.Identity.ARN,
		Speed: e.options.Speed, Object: e.options.Object, Files: e.files(), Metadata: e.options.Metadata, Logger: e.options.Logger,
	})
}

// Start finds the containers of an earlier run again and sets everything in motion. The context bounds the finding only.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.stop != nil {
		return fault.New(fault.Internal, "the engine was started before")
	}
	if err := e.restoreZones(); err != nil {
		return err
	}
	if err := e.tasks.Recover(ctx); err != nil {
		return err
	}
	e.begin(ctx)
	return nil
}

// begin sets everything in motion. The lock is held.
func (e *Engine) begin(ctx context.Context) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	loop, watchman, caller := newLoop(e), newWatchman(e), newCaller(e)
	e.running.Go(func() { e.tasks.Run(running) })
	e.running.Go(func() { loop.run(running) })
	e.running.Go(func() { watchman.run(running) })
	scaler := newScaler(e)
	e.running.Go(func() { scaler.run(running) })
	e.running.Go(func() { caller.run(running) })
}

// Stop lets go of everything and closes the state. Containers go on running, and an engine that is opened on the same
// directory later finds them again. The context bounds the waiting.
func (e *Engine) Stop(ctx context.Context) error {
	return e.end(ctx, func(context.Context) error { return nil })
}

// Clear stops the engine and removes all its containers, without waiting for their programs. It is meant for an engine
// whose directory will not be used again: what the state says of tasks stays as it was.
func (e *Engine) Clear(ctx context.Context) error { return e.end(ctx, e.clear) }

func (e *Engine) clear(ctx context.Context) error {
	if err := e.tasks.Clear(ctx); err != nil || e.options.Cleared == nil {
		return err
	}
	return e.options.Cleared()
}

// end brings everything to rest, does one last thing, and closes what is open. Only the first call has an effect.
func (e *Engine) end(ctx context.Context, last func(context.Context) error) error {
	e.resetting.Lock()
	defer e.resetting.Unlock()
	if !e.halt() {
		return nil
	}
	if err := e.atRest(ctx); err != nil {
		return err
	}
	return errors.Join(last(ctx), e.options.Runtime.Close(), e.logs.Close(), e.store.close())
}

// halt has everything come to rest; it reports whether that is new.
func (e *Engine) halt() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.closed = true
	if e.stop != nil {
		e.stop()
	}
	return true
}

// files is the directory that EFS file systems are in. A runtime may need to know it from the root on.
func (e *Engine) files() string {
	dir := filepath.Join(e.options.Dir, "efs")
	if whole, err := filepath.Abs(dir); err == nil {
		return whole
	}
	return dir
}

// DB returns the state: all that the engine knows.
func (e *Engine) DB() *state.DB { return e.db }

// Now returns the time that the engine goes by, in UTC.
func (e *Engine) Now() time.Time { return time.Now().UTC() }

// Identity returns whose engine it is.
func (e *Engine) Identity() Identity { return e.options.Identity }

// Pace returns AWS's fixed waits at the engine's speed.
func (e *Engine) Pace() schedule.Pace { return e.pace }

// Speed returns what the waits of AWS are divided by.
func (e *Engine) Speed() float64 { return e.options.Speed }

// Zones returns the full names of the availability zones: us-east-1a, us-east-1b.
func (e *Engine) Zones() []string {
	zones := make([]string, len(e.options.Zones))
	for i, letter := range e.options.Zones {
		zones[i] = e.options.Identity.Region + letter
	}
	return zones
}

// Logs returns what the containers printed.
func (e *Engine) Logs() *logs.Store { return e.logs }

// Runtime returns what runs the containers.
func (e *Engine) Runtime() runtime.Runtime { return e.options.Runtime }

// Exec runs a command in a running container of a task and returns its exit code and the beginning of its output.
func (e *Engine) Exec(ctx context.Context, task state.TaskID, container string, argv []string) (int, string, error) {
	return e.options.Runtime.Exec(ctx, lifecycle.Name(task, container), argv)
}
