package engine

import (
	"context"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// fake is a runtime in memory, on the clock of the test. What a container does its image's tag says: "crash" ends after
// a second with exit code 1, "missing" cannot be pulled, every other one runs until it is stopped.
type fake struct {
	runtime.Hub
	runtime.Unable
	mu         sync.Mutex
	containers map[runtime.Name]*runtime.Status
	created    int
}

func newFake() *fake { return &fake{containers: map[runtime.Name]*runtime.Status{}} }

func (f *fake) Kind() string { return "scripted" }

func (f *fake) Pull(_ context.Context, ref string) (runtime.Image, error) {
	if strings.HasSuffix(ref, ":missing") {
		return runtime.Image{}, fault.New(fault.NotFound, "manifest for %s not found: manifest unknown", ref)
	}
	name, _, _ := strings.Cut(ref, "@")
	return runtime.Image{Digest: "sha256:of-" + strings.ReplaceAll(name, ":", "-")}, nil
}

func (f *fake) Create(_ context.Context, spec runtime.Spec) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.containers[spec.Name] == nil {
		f.created++
		labels := spec.Labels
		if strings.Contains(*spec.Definition.Image, "crash") {
			labels["crash"] = "yes"
		}
		f.containers[spec.Name] = &runtime.Status{Name: spec.Name, ID: "id-" + string(spec.Name), Labels: labels, Phase: runtime.Created}
	}
	return nil
}

func (f *fake) Start(_ context.Context, name runtime.Name) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.containers[name]
	s.Phase, s.StartedAt = runtime.Running, time.Now()
	if s.Labels["crash"] != "" {
		time.AfterFunc(time.Second, func() { f.exit(name, 1) })
	}
	f.Tell(name)
	return nil
}

func (f *fake) exit(name runtime.Name, code int) {
	f.mu.Lock()
	if s := f.containers[name]; s != nil && s.Phase == runtime.Running {
		s.Phase, s.ExitCode, s.EndedAt = runtime.Exited, code, time.Now()
	}
	f.mu.Unlock()
	f.Tell(name)
}

func (f *fake) Stop(_ context.Context, name runtime.Name, _ time.Duration) error {
	f.exit(name, 143)
	return nil
}

func (f *fake) Remove(_ context.Context, name runtime.Name) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.containers, name)
	return nil
}

func (f *fake) Inspect(_ context.Context, name runtime.Name) (runtime.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.containers[name]; s != nil {
		return *s, nil
	}
	return runtime.Status{}, fault.New(fault.NotFound, "no container %q", name)
}

func (f *fake) List(_ context.Context, labels map[string]string) ([]runtime.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []runtime.Status
	for _, s := range f.containers {
		if s.Labels[lifecycle.LabelEngine] == labels[lifecycle.LabelEngine] {
			list = append(list, *s)
		}
	}
	return list, nil
}

func (f *fake) Exec(context.Context, runtime.Name, []string) (int, string, error) { return 0, "", nil }

func (f *fake) Logs(context.Context, runtime.Name, time.Time, bool) iter.Seq2[runtime.Line, error] {
	return func(func(runtime.Line, error) bool) {}
}

func (f *fake) Changes(ctx context.Context) iter.Seq[runtime.Name] { return f.Watch(ctx) }

func (f *fake) Close() error { return nil }

func (f *fake) count() (alive, created int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.containers {
		if s.Phase == runtime.Running {
			alive++
		}
	}
	return alive, f.created
}
