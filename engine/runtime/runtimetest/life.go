package runtimetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

var life = []rule{
	{"a container is created, then running, then exited", func(b *bench) {
		before := time.Now().Add(-time.Second)
		spec := b.spec(`log "ready"; stop exit 0`, "trap", "0", "print", "ready", "wait")
		b.must(b.Create(b.ctx, spec))
		created := b.status(spec.Name)
		if created.Phase != runtime.Created || !created.StartedAt.IsZero() || created.Name != spec.Name || created.ID == "" {
			b.Errorf("created: %+v", created)
		}
		b.must(b.Start(b.ctx, spec.Name))
		b.printed(spec.Name, "ready")
		running := b.status(spec.Name)
		if running.Phase != runtime.Running || running.StartedAt.Before(before) || !running.EndedAt.IsZero() || running.ID != created.ID {
			b.Errorf("running: %+v", running)
		}
		b.must(b.Stop(b.ctx, spec.Name, patience))
		exited := b.status(spec.Name)
		if exited.Phase != runtime.Exited || exited.EndedAt.Before(exited.StartedAt) || exited.ExitCode != 0 || exited.ID != created.ID || exited.Error != "" {
			b.Errorf("exited: %+v", exited)
		}
	}},
	{"the exit code is the program's own", func(b *bench) {
		for _, code := range []int{0, 3, 255} {
			name := b.start(b.spec(fmt.Sprintf("exit %d", code), "exit", fmt.Sprint(code)))
			if s := b.exited(name); s.ExitCode != code || s.OutOfMem {
				b.Errorf("exit %d: %+v", code, s)
			}
		}
	}},
	{"a signal ends a container with 128 and its number", func(b *bench) {
		spec := b.spec("signal 9", "kill", "9")
		withInit(&spec)
		if s := b.exited(b.start(spec)); s.ExitCode != 137 || s.OutOfMem {
			b.Errorf("%+v", s)
		}
	}},
	{"an exited container can be started again", func(b *bench) {
		name := b.start(b.spec("exit 4", "exit", "4"))
		first := b.exited(name)
		b.must(b.Start(b.ctx, name))
		second := b.exited(name)
		if !second.StartedAt.After(first.StartedAt) || second.ExitCode != 4 {
			b.Errorf("first %+v, then %+v", first, second)
		}
	}},
	{"every call may be repeated", func(b *bench) {
		spec := b.spec(`log "ready"; stop exit 5`, "trap", "5", "print", "ready", "wait")
		b.must(b.Create(b.ctx, spec))
		b.must(b.Create(b.ctx, spec))
		b.must(b.Start(b.ctx, spec.Name))
		started := b.status(spec.Name).StartedAt
		b.must(b.Start(b.ctx, spec.Name))
		b.must(b.Create(b.ctx, spec))
		if s := b.status(spec.Name); s.Phase != runtime.Running || !s.StartedAt.Equal(started) {
			b.Errorf("after a second start: %+v", s)
		}
		b.printed(spec.Name, "ready")
		b.must(b.Stop(b.ctx, spec.Name, patience))
		b.must(b.Stop(b.ctx, spec.Name, patience))
		if s := b.status(spec.Name); s.Phase != runtime.Exited || s.ExitCode != 5 {
			b.Errorf("after a second stop: %+v", s)
		}
		b.must(b.Remove(b.ctx, spec.Name))
		b.must(b.Remove(b.ctx, spec.Name))
	}},
	{"a container that isn't there is not found, and removed without complaint", func(b *bench) {
		const name = "rt-nobody"
		_, err := b.Inspect(b.ctx, name)
		b.wantKind(err, fault.NotFound)
		b.wantKind(b.Start(b.ctx, name), fault.NotFound)
		b.wantKind(b.Stop(b.ctx, name, 0), fault.NotFound)
		_, _, err = b.Exec(b.ctx, name, []string{"true"})
		b.wantKind(err, fault.NotFound)
		for _, err = range b.Logs(b.ctx, name, time.Time{}, true) {
		}
		b.wantKind(err, fault.NotFound)
		b.must(b.Remove(b.ctx, name))
	}},
	{"a name that is none is refused", func(b *bench) {
		spec := b.spec("")
		b.known = nil
		spec.Name = "../outside"
		b.wantKind(b.Create(b.ctx, spec), fault.Invalid)
	}},
	{"removing kills", func(b *bench) {
		name := b.start(b.spec(`log "ready"; stop ignores`, "ignore", "print", "ready", "wait"))
		b.printed(name, "ready")
		b.must(b.Remove(b.ctx, name))
		_, err := b.Inspect(b.ctx, name)
		b.wantKind(err, fault.NotFound)
	}},
	{"containers are found by their labels", func(b *bench) {
		one, two := b.spec(""), b.spec("")
		one.Labels["task"], two.Labels["task"] = "1", "2"
		b.must(b.Create(b.ctx, one))
		b.must(b.Create(b.ctx, two))
		both := b.list(map[string]string{"group": b.group})
		if want := []runtime.Name{one.Name, two.Name}; !same(both, want) {
			b.Errorf("by group: %v, want %v", both, want)
		}
		if got := b.list(map[string]string{"group": b.group, "task": "2"}); !same(got, []runtime.Name{two.Name}) {
			b.Errorf("by task: %v", got)
		}
		if s := b.status(one.Name); s.Labels["task"] != "1" || s.Labels["group"] != b.group {
			b.Errorf("labels: %v", s.Labels)
		}
	}},
	{"many may call at once", func(b *bench) {
		specs := make([]runtime.Spec, 6)
		for i := range specs {
			specs[i] = b.spec(`log "ready"; stop exit 0`, "trap", "0", "print", "ready", "wait")
		}
		var wg sync.WaitGroup
		for _, spec := range slices.Concat(specs, specs) { // each by two
			wg.Go(func() {
				for _, err := range []error{
					b.Create(b.ctx, spec), b.Start(b.ctx, spec.Name), b.wait(spec.Name, "ready"),
					b.Stop(b.ctx, spec.Name, patience), b.Remove(b.ctx, spec.Name),
				} {
					if err != nil && fault.KindOf(err) != fault.NotFound { // the other was quicker
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}},
}

// wait waits for a line, or the end.
func (b *bench) wait(name runtime.Name, text string) error {
	for line, err := range b.Logs(b.ctx, name, time.Time{}, true) {
		if err != nil || line.Text == text {
			return err
		}
	}
	return nil
}

func (b *bench) list(labels map[string]string) []runtime.Name {
	b.Helper()
	all, err := b.List(b.ctx, labels)
	b.must(err)
	names := make([]runtime.Name, len(all))
	for i, s := range all {
		names[i] = s.Name
	}
	return names
}

func same(got, want []runtime.Name) bool {
	return slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)))
}
