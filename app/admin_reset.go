package app

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// resetPatience is how long removing everything may take: containers are not waited for, but there may be many.
const resetPatience = 2 * time.Minute

// Reset removes everything that clients have made, with all containers: the engine is as it was when its directory was
// new, and serves on. Images stay where they are, unless they are to go as well. Faults end.
func (e *Engine) Reset(ctx context.Context, images bool) error {
	_, err := e.ClearFaults(ctx)
	keep := []state.Kind{state.KindRepository}
	if images {
		keep = nil
	}
	errs := []error{err, e.engine.Reset(ctx, keep...), e.emptyBuckets()}
	if images {
		for _, r := range e.images.Repositories() {
			errs = append(errs, e.images.Delete(r.Name))
		}
	}
	e.buckets.Fill()
	return errors.Join(errs...)
}

func (e *Engine) emptyBuckets() error {
	list, err := e.objects.ListBuckets()
	errs := []error{err}
	for _, b := range list {
		errs = append(errs, e.objects.ForceDeleteBucket(b.Name))
	}
	return errors.Join(errs...)
}

func (e *Engine) resetOver(w http.ResponseWriter, r *http.Request) {
	if !permitted(w, r, http.MethodPost) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), resetPatience) // half a reset helps nobody
	defer cancel()
	if err := e.Reset(ctx, r.URL.Query().Get("images") == "true"); err != nil {
		fail(w, fault.New(fault.KindOf(err), "cannot reset the engine: %w", err).WithHint("stop it and start it again"))
		return
	}
	answer(w, e.Status())
}

// ResetEngine empties the engine at an endpoint.
func ResetEngine(ctx context.Context, endpoint string, images bool) (s EngineStatus, err error) {
	ctx, cancel := context.WithTimeout(ctx, resetPatience)
	defer cancel()
	path := resetPath
	if images {
		path += "?images=true"
	}
	err = call(ctx, http.MethodPost, endpoint, path, nil, &s)
	return s, err
}
