package runtimetest

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// freezing is what a runtime promises that is a Freezer.
var freezing = []rule{
	{"a frozen container does nothing until it goes on", func(b *bench) {
		name := b.start(b.spec(`log "ready"; run 2s; exit 3`, "trap", "0", "print", "ready", "after", "2s", "exit", "3"))
		b.printed(name, "ready")
		for range 2 {
			b.must(b.freezer().Freeze(b.ctx, name))
		}
		longer, cancel := context.WithTimeout(b.ctx, 2500*time.Millisecond)
		defer cancel()
		for _, err := range b.Logs(longer, name, time.Time{}, true) { // it ends with the context: there is nothing to come
			if err != nil && longer.Err() == nil {
				b.Error(err)
			}
		}
		if s := b.status(name); s.Phase != runtime.Running {
			b.Errorf("frozen: %+v", s)
		}
		for range 2 {
			b.must(b.freezer().Thaw(b.ctx, name))
		}
		if s := b.exited(name); s.ExitCode != 3 {
			b.Errorf("at its end: %+v", s)
		}
	}},
	{"a frozen container can be stopped, and removed", func(b *bench) {
		for range 2 {
			name := b.start(b.spec(`log "ready"`, "print", "ready", "wait"))
			b.printed(name, "ready")
			b.must(b.freezer().Freeze(b.ctx, name))
			b.must(b.Stop(b.ctx, name, 300*time.Millisecond))
			if s := b.status(name); s.Phase != runtime.Exited {
				b.Errorf("%+v", s)
			}
			b.must(b.freezer().Thaw(b.ctx, name))
		}
		name := b.start(b.spec(`log "ready"`, "print", "ready", "wait"))
		b.must(b.freezer().Freeze(b.ctx, name))
		b.must(b.Remove(b.ctx, name))
		b.wantKind(b.freezer().Thaw(b.ctx, name), fault.NotFound)
	}},
	{"only what runs can be frozen", func(b *bench) {
		spec := b.spec("")
		b.wantKind(b.freezer().Freeze(b.ctx, spec.Name), fault.NotFound)
		b.must(b.Create(b.ctx, spec))
		b.wantKind(b.freezer().Freeze(b.ctx, spec.Name), fault.Conflict)
	}},
}

func (b *bench) freezer() runtime.Freezer {
	b.Helper()
	f, ok := b.Runtime.(runtime.Freezer)
	if !ok {
		b.Fatalf("the runtime %s cannot freeze containers", b.Kind())
	}
	return f
}
