package runtimetest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// longest is how long a line may be that is kept. [CloudWatch Logs quotas]
const longest = 256 << 10

var output = []rule{
	{"output is kept in order, with its stream and time, also after the end", func(b *bench) {
		name := b.start(b.spec("", "print", "one", "after", "20ms", "eprint", "two", "after", "20ms", "print", "", "print", "three", "write", "last"))
		b.exited(name)
		var got []runtime.Line
		for line, err := range b.Logs(b.ctx, name, time.Time{}, false) {
			b.must(err)
			got = append(got, line)
		}
		if !slices.IsSortedFunc(got, func(x, y runtime.Line) int { return x.Time.Compare(y.Time) }) {
			b.Errorf("times go back: %v", got)
		}
		for i := range got {
			if got[i].Time.IsZero() {
				b.Errorf("line %d has no time", i)
			}
			got[i].Time = time.Time{}
		}
		want := []runtime.Line{{Text: "one"}, {Text: "two", Stderr: true}, {Text: ""}, {Text: "three"}, {Text: "last"}}
		if diff := cmp.Diff(want, got); diff != "" {
			b.Error(diff)
		}
	}},
	{"since leaves out what was read before", func(b *bench) {
		name := b.start(b.spec("", "print", "one", "after", "20ms", "print", "two", "after", "20ms", "print", "three"))
		b.exited(name)
		var lines []runtime.Line
		for line, err := range b.Logs(b.ctx, name, time.Time{}, false) {
			b.must(err)
			lines = append(lines, line)
		}
		for i, line := range lines {
			var rest []runtime.Line
			for l, err := range b.Logs(b.ctx, name, line.Time, false) {
				b.must(err)
				rest = append(rest, l)
			}
			if diff := cmp.Diff(lines[i+1:], rest, cmp.Transformer("empty", func(l []runtime.Line) []runtime.Line { return append([]runtime.Line{}, l...) })); diff != "" {
				b.Errorf("after %q: %s", line.Text, diff)
			}
		}
	}},
	{"following yields lines while the program runs, and ends with it", func(b *bench) {
		name := b.start(b.spec("", "trap", "0", "print", "one", "wait"))
		for line, err := range b.Logs(b.ctx, name, time.Time{}, true) {
			b.must(err)
			if line.Text == "one" {
				b.must(b.Stop(b.ctx, name, patience))
			}
		}
		if s := b.status(name); s.Phase != runtime.Exited {
			b.Errorf("%+v", s)
		}
	}},
	{"long lines are kept whole, and cut where they are too long", func(b *bench) {
		name := b.start(b.spec("", "long", "100000", "long", "300000", "print", "end"))
		b.exited(name)
		lines := b.lines(name)
		if len(lines) != 3 || lines[0] != strings.Repeat("x", 100000) || len(lines[1]) != longest || lines[2] != "end" {
			var lengths []int
			for _, l := range lines {
				lengths = append(lengths, len(l))
			}
			b.Errorf("lines of %v characters", lengths)
		}
	}},
	{"a command in the container has its own code and output", func(b *bench) {
		name := b.start(b.spec("", "trap", "0", "print", "ready", "wait"))
		b.printed(name, "ready")
		for _, c := range []struct {
			argv []string
			code int
			out  string
		}{
			{[]string{"/program", "print", "fine"}, 0, "fine\n"},
			{[]string{"/program", "eprint", "bad", "exit", "3"}, 3, "bad\n"},
			{[]string{"program", "print", "$NAME"}, 0, "image\n"},
			{[]string{"/program", "long", "10000"}, 0, strings.Repeat("x", 4096)},
		} {
			code, out, err := b.Exec(b.ctx, name, c.argv)
			b.must(err)
			if code != c.code || out != c.out {
				b.Errorf("%v: %d %q, want %d %q", c.argv, code, out, c.code, c.out)
			}
		}
		if code, _, err := b.Exec(b.ctx, name, []string{"/nowhere"}); err != nil || code != 127 && code != 126 {
			b.Errorf("a command that isn't there: %d, %v", code, err)
		}
		b.must(b.Stop(b.ctx, name, patience))
		_, _, err := b.Exec(b.ctx, name, []string{"/program", "print", "fine"})
		b.wantKind(err, fault.Conflict)
	}},
}
