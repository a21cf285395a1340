package balance

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// front accepts the connections of an HTTP listener and answers ordinary requests itself: those that are read at once, go
// to a target as they are, and come back so. A connection on which anything else arrives is handed to net/http, of which
// the front is the listener, with all that has been read of it. So whatever is rare or doubtful is judged by net/http, and
// what is common costs a third of it.
type front struct {
	socket   *socket
	listener net.Listener
	handed   chan net.Conn
	done     chan struct{} // closed when net/http takes no more
	closed   sync.Once
	conns    tracker

	mu      sync.Mutex
	clients map[*client]struct{}
	closing atomic.Bool
}

func newFront(s *socket, listener net.Listener) *front {
	return &front{
		socket: s, listener: listener,
		handed: make(chan net.Conn), done: make(chan struct{}), clients: map[*client]struct{}{},
	}
}

// Accept returns the next connection that net/http is to serve.
func (f *front) Accept() (net.Conn, error) {
	select {
	case c := <-f.handed:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

// Close has net/http get no more connections.
func (f *front) Close() error {
	f.closed.Do(func() { close(f.done) })
	return nil
}

// Addr is where clients connect.
func (f *front) Addr() net.Addr { return f.listener.Addr() }

// run accepts connections until the listener is closed.
func (f *front) run() {
	for {
		conn, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select { // out of file descriptors, most likely: some may be free again soon
			case <-f.socket.ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		c := newClient(f, conn)
		if !f.add(c) {
			conn.Close()
			continue
		}
		go c.serve()
	}
}

func (f *front) add(c *client) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing.Load() {
		return false
	}
	f.clients[c] = struct{}{}
	f.conns.add()
	return true
}

func (f *front) remove(c *client) {
	f.mu.Lock()
	delete(f.clients, c)
	f.mu.Unlock()
	f.conns.done()
}

// finish closes the connections on which nothing is under way, and has the others closed after the answer that is.
func (f *front) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closing.Store(true)
	for c := range f.clients {
		if c.state.CompareAndSwap(clientIdle, clientClosed) {
			c.conn.Close()
		}
	}
}

// cut closes all connections.
func (f *front) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.clients {
		c.conn.Close()
	}
}

// hand gives a connection to net/http. What was read of it is read again.
func (f *front) hand(conn net.Conn, read []byte) {
	_ = conn.SetDeadline(time.Time{}) // fails on a closed connection, which net/http finds out
	select {
	case f.handed <- &again{Conn: conn, read: read}:
	case <-f.done:
		conn.Close()
	}
}

// again is a connection of which a part is read once more.
type again struct {
	net.Conn
	read []byte
}

// Read returns what was read before, and then what arrives.
func (a *again) Read(p []byte) (int, error) {
	if len(a.read) == 0 {
		return a.Conn.Read(p)
	}
	n := copy(p, a.read)
	a.read = a.read[n:]
	return n, nil
}

// CloseWrite tells the client that nothing more will come: net/http does so before it closes a connection on which the
// client may still be sending.
func (a *again) CloseWrite() error {
	if half, ok := a.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
