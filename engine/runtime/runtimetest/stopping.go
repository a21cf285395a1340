package runtimetest

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
)

func withInit(spec *runtime.Spec) {
	spec.Definition.LinuxParameters = &types.LinuxParameters{InitProcessEnabled: new(true)}
}

var stopping = []rule{
	{"a program that heeds SIGTERM ends with its own code, long before the grace", func(b *bench) {
		name := b.start(b.spec(`log "ready"; stop exit 7`, "trap", "7", "print", "ready", "wait"))
		b.printed(name, "ready")
		began := time.Now()
		b.must(b.Stop(b.ctx, name, patience))
		if s := b.status(name); s.Phase != runtime.Exited || s.ExitCode != 7 {
			b.Errorf("%+v", s)
		}
		if took := time.Since(began); took > patience/2 {
			b.Errorf("took %s", took)
		}
	}},
	{"a program that ignores SIGTERM is killed after the grace, not before", func(b *bench) {
		name := b.start(b.spec(`log "ready"; stop ignores`, "ignore", "print", "ready", "wait"))
		b.printed(name, "ready")
		const grace = 700 * time.Millisecond
		began := time.Now()
		b.must(b.Stop(b.ctx, name, grace))
		if took := time.Since(began); took < grace {
			b.Errorf("killed after %s, want %s", took, grace)
		}
		if s := b.status(name); s.Phase != runtime.Exited || s.ExitCode != 137 || s.OutOfMem {
			b.Errorf("%+v", s)
		}
	}},
	{"a container that was never started is stopped already", func(b *bench) {
		spec := b.spec("")
		b.must(b.Create(b.ctx, spec))
		b.must(b.Stop(b.ctx, spec.Name, 0))
		if s := b.status(spec.Name); s.Phase != runtime.Created {
			b.Errorf("%+v", s)
		}
	}},
	{"who waits for the end of a container can stop waiting", func(b *bench) {
		name := b.start(b.spec(`log "ready"; stop ignores`, "ignore", "print", "ready", "wait"))
		b.printed(name, "ready")
		ctx, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
		defer cancel()
		if err := b.Stop(ctx, name, patience); err == nil {
			b.Error("Stop returned without an error although its context had ended")
		}
		for _, err := range b.Logs(ctx, name, time.Time{}, true) {
			if err != nil && ctx.Err() == nil {
				b.Error(err)
			}
		}
		if s := b.status(name); s.Phase != runtime.Running {
			b.Errorf("%+v", s)
		}
	}},
}

var changes = []rule{
	{"changes tell of every end", func(b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		defer cancel()
		names := make(chan runtime.Name)
		go func() {
			defer close(names)
			for name := range b.Changes(ctx) {
				select {
				case names <- name:
				case <-ctx.Done():
					return
				}
			}
		}()
		long := b.start(b.spec(`log "ready"; stop exit 0`, "trap", "0", "print", "ready", "wait"))
		b.printed(long, "ready")
		// Each container started below ends by itself; the first change heard of proves that the channel is open.
		short := b.start(b.spec("run 300ms; exit 1", "after", "300ms", "exit", "1"))
		ended := map[runtime.Name]bool{}
		for name := range names {
			s, err := b.Inspect(ctx, name)
			if err != nil || s.Phase != runtime.Exited {
				continue
			}
			ended[name] = true
			if name == short {
				go func() { _ = b.Stop(ctx, long, patience) }()
			}
			if ended[short] && ended[long] {
				cancel()
			}
		}
		if !ended[short] || !ended[long] {
			b.Errorf("heard of the end of %v, want %s and %s", ended, short, long)
		}
	}},
}
