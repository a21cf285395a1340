package balance

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

const (
	dialTimeout = 10 * time.Second // [Application Load Balancers: Troubleshooting, HTTP 504]
	maxIdle     = 512              // connections kept for the next requests, for each target
	maxIdleTime = time.Minute
	// A request that must not be sent twice takes only a connection that was in use so recently: servers close idle
	// connections after one second or more, and what arrives after that is lost.
	freshTime = 500 * time.Millisecond
	// A request that may be sent again takes a connection that was in use so recently without a look at it.
	trustTime = 10 * time.Millisecond
)

// errGone says that the target is drained: nothing was sent to it, and another one must be chosen.
var errGone = errors.New("target is drained")

// roster is the targets of one group, by the key of their records.
type roster map[string]*target

// target is one target and the connections to it.
type target struct {
	key        string
	registered time.Time
	address    netip.AddrPort
	settings   groupSettings
	h2         *http.Transport // nil for HTTP/1.1

	stopCheck context.CancelFunc       // nil while it is not checked; used by the follower alone
	check     Check                    // what it is checked with
	known     v2.TargetHealthStateEnum // what its record said the last time; used by the follower alone
	slowFrom  atomic.Int64             // since when it has been starting slowly, in Unix nanoseconds; 0: it is not
	drainEnd  time.Time                // zero while it is not draining; used by the follower alone
	stopDrain context.CancelFunc       // nil while it is not draining; used by the follower alone

	mu       sync.Mutex
	idle     []*wire                // the last one used last
	open     map[io.Closer]struct{} // what carries one request, tunnel or client's connection; idle ones included
	carriers map[io.Closer]struct{} // connections that carry several requests
	spent    bool                   // draining: connections are not used again
	quiet    chan struct{}          // closed when nothing is open any more; nil while nobody waits for that
	closed   bool
}

func newTarget(t *state.Target, s groupSettings) *target {
	n := &target{key: t.Key(), registered: t.Registered, address: t.Address, settings: s}
	n.open, n.carriers = map[io.Closer]struct{}{}, map[io.Closer]struct{}{}
	if s.Version != "HTTP1" && !s.Protocol.raw() {
		n.h2 = newTransport()
		n.h2.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return n.connectCarrier(ctx) }
		n.h2.IdleConnTimeout = maxIdleTime
	}
	return n
}

// is reports whether the record still means this target.
func (t *target) is(r *state.Target, s groupSettings) bool {
	return t.registered.Equal(r.Registered) && t.address == r.Address &&
		t.settings.Protocol == s.Protocol && t.settings.Version == s.Version
}

// connect opens a connection. Its error is errGone when the target was drained meanwhile.
func (t *target) connect(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", t.address.String())
	if err != nil {
		return nil, &dialError{err}
	}
	return conn, nil
}

func (t *target) connectHTTP(ctx context.Context) (net.Conn, error) {
	conn, err := t.connect(ctx)
	if err != nil || !t.settings.Protocol.encrypted() {
		return conn, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	secure := tls.Client(conn, unverified)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, &dialError{err}
	}
	return secure, nil
}

// dialError is a failure before anything of a request was sent.
type dialError struct{ error }

func (e *dialError) Unwrap() error { return e.error }

// track remembers what must be closed when the target is drained, until it is forgotten.
func (t *target) track(c io.Closer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		c.Close()
		return errGone
	}
	t.open[c] = struct{}{}
	return nil
}

func (t *target) forget(c io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, c)
	if len(t.open) == 0 && t.quiet != nil {
		close(t.quiet)
		t.quiet = nil
	}
}

// outstanding returns how many requests and connections are under way.
func (t *target) outstanding() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open) - len(t.idle)
}

// share returns which part of its full share of requests the target takes: from 0 to 1.
func (t *target) share(now time.Time, slow time.Duration) float64 {
	from := t.slowFrom.Load()
	if from == 0 || slow <= 0 {
		return 1
	}
	return min(1, max(0, float64(now.UnixNano()-from)/float64(slow)))
}

// silence returns a channel that is closed once nothing is open; of a target that is being drained.
func (t *target) silence() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	quiet := make(chan struct{})
	if len(t.open) == 0 {
		close(quiet)
		return quiet
	}
	if t.quiet == nil {
		t.quiet = quiet
	}
	return t.quiet
}

// carrier is a connection that net/http keeps and sends several requests over.
type carrier struct {
	net.Conn
	of *target
}

// Close closes it.
func (c carrier) Close() error {
	c.of.mu.Lock()
	delete(c.of.carriers, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

func (t *target) connectCarrier(ctx context.Context) (net.Conn, error) {
	conn, err := t.connect(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		conn.Close()
		return nil, errGone
	}
	c := carrier{conn, t}
	t.carriers[c] = struct{}{}
	return c, nil
}

// take returns an idle connection, or a new one. once says that the request must not be sent twice.
func (t *target) take(ctx context.Context, once, fresh bool) (*wire, error) {
	now := time.Now()
	for !fresh {
		w := t.pop()
		if w == nil {
			break
		}
		age := now.Sub(w.since)
		trusted := !once && age < trustTime // to look would cost more than to find out
		if trusted || age < maxIdleTime && (!once || age < freshTime) && w.alive() {
			w.reused = true
			return w, nil
		}
		w.discard()
	}
	conn, err := t.connectHTTP(ctx)
	if err != nil {
		return nil, err
	}
	w := newWire(conn, t)
	return w, t.track(w)
}

func (t *target) pop() *wire {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(t.idle)
	if n == 0 {
		return nil
	}
	w := t.idle[n-1]
	t.idle[n-1] = nil
	t.idle = t.idle[:n-1]
	return w
}

// put keeps a connection for the next request; the one unused for longest is let go when its time is over.
func (t *target) put(w *wire) {
	w.since = time.Now()
	t.mu.Lock()
	if t.spent || len(t.idle) >= maxIdle {
		t.mu.Unlock()
		w.discard()
		return
	}
	t.idle = append(t.idle, w)
	var old *wire
	if first := t.idle[0]; w.since.Sub(first.since) > maxIdleTime {
		old, t.idle = first, t.idle[1:]
	}
	t.mu.Unlock()
	if old != nil {
		old.discard()
	}
}

// drain closes the connections that are idle, and has the others closed when they become so.
func (t *target) drain() {
	t.mu.Lock()
	t.spent = true
	idle := t.idle
	t.idle = nil
	t.mu.Unlock()
	for _, w := range idle {
		w.discard()
	}
	if t.h2 != nil {
		t.h2.CloseIdleConnections()
	}
}

// undrain stops the wait for the end of a drain.
func (t *target) undrain() {
	if t.stopDrain != nil {
		t.stopDrain()
		t.stopDrain, t.drainEnd = nil, time.Time{}
	}
}

// keep takes a target back that was drained: it was registered again, as the same one.
func (t *target) keep() {
	t.undrain()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spent = false
}

// close cuts off what is still open, and has later requests sent elsewhere.
func (t *target) close() {
	t.drain()
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cut()
}

// cut breaks off what is under way.
func (t *target) cut() {
	t.mu.Lock()
	var open []io.Closer
	for _, some := range []map[io.Closer]struct{}{t.open, t.carriers} {
		open = slices.AppendSeq(open, maps.Keys(some))
	}
	t.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}
