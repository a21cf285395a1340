package engine

import (
	"context"
	"errors"
	"os"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// Reset makes the engine as it was when its directory was new, while it goes on serving: containers are removed without
// waiting for their programs, and all records but those of the kinds that are kept. What clients write meanwhile is gone or
// stays as a whole. The context bounds the waiting for what is under way.
func (e *Engine) Reset(ctx context.Context, keep ...state.Kind) error {
	e.resetting.Lock()
	defer e.resetting.Unlock()
	if err := e.rest(ctx); err != nil {
		return err
	}
	err := errors.Join(e.tasks.Clear(ctx), e.forgetAll(keep))
	e.resume(ctx)
	return err
}

// rest has everything come to rest that an engine does by itself.
func (e *Engine) rest(ctx context.Context) error {
	e.mu.Lock()
	if e.closed || e.stop == nil {
		e.mu.Unlock()
		return fault.New(fault.Unavailable, "the engine is not running")
	}
	e.stop()
	e.mu.Unlock()
	return e.atRest(ctx)
}

// atRest waits until everything has come to rest.
func (e *Engine) atRest(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		e.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Timeout, "the engine did not come to rest: %w", ctx.Err())
	}
}

// forgetAll deletes what the engine knows, and what belongs to it outside of the state.
func (e *Engine) forgetAll(keep []state.Kind) error {
	var errs []error
	for g := range e.db.Read().LogGroups() {
		errs = append(errs, e.logs.DeleteGroup(g.Name))
	}
	e.metrics.Clear()
	errs = append(errs, os.RemoveAll(e.files()), e.db.Write(func(tx *state.Tx) error {
		tx.DeleteAll(keep...)
		return nil
	}))
	return errors.Join(errs...)
}

// resume sets everything in motion again.
func (e *Engine) resume(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tasks = e.keeper()
	e.begin(ctx)
}
