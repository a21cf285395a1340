package runtimetest

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

var survival = []rule{
	{"containers, their ports and their output outlive the engine", func(b *bench) {
		host := b.addresses(1)[0]
		spec := b.server("web", host)
		name := b.start(spec)
		b.printed(name, "listening")
		ended := b.start(b.spec("", "print", "short", "exit", "6"))
		b.exited(ended)
		before := b.status(name)

		b.must(b.Close())
		b.answers(host, "web")
		b.Runtime = b.open()

		if got := b.list(map[string]string{"group": b.group}); !same(got, []runtime.Name{name, ended}) {
			b.Errorf("found %v", got)
		}
		after := b.status(name)
		if after.Phase != runtime.Running || !after.StartedAt.Equal(before.StartedAt) || after.ID != before.ID {
			b.Errorf("before %+v, after %+v", before, after)
		}
		if s := b.status(ended); s.Phase != runtime.Exited || s.ExitCode != 6 {
			b.Errorf("%+v", s)
		}
		if lines := b.lines(ended); len(lines) != 1 || lines[0] != "short" {
			b.Errorf("%q", lines)
		}
		b.must(b.Create(b.ctx, spec))
		b.must(b.Start(b.ctx, name))
		b.answers(host, "web")
		b.must(b.Stop(b.ctx, name, patience))
		if s := b.status(name); s.Phase != runtime.Exited || s.ExitCode != 0 {
			b.Errorf("%+v", s)
		}
	}},
	{"what ended while nobody watched is known afterwards", func(b *bench) {
		name := b.start(b.spec("", "print", "soon", "after", "300ms", "print", "now", "exit", "9"))
		b.must(b.Close())
		other := b.open() // the engine's next life sees the end; the one after that has only heard of it
		b.Runtime = other
		b.exited(name)
		b.must(b.Close())
		b.Runtime = b.open()
		if s := b.status(name); s.Phase != runtime.Exited || s.ExitCode != 9 || s.EndedAt.IsZero() {
			b.Errorf("%+v", s)
		}
		if lines := b.lines(name); len(lines) != 2 || lines[1] != "now" {
			b.Errorf("%q", lines)
		}
	}},
	{"the engine's next life hears of ends", func(b *bench) {
		name := b.start(b.spec("", "print", "ready", "trap", "0", "wait"))
		b.printed(name, "ready")
		b.must(b.Close())
		b.Runtime = b.open()
		ctx, cancel := context.WithTimeout(b.ctx, patience/2)
		defer cancel()
		go func() { _ = b.Stop(ctx, name, 50*time.Millisecond) }()
		for range b.Changes(ctx) {
			if s, err := b.Inspect(ctx, name); err == nil && s.Phase == runtime.Exited {
				return
			}
		}
		b.Error("heard nothing")
	}},
	{"what a program leaves behind is gone with its container", func(b *bench) {
		name := b.start(b.spec("", "orphan", "after", "200ms", "print", "parent", "exit", "0"))
		if s := b.exited(name); s.ExitCode != 0 { // the output's end shows that nobody holds it open any more
			b.Errorf("%+v", s)
		}
		b.must(b.Remove(b.ctx, name))
	}},
}

var pulling = []rule{
	{"an image that was pulled by its tag runs by its digest as well", func(b *bench) {
		spec := b.spec("", "print", "by digest")
		spec.Image = b.suite.Images.ByHash
		b.prints(spec, "by digest")
	}},
	{"an image is what its registry says", func(b *bench) {
		for _, ref := range []string{b.suite.Images.Program, b.suite.Images.ByHash, b.suite.Images.Program} {
			img, err := b.Pull(b.ctx, ref)
			b.must(err)
			if img.Digest != b.suite.Images.Digest || img.OS != "linux" || img.Architecture == "" {
				b.Errorf("%s: %+v", ref, img)
			}
		}
		spec := b.spec("", "print", "by digest")
		spec.Image = b.suite.Images.ByHash
		b.prints(spec, "by digest")
	}},
	{"images that cannot be had say why", func(b *bench) {
		for ref, kind := range map[string]fault.Kind{
			b.suite.Images.Missing: fault.NotFound,
			b.suite.Images.Denied:  fault.Denied,
			b.suite.Images.Down:    fault.Unavailable,
			b.suite.Images.Foreign: fault.Invalid,
			"Not A Reference":      fault.Invalid,
		} {
			_, err := b.Pull(b.ctx, ref)
			b.wantKind(err, kind)
		}
	}},
	{"a container of an image that isn't there cannot be created", func(b *bench) {
		spec := b.spec("", "exit", "0")
		spec.Image = b.suite.Images.Missing
		b.wantKind(b.Create(b.ctx, spec), fault.NotFound)
	}},
	{"a pull can be given up", func(b *bench) {
		ctx, cancel := context.WithCancel(b.ctx)
		cancel()
		if _, err := b.Pull(ctx, b.suite.Images.Program); err == nil {
			b.Error("no error although the context had ended")
		}
	}},
}
