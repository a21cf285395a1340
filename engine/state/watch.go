package state

import (
	"context"
	"slices"
	"sync"
)

// Watcher receives every change made after it was created, in order, however slow it reads.
type Watcher struct {
	db      *DB
	kinds   []Kind // empty: all
	mu      sync.Mutex
	pending []Change
	wake    chan struct{} // holds one token while changes are pending
}

// Watch returns a watcher of all changes from now on, or of those to some kinds of records. Close it when done.
func (db *DB) Watch(kinds ...Kind) *Watcher {
	w := &Watcher{db: db, kinds: kinds, wake: make(chan struct{}, 1)}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.watchers[w] = struct{}{}
	return w
}

// Next waits until something has changed and returns all changes since the last call, oldest first.
// It returns the context's error when that ends first.
func (w *Watcher) Next(ctx context.Context) ([]Change, error) {
	for {
		if changes := w.take(); len(changes) > 0 {
			return changes, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.wake:
		}
	}
}

func (w *Watcher) take() []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	changes := w.pending
	w.pending = nil
	return changes
}

// Close ends the watcher; nothing is kept for it any more.
func (w *Watcher) Close() {
	w.db.mu.Lock()
	defer w.db.mu.Unlock()
	delete(w.db.watchers, w)
}

func (db *DB) tell(changes []Change) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for w := range db.watchers {
		if !w.add(changes) {
			continue
		}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// add keeps what concerns the watcher; it reports whether anything does.
func (w *Watcher) add(changes []Change) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.kinds) == 0 {
		w.pending = append(w.pending, changes...)
		return true
	}
	before := len(w.pending)
	for _, c := range changes {
		if slices.Contains(w.kinds, c.Kind) {
			w.pending = append(w.pending, c)
		}
	}
	return len(w.pending) > before
}
