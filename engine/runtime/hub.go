package runtime

import (
	"context"
	"iter"
	"sync"
)

// Hub tells any number of watchers which containers may have changed. Its zero value is ready. A name that is told
// again before a watcher has taken it reaches that watcher once, so a slow watcher never holds up who tells.
type Hub struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

type watcher struct {
	pending map[Name]struct{}
	queue   []Name
	more    chan struct{}
}

// Tell tells every watcher.
func (h *Hub) Tell(name Name) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		if _, known := w.pending[name]; known {
			continue
		}
		w.pending[name] = struct{}{}
		w.queue = append(w.queue, name)
		select {
		case w.more <- struct{}{}:
		default:
		}
	}
}

// Watch yields every name told from when it is ranged over until the context ends.
func (h *Hub) Watch(ctx context.Context) iter.Seq[Name] {
	return func(yield func(Name) bool) {
		w := h.enter()
		defer h.leave(w)
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.more:
			}
			for _, name := range h.take(w) {
				if ctx.Err() != nil || !yield(name) {
					return
				}
			}
		}
	}
}

func (h *Hub) enter() *watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := &watcher{pending: map[Name]struct{}{}, more: make(chan struct{}, 1)}
	if h.watchers == nil {
		h.watchers = map[*watcher]struct{}{}
	}
	h.watchers[w] = struct{}{}
	return w
}

func (h *Hub) leave(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers, w)
}

func (h *Hub) take(w *watcher) []Name {
	h.mu.Lock()
	defer h.mu.Unlock()
	queue := w.queue
	w.queue = nil
	clear(w.pending)
	return queue
}
