package runtimetest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// attach runs a command and returns its exit code and what it printed.
func (b *bench) attach(name runtime.Name, s runtime.Session) (code int, stdout, stderr string) {
	b.Helper()
	var out, err bytes.Buffer
	s.Stdout, s.Stderr = &out, &err
	code, failure := b.Attach(b.ctx, name, s)
	b.must(failure)
	return code, out.String(), err.String()
}

// waiting starts a container that just runs.
func (b *bench) waiting() runtime.Name {
	b.Helper()
	name := b.start(b.spec("", "trap", "0", "print", "ready", "wait"))
	b.printed(name, "ready")
	return name
}

func program(verbs ...string) []string { return append([]string{"/program"}, verbs...) }

var session = []rule{
	{"a command reads what it is given and prints to both its streams", func(b *bench) {
		code, out, err := b.attach(b.waiting(), runtime.Session{
			Argv: program("echo", "eprint", "oh", "exit", "3"), Stdin: strings.NewReader("one\ntwo\n"),
		})
		if code != 3 || out != "read one\nread two\nend\n" || err != "oh\n" {
			b.Errorf("%d %q %q", code, out, err)
		}
	}},
	{"a command that is given nothing reads nothing", func(b *bench) {
		if code, out, _ := b.attach(b.waiting(), runtime.Session{Argv: program("echo")}); code != 0 || out != "end\n" {
			b.Errorf("%d %q", code, out)
		}
	}},
	{"much goes through a command", func(b *bench) {
		line := strings.Repeat("x", 1000) + "\n"
		code, out, _ := b.attach(b.waiting(), runtime.Session{Argv: program("echo"), Stdin: strings.NewReader(strings.Repeat(line, 5000))})
		if want := strings.Repeat("read "+line, 5000) + "end\n"; code != 0 || out != want {
			b.Errorf("%d, %d bytes, want %d", code, len(out), len(want))
		}
	}},
	{"a command that isn't there ends with 126 or 127", func(b *bench) {
		if code, _, _ := b.attach(b.waiting(), runtime.Session{Argv: []string{"/nowhere"}}); code != 126 && code != 127 {
			b.Errorf("%d", code)
		}
	}},
	{"a command ends when nobody waits for it any more", func(b *bench) {
		name := b.waiting()
		ctx, cancel := context.WithCancel(b.ctx)
		defer cancel()
		in, typed := io.Pipe()
		defer typed.Close()
		out := &awaited{text: "begun", seen: cancel}
		_, err := b.Attach(ctx, name, runtime.Session{Argv: program("trap", "0", "print", "begun", "echo", "wait"), Stdin: in, Stdout: out})
		if err == nil || b.ctx.Err() != nil {
			b.Errorf("got %v", err)
		}
		began := time.Now()
		b.must(b.Stop(b.ctx, name, patience))
		if s := b.status(name); s.ExitCode != 0 || time.Since(began) > patience/2 {
			b.Errorf("%+v after %s", s, time.Since(began))
		}
	}},
	{"there is nobody to talk with in a container that doesn't run", func(b *bench) {
		name := b.start(b.spec("", "exit", "0"))
		b.exited(name)
		_, err := b.Attach(b.ctx, name, runtime.Session{Argv: program("cwd")})
		b.wantKind(err, fault.Conflict)
		_, err = b.Stats(b.ctx, name)
		b.wantKind(err, fault.Conflict)
		_, err = b.Attach(b.ctx, "nobody", runtime.Session{Argv: program("cwd")})
		b.wantKind(err, fault.NotFound)
	}},
	{"what a container uses is told in Docker's words", func(b *bench) {
		text, err := b.Stats(b.ctx, b.waiting())
		b.must(err)
		var told struct {
			Read   time.Time      `json:"read"`
			Memory map[string]any `json:"memory_stats"`
		}
		if err := json.Unmarshal(text, &told); err != nil || told.Read.IsZero() || told.Memory == nil {
			b.Errorf("%s, %v", text, err)
		}
	}},
}

// awaited calls a function when it has been written a text.
type awaited struct {
	text string
	seen func()
	mu   sync.Mutex
	all  bytes.Buffer
}

func (a *awaited) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all.Write(p)
	if strings.Contains(a.all.String(), a.text) {
		a.seen()
	}
	return len(p), nil
}

// typed are the rules for runtimes with terminals.
var typed = []rule{
	{"a command has the terminal that it is given, of the size that it is told", func(b *bench) {
		sizes := make(chan runtime.Size, 1)
		sizes <- runtime.Size{Columns: 123, Rows: 45}
		code, out, _ := b.attach(b.waiting(), runtime.Session{Argv: program("sized", "exit", "4"), TTY: true, Resize: sizes})
		if code != 4 || strings.TrimSpace(out) != "123 x 45" {
			b.Errorf("%d %q", code, out)
		}
		if code, out, _ := b.attach(b.waiting(), runtime.Session{Argv: program("sized")}); code != 0 || out != "none\n" {
			b.Errorf("%d %q", code, out)
		}
	}},
	{"what is typed is echoed, and Ctrl-D ends it", func(b *bench) {
		code, out, _ := b.attach(b.waiting(), runtime.Session{Argv: program("echo"), TTY: true, Stdin: strings.NewReader("one\n\x04")})
		if code != 0 || !strings.Contains(out, "read one\r\n") || !strings.HasSuffix(out, "end\r\n") {
			b.Errorf("%d %q", code, out)
		}
	}},
	{"a program can have a terminal, and its lines end as they would without", func(b *bench) {
		spec := b.spec("", "print", "hello", "exit", "5")
		spec.Definition.PseudoTerminal = new(true)
		name := b.start(spec)
		if s := b.exited(name); s.ExitCode != 5 || strings.Join(b.lines(name), "|") != "hello" {
			b.Errorf("%+v %q", s, b.lines(name))
		}
	}},
	{"an interactive program waits for somebody to type", func(b *bench) {
		b.prints(b.spec("", "echo"), "end")
		spec := b.spec("", "print", "ready", "echo")
		spec.Definition.Interactive = new(true)
		name := b.start(spec)
		b.printed(name, "ready")
		if s := b.status(name); s.Phase != runtime.Running {
			b.Errorf("%+v %q", s, b.lines(name))
		}
	}},
}
