package deploy

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

func TestACommandSaysWhatCameOfIt(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell")
	}
	for name, tc := range map[string]struct {
		script string
		passed bool
		text   string
	}{
		"success":                       {"echo fine", true, "succeeded"},
		"failure, without a word":       {"exit 7", false, "failed: exit status 7"},
		"failure, with the last line":   {"echo one; echo two >&2; echo; exit 1", false, "failed: exit status 1: two"},
		"what it is told":               {`test "$SLIPWAY_VERSION" = 1.0.0.RELEASE && test -d /`, true, "succeeded"},
		"more output than is kept":      {"i=0; while [ $i -lt 3000 ]; do echo 'a line of some forty characters, as many'; i=$((i+1)); done; echo end; exit 1", false, "failed: exit status 1: end"},
		"it hangs, and doesn't listen":  {"trap '' INT; echo still here; while :; do sleep 0.1; done", false, "did not end within 300ms: still here"},
		"it hangs with its own process": {"sleep 60", false, "did not end within 300ms"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := rollout.Check{Command: []string{"sh", "-c", tc.script}, Timeout: time.Minute}
			if strings.Contains(name, "hangs") {
				check.Timeout = 300 * time.Millisecond
			}
			got := DefaultProber(t.TempDir(), "SLIPWAY_VERSION=1.0.0.RELEASE")(t.Context(), check)
			if got.Passed != tc.passed || got.Text != tc.text {
				t.Errorf("passed %t: %q, want %t: %q", got.Passed, got.Text, tc.passed, tc.text)
			}
		})
	}
	if got := DefaultProber("")(context.Background(), rollout.Check{Command: []string{"there-is-no-such-program"}}); got.Passed || !strings.Contains(got.Text, "there-is-no-such-program") {
		t.Errorf("%+v", got)
	}
}

// alarmed is a scheduler with alarms.
type alarmed struct {
	*scheduler
	alarms map[string]rollout.Alarm
}

func (a alarmed) Alarms(context.Context, []string) (map[string]rollout.Alarm, error) {
	return a.alarms, nil
}

func TestAnAlarmThatSoundsFailsTheRollout(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		target  Target
		outcome Outcome
		cause   rollout.Cause
	}{
		"it is quiet":             {alarmed{alarms: map[string]rollout.Alarm{"errors": {}}}, Proven, ""},
		"it sounds":               {alarmed{alarms: map[string]rollout.Alarm{"errors": {Sounds: true, Why: "5 errors"}}}, RolledBack, rollout.AlarmFired},
		"there is none":           {alarmed{}, RolledBack, rollout.AlarmFired},
		"nobody knows any alarms": {nil, RolledBack, rollout.AlarmFired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				target := tc.target
				switch a, ok := target.(alarmed); {
				case ok:
					a.scheduler = newScheduler()
					target = a
				default:
					target = newScheduler()
				}
				want := wanted()
				want.Checks = []rollout.Check{{Alarms: []string{"errors"}}}
				res, err := Rollout(t.Context(), target, want, rollout.Policy{Rollback: true}, Options{})
				if err != nil || res.Outcome != tc.outcome || res.Progress.Cause != tc.cause {
					t.Errorf("%s because %q, %v: %v", res.Outcome, res.Progress.Cause, err, res.Reasons)
				}
			})
		})
	}
}
