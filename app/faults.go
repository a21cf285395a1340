package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// mostFaults is how many can be in force at a time.
const mostFaults = 100

// troubles are the faults in force, and what must be undone when they end.
type troubles struct {
	set faults.Set

	change sync.Mutex             // held while faults are added and cleared
	timers map[string]*time.Timer // by the fault's id: when it must be undone

	mu     sync.Mutex
	frozen map[runtime.Name]bool
}

// suffer has a request meet the faults that are for it: it waits, and fails.
func (e *Engine) suffer(ctx context.Context, action string, now time.Time) error {
	hits := e.faults.set.Hit(action, now, faults.Delay, faults.Fail, faults.Throttle)
	if err := wait(ctx, hits); err != nil {
		return err
	}
	for _, f := range hits {
		switch f.Kind {
		case faults.Fail:
			return awswire.Refuse(f.Status, f.Error, f.Message)
		case faults.Throttle:
			return awswire.Throttled()
		}
	}
	return nil
}

// wait waits as long as all delays together say, unless the caller goes away.
func wait(ctx context.Context, hits []faults.Fault) error {
	var total time.Duration
	for _, f := range hits {
		total += f.Wait()
	}
	if total == 0 {
		return nil
	}
	timer := time.NewTimer(total)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Faults returns the faults in force, the oldest first.
func (e *Engine) Faults() []faults.Fault { return e.faults.set.List(time.Now().UTC()) }

// AddFault puts a fault in force and returns it with its id. It ends with the engine at the latest.
func (e *Engine) AddFault(ctx context.Context, f faults.Fault) (faults.Fault, error) {
	e.faults.change.Lock()
	defer e.faults.change.Unlock()
	f, err := faults.Check(f, e.gate.Actions)
	if err != nil {
		return f, err
	}
	if len(e.Faults()) >= mostFaults {
		return f, fault.New(fault.Refused, "%d faults are in force already", mostFaults).WithHint("clear some: `slipway engine fault clear --all`")
	}
	switch f.Kind {
	case faults.Kill:
		f, err = e.kill(f)
	case faults.Freeze:
		f.Affected, err = e.freeze(ctx, f)
	case faults.Interrupt:
		f.Affected, err = e.interrupt(f)
	}
	if err != nil {
		return f, err
	}
	f = e.faults.set.Add(f, time.Now().UTC())
	if ends := f.Ends(); !ends.IsZero() && f.Affected != nil {
		e.undoAt(ctx, f.ID, ends)
	}
	return f, nil
}

// undoAt has a fault cleared when its time is over.
func (e *Engine) undoAt(ctx context.Context, id string, at time.Time) {
	if e.faults.timers == nil {
		e.faults.timers = map[string]*time.Timer{}
	}
	ctx = context.WithoutCancel(ctx)
	e.faults.timers[id] = time.AfterFunc(time.Until(at), func() {
		if _, err := e.ClearFaults(ctx, id); err != nil && fault.KindOf(err) != fault.NotFound {
			e.options.Logger.Warn("a fault that is over could not be undone", "fault", id, "error", err)
		}
	})
}

// ClearFaults takes faults out of force, all of them when none is named, and undoes what they did: instances that were
// lost are replaced, frozen containers go on.
func (e *Engine) ClearFaults(ctx context.Context, ids ...string) ([]faults.Fault, error) {
	e.faults.change.Lock()
	defer e.faults.change.Unlock()
	known := map[string]bool{}
	for _, f := range e.Faults() {
		known[f.ID] = true
	}
	for _, id := range ids {
		if !known[id] {
			return nil, fault.New(fault.NotFound, "there is no fault %q", id).WithHint("see which there are: `slipway engine fault list`")
		}
	}
	if len(ids) == 0 {
		for id := range known {
			ids = append(ids, id)
		}
	}
	cleared := e.faults.set.Remove(ids...)
	var errs []error
	for _, f := range cleared {
		errs = append(errs, e.undo(ctx, f))
	}
	return cleared, errors.Join(errs...)
}

func (e *Engine) undo(ctx context.Context, f faults.Fault) error {
	if timer := e.faults.timers[f.ID]; timer != nil {
		timer.Stop()
		delete(e.faults.timers, f.ID)
	}
	switch f.Kind {
	case faults.Kill:
		return e.revive(f)
	case faults.Freeze:
		return e.thaw(ctx, f)
	}
	return nil
}

// endFaults undoes everything: faults end with the engine.
func (e *Engine) endFaults(ctx context.Context) error {
	if e.engine == nil || e.started.IsZero() {
		return nil
	}
	_, err := e.ClearFaults(ctx)
	return err
}
