//go:build linux

package process

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
)

func TestOutputIsBoundedAndReadOverTheChangeOfFiles(t *testing.T) {
	t.Parallel()
	c := &container{dir: t.TempDir()}
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	j, err := openJournal(root)
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	in := &reader{dir: c, yield: func(l runtime.Line) bool {
		if want := fmt.Sprintf("%d ", next); !strings.HasPrefix(l.Text, want) {
			t.Fatalf("line %.20q, want %q", l.Text, want)
		}
		next++
		return true
	}}
	defer in.close()
	const lines, length = 200, 200_000 // 40 MB: two changes
	for i := range lines {
		j.copy(strings.NewReader(fmt.Sprintf("%d %s", i, strings.Repeat("x", length))), false)
		if i%50 == 49 {
			in.all()
		}
	}
	if next != lines {
		t.Errorf("read %d lines, want %d", next, lines)
	}
	kept := 0
	for _, name := range []string{logFile, olderFile} {
		info, err := os.Stat(c.file(name))
		if err != nil {
			t.Fatal(err)
		}
		kept += int(info.Size())
	}
	if kept > 2*(rotation+longest+100) {
		t.Errorf("%d bytes are kept", kept)
	}
}

func FuzzLine(f *testing.F) {
	f.Add([]byte("2026-11-21T08:45:30.5Z o text\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		line, ok := parseLine(in)
		if !ok || bytes.ContainsRune(in[:max(0, len(in)-1)], '\n') || line.Time.Year() > 9999 || line.Time.Year() < 0 {
			return
		}
		line.Time = line.Time.UTC()
		again, ok := parseLine(formatLine(line))
		if !ok || !again.Time.Equal(line.Time) || again.Text != line.Text || again.Stderr != line.Stderr {
			t.Errorf("%q became %+v, then %+v", in, line, again)
		}
	})
}

func TestTimesTellLinesApart(t *testing.T) {
	t.Parallel()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	j, err := openJournal(root)
	if err != nil {
		t.Fatal(err)
	}
	j.copy(strings.NewReader(strings.Repeat("x\n", 1000)), false)
	text, _ := root.ReadFile(logFile)
	var last time.Time
	for line := range bytes.Lines(text) {
		l, ok := parseLine(line)
		if !ok || !l.Time.After(last) {
			t.Fatalf("%q is not after %s", line, last)
		}
		last = l.Time
	}
}
