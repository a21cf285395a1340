package conformance

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api"
	"github.com/slipway-cd/slipway/engine/balance"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/engine/state"
)

// house is an engine at AWS's own pace, with everything around it, in virtual time and without a network.
type house struct {
	*testing.T
	*engine.Engine
	clients
	balance *balance.Balance
	options engine.Options
	watch   *state.Watcher
	began   time.Time
	opened  func() // called when the state has been read, before anything moves; nil: nothing is to be done then
}

func newHouse(t *testing.T, change func(*engine.Options)) *house {
	t.Helper()
	h := &house{T: t, options: engine.Options{
		Dir: t.TempDir(), Runtime: scripted.New(1), Speed: 1, Addresses: netip.MustParsePrefix("127.66.1.0/24"),
	}}
	if change != nil {
		change(&h.options)
	}
	h.open()
	t.Cleanup(func() { h.close() }) // even of a test that fails: a bubble must be left by everybody
	return h
}

// open opens the engine on its directory and sets everything in motion.
func (h *house) open() {
	h.Helper()
	e, err := engine.Open(h.Context(), h.options)
	h.must(err)
	h.Engine = e
	store, err := images.Open(h.TempDir(), images.Options{})
	h.must(err)
	handler, err := api.Handler(api.Options{Engine: e, Images: store, Host: func() string { return "127.0.0.1:4566" }})
	h.must(err)
	h.clients = newClients("http://engine", inside{handler})
	h.balance = balance.New(balance.Options{
		DB: e.DB(), Speed: h.options.Speed, Probe: app.Probe(e.DB(), h.options.Runtime), Listen: listen,
	})
	h.began, h.watch = time.Now(), e.DB().Watch()
	if h.opened != nil {
		h.opened()
	}
	h.must(h.balance.Start(h.Context()))
	h.must(e.Start(h.Context()))
}

// close lets go of everything. Containers go on running.
func (h *house) close() {
	h.Helper()
	h.watch.Close()
	h.must(h.balance.Stop(context.WithoutCancel(h.Context())))
	h.must(h.Stop(context.WithoutCancel(h.Context())))
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// age is how long the engine has been running.
func (h *house) age() time.Duration { return time.Since(h.began) }

// settle waits until nothing more happens at this moment, and returns what has changed.
func (h *house) settle() []state.Change {
	synctest.Wait()
	now, cancel := context.WithCancel(h.Context())
	cancel()
	changes, _ := h.watch.Next(now) // its error says that there are none
	return changes
}

// next lets time pass until something changes, at most until limit, and returns what has.
func (h *house) next(limit time.Time) []state.Change {
	ctx, cancel := context.WithDeadline(h.Context(), limit)
	defer cancel()
	changes, _ := h.watch.Next(ctx)
	return append(changes, h.settle()...)
}

// quiet is a listener that nobody connects to.
type quiet struct {
	at     netip.AddrPort
	closed chan struct{}
	once   sync.Once
}

func listen(at netip.AddrPort) (net.Listener, error) {
	return &quiet{at: at, closed: make(chan struct{})}, nil
}

// Accept waits until the listener is closed.
func (q *quiet) Accept() (net.Conn, error) {
	<-q.closed
	return nil, net.ErrClosed
}

// Close ends the listener.
func (q *quiet) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

// Addr is where it would listen.
func (q *quiet) Addr() net.Addr { return net.TCPAddrFromAddrPort(q.at) }

var _ runtime.Prober = (*scripted.Runtime)(nil)

func zoneLetter(zone string) string { return strings.TrimPrefix(zone, "us-east-1") }
