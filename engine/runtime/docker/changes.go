package docker

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// Changes listens to Docker's events. Whenever the stream is opened, it tells of every container once, so that nothing
// is missed while there was no stream.
func (r *Runtime) Changes(ctx context.Context) iter.Seq[runtime.Name] {
	return func(yield func(runtime.Name) bool) {
		pause := backoff.NewExponentialBackOff()
		pause.InitialInterval, pause.MaxInterval = 50*time.Millisecond, 2*time.Second
		for ctx.Err() == nil {
			heard, more := r.listen(ctx, yield)
			if !more {
				return
			}
			if heard {
				pause.Reset()
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause.NextBackOff()):
			}
		}
	}
}

// listen follows one stream of events to its end. It says whether there was one, and whether the reader wants more.
func (r *Runtime) listen(ctx context.Context, yield func(runtime.Name) bool) (heard, more bool) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	// Docker answers a moment before it listens to its own events; it replays those since a time. [moby getEvents]
	since := time.Now().Add(-time.Second)
	stream := r.api.Events(inner, client.EventsListOptions{
		Since: fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond()),
		Filters: client.Filters{}.Add("type", string(events.ContainerEventType)).Add("label", labelScope+"="+r.scope).
			Add("event", string(events.ActionCreate), string(events.ActionStart), string(events.ActionDie), string(events.ActionOOM), string(events.ActionDestroy)),
	})
	all, err := r.api.ContainerList(inner, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", labelScope+"="+r.scope)})
	if err != nil {
		return false, true
	}
	for _, c := range all.Items {
		if !yield(runtime.Name(c.Labels[labelName])) {
			return true, false
		}
	}
	for {
		select {
		case event := <-stream.Messages:
			if name := event.Actor.Attributes[labelName]; name != "" && !yield(runtime.Name(name)) {
				return true, false
			}
		case err := <-stream.Err:
			return err != nil, true
		case <-ctx.Done():
			return true, false
		}
	}
}
