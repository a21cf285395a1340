// Package scripted runs no containers: they live and die as their labels say, for tests of scale and of failure.
//
// It keeps everything in memory, timers included only for what is about to happen: a container that just runs costs a few
// hundred bytes and nothing else. When the process ends, its containers are gone without a trace; a test that starts an
// engine again hands it the same Runtime.
//
// What a pull does is said by the image's tag: "web:1.0.17-pull-2s" takes two seconds, "-pull-missing", "-pull-denied"
// and "-pull-unavailable" fail so, and "-pull-2s-missing" does so after two seconds.
package scripted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"maps"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Runtime pretends to run containers. It may be used by several goroutines.
type Runtime struct {
	runtime.Unable
	speed float64
	hub   runtime.Hub

	mu         sync.Mutex
	containers map[runtime.Name]*container
	scripts    map[string]*Script // each text is read once
}

// New returns a runtime that divides every duration in scripts by speed; 0 is 1.
func New(speed float64) *Runtime {
	if speed <= 0 {
		speed = 1
	}
	return &Runtime{speed: speed, containers: map[runtime.Name]*container{}, scripts: map[string]*Script{}}
}

// Kind returns "scripted".
func (r *Runtime) Kind() string { return "scripted" }

// Describe tells what this runtime is.
func (r *Runtime) Describe() string { return "no containers: tasks live and die as their labels say" }

// Close does nothing.
func (r *Runtime) Close() error { return nil }

// Changes tells of every change.
func (r *Runtime) Changes(ctx context.Context) iter.Seq[runtime.Name] { return r.hub.Watch(ctx) }

// pace is how long something takes here.
func (r *Runtime) pace(d time.Duration) time.Duration { return time.Duration(float64(d) / r.speed) }

// Create makes a container. A script that cannot be read is refused with every mistake in it.
func (r *Runtime) Create(_ context.Context, spec runtime.Spec) error {
	if err := spec.Name.Check(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.containers[spec.Name] != nil {
		return nil
	}
	script, err := r.script(spec.Definition.DockerLabels[Label])
	if err != nil {
		return fault.New(fault.Invalid, "cannot create container %q: %w", spec.Name, err)
	}
	if script.CreateFails != "" {
		return fault.New(fault.Invalid, "cannot create container %q: %s", spec.Name, script.CreateFails)
	}
	r.containers[spec.Name] = &container{script: script, labels: spec.Labels, docker: spec.Definition.DockerLabels}
	defer r.hub.Tell(spec.Name)
	return nil
}

func (r *Runtime) script(text string) (*Script, error) {
	if s := r.scripts[text]; s != nil {
		return s, nil
	}
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	r.scripts[text] = s
	return s, nil
}

// Inspect tells what has become of a container.
func (r *Runtime) Inspect(_ context.Context, name runtime.Name) (runtime.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.find(name)
	if err != nil {
		return runtime.Status{}, err
	}
	return c.status(name), nil
}

// List finds containers by their labels.
func (r *Runtime) List(_ context.Context, labels map[string]string) ([]runtime.Status, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []runtime.Status
	for name, c := range r.containers {
		if c.has(labels) {
			found = append(found, c.status(name))
		}
	}
	return found, nil
}

func (r *Runtime) find(name runtime.Name) (*container, error) {
	if c := r.containers[name]; c != nil {
		return c, nil
	}
	return nil, fault.New(fault.NotFound, "there is no container %q", name)
}

// container is a pretended container. Its maps are those that it was created with.
type container struct {
	script         *Script
	labels, docker map[string]string
	phase          runtime.Phase // empty: created
	started, ended time.Time
	exitCode       int
	outOfMem       bool
	failure        string
	timer          *time.Timer   // its end; nil when none is planned
	due            time.Time     // when that is
	over           chan struct{} // closed at the end; nil when nobody waits for that
	frozen         bool
	left           time.Duration // of a frozen one: how long until its end
}

func (c *container) has(labels map[string]string) bool {
	for k, v := range labels {
		got, ok := c.labels[k]
		if !ok {
			got, ok = c.docker[k]
		}
		if !ok || got != v {
			return false
		}
	}
	return true
}

func (c *container) status(name runtime.Name) runtime.Status {
	labels := make(map[string]string, len(c.labels)+len(c.docker))
	maps.Copy(labels, c.docker)
	maps.Copy(labels, c.labels)
	id := sha256.Sum256([]byte(name))
	s := runtime.Status{
		Name: name, ID: hex.EncodeToString(id[:]), Labels: labels, Phase: c.phase, ExitCode: c.exitCode, OutOfMem: c.outOfMem,
		Error: c.failure, StartedAt: c.started, EndedAt: c.ended,
	}
	if c.phase == "" {
		s.Phase = runtime.Created
	}
	return s
}
