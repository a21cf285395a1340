package lifecycle

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// followers store what containers print, while they print it. Only containers whose output goes to a stream have one.
type followers struct {
	runtime runtime.Runtime
	logs    *logs.Store
	logger  *slog.Logger

	mu      sync.Mutex
	ctx     context.Context //nolint:containedctx // set when the keeper runs; containers found before wait for it
	waiting []func()
	all     map[runtime.Name]*follower
	group   sync.WaitGroup
}

type follower struct {
	done  chan struct{}
	again bool // the container was started again
}

func newFollowers(c Config) *followers {
	return &followers{runtime: c.Runtime, logs: c.Logs, logger: c.Logger, all: map[runtime.Name]*follower{}}
}

// start begins with the containers that were told of before.
func (f *followers) start(ctx context.Context) {
	f.mu.Lock()
	f.ctx = ctx
	waiting := f.waiting
	f.waiting = nil
	f.mu.Unlock()
	for _, follow := range waiting {
		follow()
	}
}

// stop waits until all followers have ended; the context of start must have.
func (f *followers) stop() { f.group.Wait() }

// follow stores what the container prints until it has exited.
func (f *followers) follow(name runtime.Name, to outlet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx == nil {
		f.waiting = append(f.waiting, func() { f.follow(name, to) })
		return
	}
	if known := f.all[name]; known != nil {
		known.again = true
		return
	}
	ctx, one := f.ctx, &follower{done: make(chan struct{})}
	f.all[name] = one
	f.group.Go(func() {
		defer close(one.done)
		for f.more(name, one, f.copy(ctx, name, to)) {
			if !rest(ctx, retryAfter) {
				return
			}
		}
	})
}

// more reports whether the follower has to go on, and forgets it when not.
func (f *followers) more(name runtime.Name, one *follower, err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	again := one.again
	one.again = false
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		f.logger.Warn("a container's output could not be read; it is tried again", "container", name, "error", err)
		return true
	case again:
		return true
	}
	delete(f.all, name)
	return false
}

func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// patience is how long a task that has ended waits for the rest of its output.
const patience = 5 * time.Second

// wait waits until everything that an exited container printed is stored.
func (f *followers) wait(ctx context.Context, name runtime.Name) {
	f.mu.Lock()
	one := f.all[name]
	f.mu.Unlock()
	if one == nil {
		return
	}
	select {
	case <-one.done:
	case <-time.After(patience):
	case <-ctx.Done():
	}
}

// copy stores the lines that are not stored yet, as they come, until there are no more.
func (f *followers) copy(ctx context.Context, name runtime.Name, to outlet) error {
	from, err := f.stored(to)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, failed := make(chan logs.Event, 1024), make(chan error, 1)
	go func() {
		defer close(lines)
		failed <- f.read(ctx, name, from, lines)
	}()
	var trouble error
	for batch := range to.events(ctx, lines) {
		if trouble == nil {
			if trouble = f.logs.Put(to.group, to.stream, batch); trouble != nil {
				cancel()
			}
		}
	}
	if err := <-failed; trouble == nil && ctx.Err() == nil {
		trouble = err
	}
	return trouble
}

// mark is how far a container's output is stored.
type mark struct {
	last  time.Time // the time of the last event that is stored; zero: there is none
	lines int       // of those with that time, or that belong to such an event: how many are stored
	after bool      // those lines may bear later times
}

func (f *followers) stored(to outlet) (mark, error) {
	info, err := f.logs.Info(to.group, to.stream)
	m := mark{last: info.Last, lines: info.AtLast}
	if err == nil && to.first != nil {
		m.after = true
		m.lines, err = linesOf(f.logs, to.group, to.stream, info.AtLast)
	}
	return m, err
}

// read sends the lines after those that are stored. Lines with the time of the last stored one are counted, because
// runtimes differ in whether they give them again.
func (f *followers) read(ctx context.Context, name runtime.Name, from mark, to chan<- logs.Event) error {
	since, skip := from.last, from.lines
	if !since.IsZero() {
		since = since.Add(-time.Nanosecond)
	}
	for line, err := range f.runtime.Logs(ctx, name, since, true) {
		if err != nil {
			return err
		}
		if line.Time.Before(from.last) {
			continue
		}
		if skip > 0 && (from.after || line.Time.Equal(from.last)) {
			skip--
			continue
		}
		select {
		case to <- logs.Event{Time: line.Time, Ingested: now(), Text: line.Text}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// batches yields what has come in since it was last asked, at least one line.
func batches(lines <-chan logs.Event) iter.Seq[[]logs.Event] {
	return func(yield func([]logs.Event) bool) {
		for first := range lines {
			batch := []logs.Event{first}
			for len(lines) > 0 && len(batch) < cap(lines) {
				batch = append(batch, <-lines)
			}
			if !yield(batch) {
				return
			}
		}
	}
}
