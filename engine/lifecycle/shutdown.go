package lifecycle

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// shutDown stops the containers that no running container depends on, all at the same time, and then the next ones:
// the reverse of the order they were started in.
func (w *work) shutDown(ctx context.Context) Outcome {
	if err := w.observe(ctx); err != nil {
		return Outcome{Next: Failed, Err: err}
	}
	stop := w.stoppable()
	if len(stop) == 0 {
		w.advance(state.Deprovisioning)
		return Outcome{Next: Again}
	}
	errs := make([]error, len(stop))
	var group sync.WaitGroup
	for i, c := range stop {
		group.Go(func() {
			errs[i] = w.Runtime.Stop(ctx, Name(w.task.ID, c.Name), w.waits.grace(w.merged(c.Name)))
		})
	}
	group.Wait()
	for i, err := range errs {
		if fault.KindOf(err) == fault.NotFound {
			errs[i] = nil // observe finds that out too
		}
	}
	if err := errors.Join(errors.Join(errs...), w.observe(ctx)); err != nil {
		return Outcome{Next: Failed, Err: err}
	}
	if c, _ := w.task.Container(stop[0].Name); c.Last != state.Stopped { // the runtime says that it stopped and that it runs
		return Outcome{Next: Again, After: retryAfter}
	}
	return Outcome{Next: Again}
}

// stoppable returns the running containers that no running container depends on.
func (w *work) stoppable() []state.Container {
	var running []state.Container
	needed := map[string]bool{}
	for _, c := range w.task.Containers {
		if c.RuntimeID == "" || c.Last == state.Stopped {
			continue
		}
		running = append(running, c)
		d, _ := w.definition.Container(c.Name)
		for _, on := range dependencies(d) {
			needed[aws.ToString(on.ContainerName)] = true
		}
	}
	var stop []state.Container
	for _, c := range running {
		if !needed[c.Name] {
			stop = append(stop, c)
		}
	}
	if len(stop) == 0 { // a circle; registering one is refused, but it must not hold up a task for ever
		return running
	}
	return stop
}
