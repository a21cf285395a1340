package balance

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-cd/slipway/fault"
)

// socket is one listener of a load balancer that is open.
type socket struct {
	settings listenerSettings // as they were when it was opened, rules aside; changed by the follower alone
	table    atomic.Pointer[table]
	listener net.Listener
	server   *http.Server // nil when bytes are passed on
	front    *front       // before the server; nil over TLS, and when bytes are passed on
	ctx      context.Context
	cancel   context.CancelFunc // cuts off what the server doesn't know of
	conns    tracker            // tunnels, and connections whose bytes are passed on
	serving  sync.WaitGroup
}

// same reports whether a socket that was opened for s serves other just as well. A new idle timeout holds for targets at
// once, and for clients between two requests when the listener is opened the next time: nobody is cut off for it.
func (s listenerSettings) same(other listenerSettings) bool {
	return s.At == other.At && s.Protocol == other.Protocol && s.Classic == other.Classic &&
		s.HTTP2 == other.HTTP2 && s.Owner == other.Owner
}

// listen opens a socket on the network.
func listen(at netip.AddrPort) (net.Listener, error) {
	return net.Listen("tcp", at.String()) //nolint:noctx // an address of this machine is bound at once
}

// open listens, and serves what comes by the table.
func open(
	s listenerSettings, t *table, certificate tls.Certificate, listen func(netip.AddrPort) (net.Listener, error), log *slog.Logger,
) (*socket, error) {
	if !s.At.IsValid() {
		return nil, fault.New(fault.Invalid, "cannot listen for %s: it has no address", s.Owner)
	}
	switch s.Protocol {
	case HTTP, HTTPS, TCP, TLS:
	default:
		return nil, fault.New(fault.Invalid, "cannot listen on %s for %s: protocol %q is not served by the engine", s.At, s.Owner, s.Protocol).
			WithHint("use HTTP, HTTPS, TCP or TLS")
	}
	listener, err := listen(s.At)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "cannot listen on %s for %s: %w", s.At, s.Owner, err).
			WithHint("free the port, or give the load balancer another one")
	}
	o := &socket{settings: s, listener: listener}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	o.table.Store(t)
	if s.Protocol.raw() {
		if s.Protocol == TLS {
			listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}})
		}
		o.serving.Go(func() { o.accept(listener) })
		return o, nil
	}
	o.server = newServer(s, o, certificate, log)
	if s.Protocol == HTTPS {
		o.serving.Go(func() { _ = o.server.ServeTLS(listener, "", "") }) // ends when the socket is closed
		return o, nil
	}
	o.front = newFront(o, listener)
	o.serving.Go(o.front.run)
	o.serving.Go(func() { _ = o.server.Serve(o.front) })
	return o, nil
}

// newServer returns the server of an HTTP listener. HTTP/2 is spoken over TLS only, as by application load balancers.
func newServer(s listenerSettings, handler http.Handler, certificate tls.Certificate, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(s.Protocol == HTTPS && s.HTTP2 && !s.Classic)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}},
		IdleTimeout:       s.Idle,
		ReadHeaderTimeout: s.Idle,
		MaxHeaderBytes:    64 << 10, // [Quotas for your Application Load Balancers]
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// ServeHTTP does with a request what the rules say. The server forgets a connection that switches to another protocol,
// so those are counted here.
func (s *socket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(r.Header["Upgrade"]) > 0 {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		s.conns.add()
		defer s.conns.done()
		r = r.WithContext(ctx)
	}
	if r.ContentLength < 0 || r.ContentLength > maxBuffered {
		// A target may answer while it is still being sent to. Without this, net/http would swallow the rest of the body.
		_ = http.NewResponseController(w).EnableFullDuplex() // HTTP/2 always is
	}
	s.table.Load().action(r).ServeHTTP(w, r)
}

// close stops listening, waits for what is under way until ctx ends, and cuts off the rest.
func (s *socket) close(ctx context.Context) error {
	s.listener.Close()
	var err error
	if s.front != nil {
		s.front.finish()
		err = s.front.conns.wait(ctx)
	}
	if s.server != nil && err == nil {
		if err = s.server.Shutdown(ctx); errors.Is(err, net.ErrClosed) {
			err = nil // it closes the listener, too
		}
	}
	if err == nil {
		err = s.conns.wait(ctx)
	}
	s.cancel()
	if s.front != nil {
		s.front.cut()
	}
	if s.server != nil {
		_ = s.server.Close()
	}
	s.serving.Wait()
	if err == nil {
		return nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second) // they have been cut off: this is short
	defer cancel()
	if s.front != nil {
		_ = s.front.conns.wait(last)
	}
	_ = s.conns.wait(last)
	return fault.New(fault.Timeout, "cannot wait any longer for the connections of %s on %s: %w", s.settings.Owner, s.settings.At, err)
}

func closeAll(ctx context.Context, sockets map[netip.AddrPort]*socket) error {
	var all errgroup.Group
	for _, s := range sockets {
		all.Go(func() error { return s.close(ctx) })
	}
	return all.Wait()
}

// tracker counts what has to come to its end before a socket is closed.
type tracker struct {
	mu   sync.Mutex
	n    int
	zero chan struct{} // closed when n falls to zero; nil while nobody waits
}

func (t *tracker) add() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

func (t *tracker) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.n == 0 && t.zero != nil {
		close(t.zero)
		t.zero = nil
	}
}

func (t *tracker) wait(ctx context.Context) error {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return nil
	}
	if t.zero == nil {
		t.zero = make(chan struct{})
	}
	zero := t.zero
	t.mu.Unlock()
	select {
	case <-zero:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
