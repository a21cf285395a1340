// Package app assembles what Slipway consists of, from options, and starts and stops it as one.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api"
	"github.com/slipway-cd/slipway/engine/api/ecrapi"
	"github.com/slipway-cd/slipway/engine/balance"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/limits"
	"github.com/slipway-cd/slipway/engine/metadata"
	"github.com/slipway-cd/slipway/engine/objects"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/docker"
	"github.com/slipway-cd/slipway/fault"
)

// DefaultListen is where the engine serves unless told otherwise.
const DefaultListen = "127.0.0.1:4566"

// EngineOptions say what an embedded engine is made of. Dir is required.
type EngineOptions struct {
	Listen     string // host:port; port 0: any free one; DefaultListen when empty
	Dir        string // keeps state, images and logs
	Runtime    RuntimeName
	Speed      float64
	Instances  int      // container instances of a new cluster; 0: 4
	Zones      []string // letters of availability zones; nil: a, b
	Region     string
	CheckRoles bool // roles that are named must exist
	// EventTargets, the last part of an ARN → a URL, or file: and a path, are where events for such targets go.
	EventTargets map[string]string
	// Credentials, access key → secret key, are checked when there are any; without, any credentials do.
	Credentials map[string]string
	Hooks       engine.Hooks // what the lifecycle hooks of deployments call
	Limits      Limits       // NoLimits when empty
	Logger      *slog.Logger // silent when nil
}

// Engine is an embedded engine with its load balancers, its image registry and its AWS APIs.
type Engine struct {
	options EngineOptions
	engine  *engine.Engine
	balance *balance.Balance
	images  *images.Store
	objects *objects.Store

	metadata metadataAccess
	runtime  runtime.Runtime
	freezer  runtime.Freezer // nil when the runtime is none
	gate     api.Gate
	buckets  limits.Buckets
	faults   troubles
	events   *events
	words    string   // what the runtime is, for people
	former   []string // host:port where engines on the directory served before, the latest last
	moved    string   // the one of them that it comes from; empty when it has stayed

	listener net.Listener
	server   *http.Server
	inner    *http.Server // of metadata, for containers; nil when there is none
	serving  sync.WaitGroup
	sweep    context.CancelFunc
	started  time.Time

	stopAsked chan bool
}

// NewEngine opens the directory and the address. Nothing runs before Start.
func NewEngine(ctx context.Context, o EngineOptions) (*Engine, error) {
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Engine{options: o, stopAsked: make(chan bool, 1)}
	if err := e.open(ctx); err != nil {
		_ = e.close(ctx)
		return nil, err
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) error {
	if err := e.options.Limits.check(); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", e.options.Listen)
	if err != nil {
		return cannotListen(e.options.Listen, err)
	}
	e.listener = listener
	if e.objects, err = objects.Open(filepath.Join(e.options.Dir, "objects")); err != nil {
		return err
	}
	addresses, err := Addresses(e.Addr())
	if err != nil {
		return err
	}
	used, err := readUsage(e.options.Dir)
	if err != nil {
		return err
	}
	e.former, e.moved = used.before(e.Addr()), used.movedTo(e.Addr())
	if e.runtime, e.words, err = openRuntime(ctx, e.options, used); err != nil {
		return err
	}
	if e.metadata, err = e.openMetadata(ctx, e.runtime); err != nil {
		return err
	}
	e.engine, err = engine.Open(ctx, engine.Options{
		Metadata: e.metadata.url,
		Dir:      e.options.Dir, Runtime: troubled{resident{e.runtime, e.resolve}, e}, Speed: e.options.Speed, Addresses: addresses,
		Instances: e.options.Instances, Zones: e.options.Zones,
		Object: e.objects.Read, Hooks: e.options.Hooks,
		CheckRoles: e.options.CheckRoles,
		Identity:   engine.Identity{Region: e.options.Region}, Logger: e.options.Logger, Cleared: e.cleared,
	})
	if err != nil {
		return err
	}
	probing := Probe(e.engine.DB(), e.runtime)
	e.freezer, _ = e.runtime.(runtime.Freezer)
	e.runtime = nil // the engine closes it from now on
	if err := e.use(); err != nil {
		return err
	}
	e.images, err = images.Open(filepath.Join(e.options.Dir, "images"), images.Options{Immutable: e.immutable})
	if err != nil {
		return err
	}
	e.balance = balance.New(balance.Options{DB: e.engine.DB(), Speed: e.engine.Speed(), Logger: e.options.Logger, Probe: probing})
	return e.handle()
}

// use remembers what the directory is used with, now that it is this engine's alone. Somebody else may have been quicker
// with a new one, and gone again.
func (e *Engine) use() error {
	kind := RuntimeName(e.engine.Runtime().Kind())
	used, err := readUsage(e.options.Dir)
	if err != nil {
		return err
	}
	if _, err := used.choose(e.options.Dir, kind); err != nil {
		return err
	}
	used.Runtime, used.Addresses = kind, append(used.before(e.Addr()), e.Addr())
	return used.write(e.options.Dir)
}

// cleared forgets the runtime whose containers have been removed: the next engine may choose another. What processes were
// unpacked from goes with them; it is pulled again when it is needed.
func (e *Engine) cleared() error {
	if err := os.RemoveAll(processDir(e.options.Dir)); err != nil {
		return fault.New(fault.Internal, "cannot remove the unpacked images: %w", err)
	}
	used, err := readUsage(e.options.Dir)
	if err != nil {
		return err
	}
	used.Runtime = ""
	return used.write(e.options.Dir)
}

func cannotListen(at string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fault.New(fault.Unavailable, "cannot listen on %s: %w", at, err).
			WithHint("another engine may be running there (`slipway engine status`); choose another address with --listen")
	}
	return fault.New(fault.Invalid, "cannot listen on %s: %w", at, err).
		WithHint("give an IP address of this machine and a port, such as %s", DefaultListen)
}

func (e *Engine) immutable(name images.Name, tag images.Tag) bool {
	return ecrapi.Immutable(e.engine.DB().Read(), string(name), string(tag))
}

func (e *Engine) handle() error {
	e.events = openEvents(e.engine, e.options)
	e.gate.Pass = e.pass
	aws, err := api.Handler(api.Options{
		Gate:   &e.gate,
		Bus:    e.events.bus,
		Engine: e.engine, Images: e.images, Objects: e.objects, Host: e.Addr, Credentials: e.options.Credentials, Logger: e.options.Logger,
	})
	if err != nil {
		return err
	}
	e.server = &http.Server{
		Handler: e.withAdmin(withMetadata(metadata.Handler(e.engine), aws)), ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(e.options.Logger.Handler(), slog.LevelDebug),
	}
	return nil
}

// Start sets everything in motion: the endpoint first, because containers are pulled from it.
func (e *Engine) Start(ctx context.Context) error {
	e.started = time.Now()
	e.serving.Go(func() { _ = e.server.Serve(e.listener) })
	if l := e.metadata.listener; l != nil {
		e.inner = &http.Server{Handler: metadata.Handler(e.engine), ReadHeaderTimeout: 30 * time.Second, ErrorLog: e.server.ErrorLog}
		e.serving.Go(func() { _ = e.inner.Serve(l) })
	}
	sweeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.sweep = stop
	e.serving.Go(func() { e.sweepImages(sweeping) })
	if err := e.balance.Start(ctx); err != nil {
		return err
	}
	e.events.start(ctx)
	if err := e.engine.Start(ctx); err != nil {
		return err
	}
	return e.thawFormer(ctx)
}

// sweepImages drops what has expired and what no image needs, now and then.
func (e *Engine) sweepImages(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		e.expire()
		if err := e.images.Sweep(ctx, images.UnfinishedFor); err != nil && ctx.Err() == nil {
			e.options.Logger.Warn("cannot sweep the image registry", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Stop lets go of everything; containers go on running and are found again by the next engine on the directory.
func (e *Engine) Stop(ctx context.Context) error {
	if e.sweep != nil {
		e.sweep()
	}
	return e.close(ctx)
}

// Clear removes all containers, and from Docker the images that came from this engine: for an engine that will not be
// used again. Call it before Stop.
func (e *Engine) Clear(ctx context.Context) error {
	docked := e.engine.Runtime().Kind() == string(Docker)
	err := errors.Join(e.endFaults(ctx), e.engine.Clear(ctx))
	if docked {
		for _, address := range append(slices.Clone(e.former), e.Addr()) {
			err = errors.Join(err, docker.ForgetImages(ctx, docker.Options{}, address))
		}
	}
	return err
}

func (e *Engine) close(ctx context.Context) error {
	errs := []error{e.endFaults(ctx)}
	if e.server != nil && !e.started.IsZero() {
		if err := e.server.Shutdown(ctx); err != nil {
			errs = append(errs, e.server.Close())
		}
	} else if e.listener != nil {
		errs = append(errs, e.listener.Close())
	}
	if e.inner != nil {
		errs = append(errs, e.inner.Close())
	} else if e.metadata.listener != nil {
		errs = append(errs, e.metadata.listener.Close())
	}
	if e.balance != nil && !e.started.IsZero() {
		errs = append(errs, e.balance.Stop(ctx))
	}
	if e.events != nil {
		errs = append(errs, e.events.stop(ctx))
	}
	if e.engine != nil {
		errs = append(errs, e.engine.Stop(ctx))
	}
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close())
	}
	e.serving.Wait()
	return errors.Join(errs...)
}

// Addr returns host:port of the endpoint, as clients on this machine and image references can name it.
func (e *Engine) Addr() string { return reachable(e.listener.Addr().String()) }

// reachable names a place to listen on that stands for all addresses by one of them: an endpoint and a registry must be
// somewhere.
func reachable(listen string) string {
	at, err := netip.ParseAddrPort(listen)
	if err != nil || !at.Addr().IsUnspecified() {
		return listen
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port()).String()
}

// Endpoint returns the URL of the endpoint, which is also where the image registry is.
func (e *Engine) Endpoint() string { return "http://" + e.Addr() }

// Moved returns host:port of where the engine on the directory served last, if that was somewhere else; else "".
func (e *Engine) Moved() string { return e.moved }

// Runtime says in words what runs the containers.
func (e *Engine) Runtime() string { return e.words }

// Addresses returns the loopback network that belongs to the engine that listens on this address: 127.x.y.0/24 from the
// two bytes of its port, so that two engines on one machine never share one.
func Addresses(listen string) (netip.Prefix, error) {
	at, err := netip.ParseAddrPort(listen)
	if err != nil {
		return netip.Prefix{}, fault.New(fault.Invalid, "cannot listen on %q: %w", listen, err).
			WithHint("give an IP address and a port, such as %s", DefaultListen)
	}
	high, low := byte(at.Port()>>8), byte(at.Port())
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{127, high, low, 0}), 24), nil
}
