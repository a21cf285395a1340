package balance

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// patienceTime is how long an answer may take until it is watched whether the client still waits for it: most have come by
// then, and watching costs a goroutine.
const patienceTime = 50 * time.Millisecond

// watch looks whether a client is still there while its request is answered, and breaks off the exchange with the target
// when it is not: the target shall know.
type watch struct {
	conn net.Conn
	left atomic.Bool

	mu      sync.Mutex
	at      *wire         // of the exchange under way; nil when there is none
	running chan struct{} // closed when the watching that has begun is over
}

func (w *watch) init(conn net.Conn) { w.conn = conn }

// over tells which exchange is under way.
func (w *watch) over(at *wire) {
	w.mu.Lock()
	w.at = at
	w.mu.Unlock()
}

// gone reports whether the client has left.
func (w *watch) gone() bool { return w.left.Load() }

// run watches until the client leaves or sends something, or the watching is stopped.
func (w *watch) run() {
	w.mu.Lock()
	if w.at == nil || w.running != nil {
		w.mu.Unlock()
		return
	}
	done := make(chan struct{})
	w.running = done
	w.mu.Unlock()
	defer close(done)
	if !livenessOf(w.conn).awaitEnd() {
		return
	}
	w.left.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at != nil {
		w.at.conn.Close()
	}
}

// stop ends the watching. Afterwards the exchange is not touched any more, and the client's connection may be read from, with
// another deadline: it returns whether that is needed.
func (w *watch) stop() (disturbed bool) {
	w.mu.Lock()
	w.at = nil
	running := w.running
	w.mu.Unlock()
	if running == nil {
		return false
	}
	_ = w.conn.SetReadDeadline(time.Unix(1, 0)) // fails on a closed connection, which is not waited for either
	<-running
	w.mu.Lock()
	w.running = nil
	w.mu.Unlock()
	return true
}
