package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

func TestATimeMayBeWrittenInManyWays(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"90m": "2026-03-04T10:30:00Z", "3d": "2026-03-01T12:00:00Z", "0.5d": "2026-03-04T00:00:00Z", "0s": "2026-03-04T12:00:00Z",
		"2026-01-02": "2026-01-02T00:00:00Z", "2026-01-02T15:04:05Z": "2026-01-02T15:04:05Z", "2026-01-02T15:04:05+02:00": "2026-01-02T13:04:05Z",
		"2026-01-02 15:04": "2026-01-02T15:04:00Z", "11:30": "2026-03-04T11:30:00Z", "12:30": "2026-03-03T12:30:00Z", "11:30:15": "2026-03-04T11:30:15Z",
		"": "", "yesterday": "", "-5m": "", "d": "", "5": "", "25:00": "",
	} {
		got, err := moment(text, now)
		if want == "" {
			if fault.KindOf(err) != fault.Invalid || fault.HintOf(err) == "" {
				t.Errorf("%q: %v, %v", text, got, err)
			}
			continue
		}
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestLinesOfSeveralTasksHaveTheirOwnColoursOnATerminal(t *testing.T) {
	t.Parallel()
	show := func(outTTY bool) string {
		var out bytes.Buffer
		p := &Program{Terminal: &terminal.Terminal{Out: &out, Color: true, OutTTY: outTTY}}
		w := p.logWriter(p.OutTTY)
		for _, task := range []rollout.TaskID{"0123456789abcdef", "fedcba9876543210"} {
			w.line(rollout.OutputLine{Time: time.Unix(0, 0), Task: task, Container: "app", Text: "text\r\n"})
		}
		return out.String()
	}
	coloured, plain := show(true), show(false)
	for _, want := range []string{"\x1b[36m0123456789ab app\x1b[m  text\n", "\x1b[32mfedcba987654 app\x1b[m  text\n"} {
		if !strings.Contains(coloured, want) {
			t.Errorf("%q lacks %q", coloured, want)
		}
	}
	if strings.ContainsRune(plain, '\x1b') || !strings.Contains(plain, " 0123456789ab app  text\n") {
		t.Errorf("%q", plain)
	}
}

func TestLinesThatATerminalHasEndedEndAsProgramsEndThem(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		written []string
		want    string
	}{
		"at once": {[]string{"a\r\nb\r\n"}, "a\nb\n"}, "in pieces": {[]string{"a\r", "\nb"}, "a\nb"}, "alone": {[]string{"a\rb", "\r", "c"}, "a\rb\rc"},
	} {
		var out bytes.Buffer
		w := &plainLines{to: &out}
		for _, text := range tc.written {
			if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
				t.Error(n, err)
			}
		}
		if out.String() != tc.want {
			t.Errorf("%s: %q, want %q", name, out.String(), tc.want)
		}
	}
}

func TestExitCodesOfProcessesAreNotLost(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]int{0: 0, 1: 1, 137: 137, 255: 255, 256: 1, 259: 3, -1: 255} {
		if got := exitOf(code); got != want {
			t.Errorf("%d: %d, want %d", code, got, want)
		}
	}
}

func TestAgesAreToldInTheirLargestUnit(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 90 * time.Second: "1m", 65 * time.Minute: "1h05m", 47 * time.Hour: "47h00m", 49 * time.Hour: "2d",
	} {
		if got := age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
