package docker

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/runtime"
)

const stamp = "2026-11-21T08:45:30.123456789Z"

func frame(stream byte, text string) []byte {
	header := make([]byte, 8)
	header[0] = stream
	binary.BigEndian.PutUint32(header[4:], uint32(len(text)))
	return slices.Concat(header, []byte(text))
}

func TestFramesJoinThePiecesOfALongLine(t *testing.T) {
	t.Parallel()
	piece := strings.Repeat("x", chunk)
	in := slices.Concat(
		frame(1, stamp+" "+piece), frame(2, stamp+" between\n"), frame(1, stamp+" "+piece), frame(1, stamp+" end\n"),
		frame(1, stamp+" no end"), frame(1, stamp+" next\n"), frame(1, stamp+" \n"),
	)
	at, _ := time.Parse(time.RFC3339Nano, stamp)
	var got []runtime.Line
	if err := frames(bytes.NewReader(in), func(l runtime.Line) bool { got = append(got, l); return true }); err != nil {
		t.Fatal(err)
	}
	want := []runtime.Line{
		{Time: at, Stderr: true, Text: "between"},
		{Time: at, Text: piece + piece + "end"},
		{Time: at, Text: "no end"},
		{Time: at, Text: "next"},
		{Time: at},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTerminalOutputIsLinesWithTimes(t *testing.T) {
	t.Parallel()
	var got []string
	in := strings.NewReader(stamp + " one\r\n" + stamp + " two")
	if err := plain(in, func(l runtime.Line) bool { got = append(got, l.Text); return true }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(slices.Concat(frame(1, stamp+" one\n"), frame(2, stamp+" two")))
	f.Fuzz(func(t *testing.T, in []byte) {
		total := 0
		_ = frames(bytes.NewReader(in), func(l runtime.Line) bool { total += len(l.Text); return true })
		if total > len(in) {
			t.Errorf("%d bytes of text out of %d", total, len(in))
		}
	})
}
