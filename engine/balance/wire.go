package balance

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"
)

// wire is one HTTP/1.1 connection to a target. It belongs to one request at a time, and is read by the goroutine that
// serves it: that saves the two goroutines a connection, and the four switches a request, that http.Transport takes.
type wire struct {
	conn   net.Conn
	of     *target
	in     *bufio.Reader
	out    *bufio.Writer
	probe  liveness
	since  time.Time // when it became idle
	reused bool
	got    bool // something of an answer to the present request has arrived

	idle  time.Duration // it is closed after so long without a byte
	touch atomic.Int64  // when its deadline was last set, in Unix nanoseconds

	abort    func() // closes the connection; kept, so that it isn't made anew for each request
	unwatch  func() bool
	writeErr error        // the connection's own failure to write, not the request body's
	halves   atomic.Int32 // sending and receiving that are not done yet
	spoiled  atomic.Bool  // one of them went wrong, or the target wants no more requests
}

func newWire(conn net.Conn, of *target) *wire {
	w := &wire{conn: conn, of: of}
	w.in, w.out = bufio.NewReaderSize(w, 4096), bufio.NewWriterSize(w, 4096)
	w.probe = livenessOf(conn)
	w.abort = func() { w.spoiled.Store(true); w.discard() }
	return w
}

// Read reads from the target.
func (w *wire) Read(p []byte) (int, error) {
	w.stayAwake()
	n, err := w.conn.Read(p)
	if n > 0 {
		w.got = true
	}
	return n, err
}

// Write writes to the target.
func (w *wire) Write(p []byte) (int, error) {
	w.stayAwake()
	n, err := w.conn.Write(p)
	if err != nil {
		w.writeErr = err
	}
	return n, err
}

// stayAwake moves the deadline, but not at every byte: setting it costs more than looking at the clock.
func (w *wire) stayAwake() {
	now := time.Now()
	slack := w.idle / 32
	if last := w.touch.Load(); now.UnixNano()-last > int64(slack) {
		w.touch.Store(now.UnixNano())
		_ = w.conn.SetDeadline(now.Add(w.idle + slack)) // fails on a closed connection, which the next byte tells
	}
}

// Close closes the connection at once, whoever uses it.
func (w *wire) Close() error { return w.conn.Close() }

// discard closes the connection for good.
func (w *wire) discard() {
	w.of.forget(w)
	w.conn.Close()
}

// alive reports whether an idle connection can still be used: the target has neither closed it nor sent anything.
func (w *wire) alive() bool { return w.probe.alive() }

// errStale says that a connection was closed by the target before it answered anything.
var errStale = errors.New("target closed the connection")

// begin makes the wire ready for the next request.
func (w *wire) begin(idle time.Duration) {
	w.idle, w.got, w.writeErr = idle, false, nil
	w.touch.Store(0)
	w.spoiled.Store(false)
}

// release lets go of the wire after an exchange; reusable says that the target wants more requests.
func (w *wire) release(reusable bool) {
	if !reusable || w.spoiled.Load() {
		w.discard()
		return
	}
	w.of.put(w)
}

// exchange sends the request and reads the head of the answer. The wire goes back to its target when the answer's body
// has been read, or is closed.
func (w *wire) exchange(req *http.Request, idle time.Duration) (*http.Response, error) {
	w.begin(idle)
	w.unwatch = context.AfterFunc(req.Context(), w.abort)
	w.halves.Store(2)
	if req.Body == nil || req.Body == http.NoBody || isBuffered(req) {
		w.send(req)
	} else {
		go w.send(req)
	}
	resp, err := w.receive(req)
	if err != nil {
		w.unwatch()
		w.spoiled.Store(true)
		w.conn.Close() // ends the sending, too
		w.done()
		if req.Context().Err() != nil {
			return nil, req.Context().Err()
		}
		if !w.got && !isTimeout(err) {
			return nil, errors.Join(errStale, err)
		}
		return nil, err
	}
	return resp, nil
}

// send writes the request. A target may answer and close before it has read everything: its answer counts. But when the
// client breaks off, the target must see so.
func (w *wire) send(req *http.Request) {
	err := req.Write(w.out)
	if err == nil {
		err = w.out.Flush()
	}
	if err != nil {
		w.spoiled.Store(true)
		if w.writeErr == nil {
			w.conn.Close()
		}
	}
	w.done()
}

// receive reads answers until a final one, and hands interim ones on.
func (w *wire) receive(req *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(w.in, req)
		switch {
		case err != nil:
			return nil, err
		case resp.StatusCode == http.StatusSwitchingProtocols:
			resp.Body = &tunnel{w}
			return resp, nil
		case resp.StatusCode < 200:
			trace := httptrace.ContextClientTrace(req.Context())
			if trace != nil && trace.Got1xxResponse != nil && resp.StatusCode != http.StatusContinue {
				if err := trace.Got1xxResponse(resp.StatusCode, textproto.MIMEHeader(resp.Header)); err != nil {
					return nil, err
				}
			}
			continue
		}
		if resp.Close {
			w.spoiled.Store(true)
		}
		if resp.Body == http.NoBody || resp.ContentLength == 0 {
			w.finish(true)
			resp.Body = http.NoBody
			return resp, nil
		}
		if resp.ContentLength > int64(w.in.Buffered()) {
			resp.ContentLength = -1 // more is to come: ReverseProxy flushes each piece; the header keeps the length
		}
		resp.Body = &answer{ReadCloser: resp.Body, w: w}
		return resp, nil
	}
}

// finish ends the receiving half; clean says that the answer was read to its end.
func (w *wire) finish(clean bool) {
	if !w.unwatch() || !clean || w.in.Buffered() > 0 {
		w.spoiled.Store(true)
		w.conn.Close()
	}
	w.done()
}

// done ends one half; with the last one the connection is kept or closed.
func (w *wire) done() {
	if w.halves.Add(-1) > 0 {
		return
	}
	if w.spoiled.Load() {
		w.discard()
		return
	}
	w.of.put(w)
}

// answer is the body of an answer; at its end the connection is free again.
type answer struct {
	io.ReadCloser
	w     *wire
	ended bool
}

func (a *answer) Read(p []byte) (int, error) {
	if a.ended {
		return 0, io.EOF
	}
	n, err := a.ReadCloser.Read(p)
	if err != nil {
		a.end(err == io.EOF)
	}
	return n, err
}

func (a *answer) end(clean bool) {
	if !a.ended {
		a.ended = true
		a.w.finish(clean)
	}
}

// Close breaks the connection off when the answer was not read to its end.
func (a *answer) Close() error {
	a.end(false)
	return nil
}

// tunnel is a connection that has switched to another protocol.
type tunnel struct{ w *wire }

func (t *tunnel) Read(p []byte) (int, error)  { return t.w.in.Read(p) }
func (t *tunnel) Write(p []byte) (int, error) { return t.w.Write(p) }

// Close ends the tunnel.
func (t *tunnel) Close() error {
	t.w.unwatch()
	t.w.discard()
	return nil
}

// CloseWrite tells the target that nothing more will come.
func (t *tunnel) CloseWrite() error {
	if c, ok := t.w.conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
