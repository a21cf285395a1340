//go:build linux

// Package process runs containers as supervised processes, unpacked from their images, where there is no Docker.
//
// Each container has a supervisor of its own: this program, started anew (see Shim). The supervisor outlives the engine;
// it keeps the container's ports, output and exit code, so that an engine that was killed finds all of them again.
// What isolation the kernel grants is found out once, when the runtime is opened (see Isolation).
//
// Known limits: inside its own network a program reaches only itself and those that share it, there is no way out; links, devices and volume
// drivers are not offered; without namespaces there are no volumes, and no capabilities are added.
package process

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"sync"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Options are what may be chosen about processes.
type Options struct {
	Isolation Isolation // the most that is used; empty: the best that the kernel grants
	Unpack    Bounds    // of an image; zero: DefaultBounds
}

// Runtime runs containers as processes.
type Runtime struct {
	dir    string
	grant  grant
	limits *limiter // nil where memory cannot be limited
	bounds Bounds
	hub    runtime.Hub
	ctx    context.Context // ends with Close; the watches over running containers hang on it
	cancel context.CancelFunc
	pulls  sync.Mutex // one image is unpacked at a time

	mu         sync.Mutex
	containers map[runtime.Name]*container
}

// Open opens the runtime over a directory, which it creates if need be, and finds the containers there. One engine at a
// time may use a directory. The program must call Shim first of all. The context counts for opening alone.
func Open(ctx context.Context, dir string, options Options) (*Runtime, error) {
	if os.Getenv(shimVariable) != "" {
		return nil, fault.New(fault.Internal, "cannot supervise: the program does not call process.Shim first of all")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.New(fault.Internal, "cannot open %q: %w", dir, err)
	}
	if options.Unpack == (Bounds{}) {
		options.Unpack = DefaultBounds
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &Runtime{dir: dir, bounds: options.Unpack, limits: findLimiter(), ctx: ctx, cancel: cancel, containers: map[runtime.Name]*container{}}
	if err := r.prepare(options.Isolation); err != nil {
		cancel()
		return nil, fault.New(fault.KindOf(err), "cannot run processes in %q: %w", dir, err)
	}
	return r, nil
}

func (r *Runtime) prepare(most Isolation) error {
	_ = os.RemoveAll(r.path("tmp")) // what an engine that was killed had begun
	for _, sub := range []string{"images", "references", "containers", volumesDir, "tmp"} {
		if err := os.MkdirAll(r.path(sub), 0o711); err != nil {
			return err
		}
	}
	granted, err := probe(r.path("tmp"), most)
	if err != nil {
		return err
	}
	r.grant = granted
	all, err := os.ReadDir(r.path("containers"))
	if err != nil {
		return err
	}
	for _, entry := range all {
		c, err := r.find(runtime.Name(entry.Name()))
		if err == nil && c.running() {
			r.watch(c)
		}
	}
	return nil
}

func (r *Runtime) path(parts ...string) string {
	return filepath.Join(append([]string{r.dir}, parts...)...)
}

// Kind returns "process".
func (r *Runtime) Kind() string { return "process" }

// Shares tells whether containers have networks of their own, which others could share.
func (r *Runtime) Shares() bool { return r.grant.Level == Network }

// Isolation tells what the kernel grants.
func (r *Runtime) Isolation() Isolation { return r.grant.Level }

// Describe tells how processes are run here.
func (r *Runtime) Describe() string {
	if r.limits == nil {
		return r.grant.Level.words() + "; memory limits are not enforced"
	}
	return r.grant.Level.words()
}

// Changes tells of every start and end.
func (r *Runtime) Changes(ctx context.Context) iter.Seq[runtime.Name] { return r.hub.Watch(ctx) }

// Close stops watching. Containers go on running.
func (r *Runtime) Close() error {
	r.cancel()
	return nil
}
