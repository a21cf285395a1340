// Package balance runs the engine's load balancers: they listen, check the health of their targets, drain and forward.
//
// It follows the state: whatever load balancers, listeners, rules, target groups and targets are there is what runs, and
// what it finds out about targets it writes back into their records. Between two changes of the state nothing on the way
// of a request takes a lock that another listener or target holds.
package balance

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// Options say what the load balancers are made of.
type Options struct {
	DB     *state.DB
	Speed  float64 // what AWS's own waits (check intervals, deregistration delays) are divided by; 1 when it is 0
	Logger *slog.Logger
	Probe  Probe // how targets are checked; over the network when it is nil

	// Listen opens a listener's socket; on the network when it is nil. Where time is virtual, nothing may wait for a network.
	Listen func(netip.AddrPort) (net.Listener, error)
}

// Balance is the load balancers of one engine.
type Balance struct {
	db    *state.DB
	speed float64
	log   *slog.Logger
	probe Probe
	open  func(netip.AddrPort) (net.Listener, error)

	ctx       context.Context // ends with Stop; bounds everything in the background
	cancel    context.CancelFunc
	work      sync.WaitGroup     // health checkers, drains and closing sockets
	unfollow  context.CancelFunc // stops the follower
	following sync.WaitGroup

	// What follows belongs to the goroutine that follows the state.
	wanted  layout
	sockets map[netip.AddrPort]*socket
	groups  map[groupID]*group
	rosters map[string]roster // by the Group of the targets

	mu     sync.Mutex
	failed map[netip.AddrPort]Problem // listeners that could not be opened
}

// Problem is a listener that is not served, and why.
type Problem struct {
	Balancer string // ARN, or the name of a classic load balancer
	Address  netip.AddrPort
	Err      error
}

// New returns load balancers that are not running yet.
func New(o Options) *Balance {
	b := &Balance{
		db: o.DB, speed: o.Speed, log: o.Logger, probe: o.Probe, open: o.Listen,
		sockets: map[netip.AddrPort]*socket{},
		groups:  map[groupID]*group{},
		rosters: map[string]roster{},
		failed:  map[netip.AddrPort]Problem{},
	}
	if b.speed <= 0 {
		b.speed = 1
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.probe == nil {
		b.probe = Dial
	}
	if b.open == nil {
		b.open = listen
	}
	return b
}

// Start opens the listeners that the state knows, and follows it from then on. A listener that cannot be opened is no
// error: it is told by Problems and in its load balancer's state, and tried again.
func (b *Balance) Start(context.Context) error {
	if b.ctx != nil {
		return fault.New(fault.Conflict, "cannot start load balancers: they were started before")
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	changes := b.db.Watch() // before the first look, so that nothing is missed
	b.reconcile(b.db.Read(), nil)
	following, unfollow := context.WithCancel(b.ctx)
	b.unfollow = unfollow
	b.following.Go(func() { b.follow(following, changes) })
	return nil
}

// Stop closes the listeners, lets requests in flight and tunnels come to their end until ctx ends, and then closes what is
// left. The records of targets stay as they are. Its error is that of ctx when something had to be cut off.
func (b *Balance) Stop(ctx context.Context) error {
	if b.ctx == nil {
		return nil
	}
	b.unfollow()
	b.following.Wait()
	err := closeAll(ctx, b.sockets)
	b.cancel()
	b.work.Wait()
	for _, r := range b.rosters {
		for _, t := range r {
			t.close()
		}
	}
	return err
}

// Problems returns the listeners that are not served, in no particular order.
func (b *Balance) Problems() []Problem {
	b.mu.Lock()
	defer b.mu.Unlock()
	problems := make([]Problem, 0, len(b.failed))
	for _, p := range b.failed {
		problems = append(problems, p)
	}
	return problems
}

// scaled returns a wait of AWS's at the engine's speed.
func (b *Balance) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / b.speed)
}
