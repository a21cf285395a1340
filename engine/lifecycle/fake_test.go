package lifecycle

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// program is what a container of the fake runtime does.
type program struct {
	runs       time.Duration // exits by itself after so long; 0: never
	code       int
	oom        bool
	ignoreTerm bool
	check      func(at time.Time) int // exit code of Exec
	lines      []string
	startErr   error
	createErr  error
}

// fake is a runtime in memory, on the clock of the test.
type fake struct {
	runtime.Hub
	runtime.Unable
	mu         sync.Mutex
	programs   map[string]program // by container name
	containers map[runtime.Name]*box
	pullErr    map[string]error
	digest     string
	objects    map[string]string // by bucket/key
	volumes    map[string]runtime.Volume
	pulls      []string
	pullTime   time.Duration
	createTime time.Duration
	shares     bool
	journal    []string // "start app", "term app", "kill app", "exit app"
}

type box struct {
	spec   runtime.Spec
	status runtime.Status
	exited chan struct{}
	lines  []runtime.Line
}

func newFake(programs map[string]program) *fake {
	return &fake{programs: programs, containers: map[runtime.Name]*box{}, pullErr: map[string]error{}, digest: "sha256:aa"}
}

func (f *fake) Kind() string { return "fake" }

func (f *fake) Shares() bool { return f.shares }

func (f *fake) Pull(ctx context.Context, ref string) (runtime.Image, error) {
	select {
	case <-time.After(f.pullTime):
	case <-ctx.Done():
		return runtime.Image{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pulls = append(f.pulls, ref)
	return runtime.Image{Digest: f.digest}, f.pullErr[ref]
}

func (f *fake) Create(ctx context.Context, spec runtime.Spec) error {
	select {
	case <-time.After(f.createTime):
	case <-ctx.Done():
		return ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.programs[*spec.Definition.Name].createErr; err != nil {
		return err
	}
	if f.containers[spec.Name] == nil {
		f.containers[spec.Name] = &box{spec: spec, status: runtime.Status{
			Name: spec.Name, ID: "id-" + string(spec.Name), Labels: spec.Labels, Phase: runtime.Created,
		}}
	}
	return nil
}

func (f *fake) Start(_ context.Context, name runtime.Name) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.containers[name]
	if b == nil {
		return fault.New(fault.NotFound, "no container %q", name)
	}
	p := f.programs[*b.spec.Definition.Name]
	if p.startErr != nil {
		return p.startErr
	}
	if b.status.Phase == runtime.Running {
		return nil
	}
	f.journal = append(f.journal, "start "+*b.spec.Definition.Name)
	b.status.Phase, b.status.StartedAt, b.exited = runtime.Running, time.Now(), make(chan struct{})
	for i, text := range p.lines {
		b.lines = append(b.lines, runtime.Line{Time: time.Now().Add(time.Duration(i)), Text: text})
	}
	if p.runs > 0 {
		go func(exited chan struct{}) {
			select {
			case <-time.After(p.runs):
				f.exit(name, p.code, p.oom)
			case <-exited:
			}
		}(b.exited)
	}
	f.Tell(name)
	return nil
}

func (f *fake) exit(name runtime.Name, code int, oom bool) {
	f.mu.Lock()
	b := f.containers[name]
	if b != nil && b.status.Phase == runtime.Running {
		b.status.Phase, b.status.ExitCode, b.status.OutOfMem, b.status.EndedAt = runtime.Exited, code, oom, time.Now()
		f.journal = append(f.journal, "exit "+*b.spec.Definition.Name)
		close(b.exited)
	}
	f.mu.Unlock()
	f.Tell(name)
}

func (f *fake) Stop(ctx context.Context, name runtime.Name, grace time.Duration) error {
	f.mu.Lock()
	b := f.containers[name]
	if b == nil {
		f.mu.Unlock()
		return fault.New(fault.NotFound, "no container %q", name)
	}
	running, p := b.status.Phase == runtime.Running, f.programs[*b.spec.Definition.Name]
	if running {
		f.journal = append(f.journal, "term "+*b.spec.Definition.Name)
	}
	f.mu.Unlock()
	switch {
	case !running:
	case p.ignoreTerm:
		select {
		case <-time.After(grace):
			f.exit(name, 137, false)
		case <-ctx.Done():
			return ctx.Err()
		}
	default:
		f.exit(name, 143, false)
	}
	return nil
}

func (f *fake) Remove(_ context.Context, name runtime.Name) error {
	f.exit(name, 137, false)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.containers, name)
	return nil
}

func (f *fake) Inspect(_ context.Context, name runtime.Name) (runtime.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if b := f.containers[name]; b != nil {
		return b.status, nil
	}
	return runtime.Status{}, fault.New(fault.NotFound, "no container %q", name)
}

func (f *fake) List(_ context.Context, labels map[string]string) ([]runtime.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []runtime.Status
	for _, name := range slices.Sorted(maps.Keys(f.containers)) {
		if s := f.containers[name].status; s.Labels[LabelEngine] == labels[LabelEngine] {
			list = append(list, s)
		}
	}
	return list, nil
}

func (f *fake) Exec(ctx context.Context, name runtime.Name, _ []string) (int, string, error) {
	f.mu.Lock()
	b := f.containers[name]
	running := b != nil && b.status.Phase == runtime.Running
	f.mu.Unlock()
	if !running {
		return 0, "", fault.New(fault.Conflict, "container %q is not running", name)
	}
	code := f.programs[*b.spec.Definition.Name].check(time.Now())
	if code < 0 { // hangs
		<-ctx.Done()
		return 0, "", ctx.Err()
	}
	return code, "", nil
}

func (f *fake) Logs(ctx context.Context, name runtime.Name, since time.Time, _ bool) iter.Seq2[runtime.Line, error] {
	return func(yield func(runtime.Line, error) bool) {
		f.mu.Lock()
		b, lines, exited := f.containers[name], []runtime.Line(nil), chan struct{}(nil)
		if b != nil {
			lines, exited = slices.Clone(b.lines), b.exited
		}
		f.mu.Unlock()
		if b == nil {
			yield(runtime.Line{}, fault.New(fault.NotFound, "no container %q", name))
			return
		}
		for _, l := range lines {
			if l.Time.After(since) && !yield(l, nil) {
				return
			}
		}
		select {
		case <-exited:
		case <-ctx.Done():
		}
	}
}

func (f *fake) Changes(ctx context.Context) iter.Seq[runtime.Name] { return f.Watch(ctx) }

func (f *fake) Close() error { return nil }

func (f *fake) told() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.journal)
}

// end ends every program, as the end of the machine would.
func (f *fake) end() {
	f.mu.Lock()
	names := slices.Collect(maps.Keys(f.containers))
	f.mu.Unlock()
	for _, name := range names {
		f.exit(name, 137, false)
	}
}

// print has a container print lines, the first of them at the very moment of the last one before.
func (f *fake) print(name runtime.Name, texts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.containers[name]
	at := b.lines[len(b.lines)-1].Time
	for i, text := range texts {
		b.lines = append(b.lines, runtime.Line{Time: at.Add(time.Duration(i)), Text: text})
	}
}
