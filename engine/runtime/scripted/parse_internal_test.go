package scripted

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseReadsEveryStatement(t *testing.T) {
	t.Parallel()
	got, err := Parse(`start 2s; run 1m30s; signal 15
stop 3s exit 4; unhealthy after 60s; healthy after 5s;
log "a \"b\"; c" after 1s every 10s ; error "e"
answer 503 on /healthz after 10s; answer 200; refuse after 20s`)
	if err != nil {
		t.Fatal(err)
	}
	want := &Script{
		StartTakes: 2 * time.Second, Ends: true, Run: 90 * time.Second, ExitCode: 143, StopTakes: 3 * time.Second, StopCode: 4,
		Health:  []Turn{{5 * time.Second, true}, {60 * time.Second, false}},
		Output:  []Print{{After: time.Second, Every: 10 * time.Second, Text: `a "b"; c`}, {Stderr: true, Text: "e"}},
		Answers: []Answer{{Status: 200}, {After: 10 * time.Second, Path: "/healthz", Status: 503}, {After: 20 * time.Second}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseReportsEveryMistakeWhereItIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ script, want string }{
		{"wait 5s", `slipway.script:1:1: found "wait": expected a statement (statements begin with create`},
		{"run", `slipway.script:1:4: found the end of the statement: expected a duration`},
		{"run soon", `slipway.script:1:5: found "soon": expected a duration`},
		{"run -1s", `slipway.script:1:5: found "-1s": expected a duration`},
		{"exit 256", `slipway.script:1:6: found "256": expected an exit code from 0 to 255`},
		{"exit 1 2", `slipway.script:1:8: found "2": expected the end of the statement`},
		{"start fails", `slipway.script:1:12: found the end of the statement: expected a text in quotation marks`},
		{"start", `slipway.script:1:6: found the end of the statement: expected a duration, or "fails"`},
		{`log "no end`, `slipway.script:1:5: found a text without an end`},
		{`log "x" every 0s`, `slipway.script:1:15: found "0s": expected a duration above zero`},
		{"answer 99", `slipway.script:1:8: found "99": expected an HTTP status from 100 to 599`},
		{"answer 200 on x", `slipway.script:1:15: found "x": expected a path`},
		{"create 5s", `slipway.script:1:8: found "5s": expected "fails"`},
		{"stop", `slipway.script:1:5: found the end of the statement: expected a duration, "exit"`},
		{"run 1s;\n  ünknown; exit x", "slipway.script:2:3: found \"ünknown\": expected a statement"},
		{"run 1s;\n  ünknown; exit x", "slipway.script:2:17: found \"x\": expected an exit code"},
	} {
		_, err := Parse(c.script)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.script, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`start 2s; run 30s; exit 1; stop ignores; healthy after 5s; log "x" every 1s; answer 503 on / after 1s`)
	f.Add("run 1s\n;;\nexit 999; \"")
	f.Add(`create fails "\x00"; refuse; oom; signal 9; error "é"`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if (s == nil) == (err == nil) {
			t.Fatalf("%q: %v and %v", text, s, err)
		}
		if s != nil {
			for _, age := range []time.Duration{0, time.Second, longest} {
				_ = s.healthyAt(age)
				if a := s.answerAt("/", age); a != 0 && (a < 100 || a > 599) {
					t.Errorf("%q answers %d", text, a)
				}
			}
		}
	})
}
