package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// restoring is the service while D2 restores what D0 ran: so many of its two tasks run, and none is healthy yet.
func restoring(running int, evidence ...Evidence) Observed {
	return Observed{
		Ref: ServiceRef{Depth: Tasks}, At: noon.Add(time.Minute), Status: Active, EvidenceOf: "D2", Evidence: evidence,
		Deployments: []Deployment{
			{ID: "D2", Primary: true, State: InProgress, Revision: "web:1", Desired: 2, Running: running, Pending: 2 - running, Created: noon.Add(30 * time.Second)},
			{ID: "D1", State: InProgress, Revision: "web:2", Running: 1, Created: noon.Add(time.Second)},
		},
	}
}

// homeless is that service when a restored task finds no place, so many tasks of the failed deployment being left.
func homeless(old int) Observed {
	seen := restoring(1, Evidence{Kind: NoPlace, New: true, Points: PortTaken, Text: "is already using a port"})
	seen.Deployments[0].Pending, seen.Deployments[1].Running = 0, old
	return seen
}

func TestARollbackIsJudgedByTheRulesOfEveryRollout(t *testing.T) {
	t.Parallel()
	soon, later := noon.Add(time.Minute), noon.Add(time.Hour)
	rolling := after(failedNow(), Rollback, "D2")
	twoCrashes := append(crash("r1", 1), crash("r2", 1)...)
	for name, tc := range map[string]struct {
		want   Desired
		seen   Observed
		now    time.Time
		undone Undoing
		cause  Cause
		why    Reason
	}{
		"one restored task has crashed": {rolling, restoring(1, crash("r1", 1)...), soon, Undo, "", ""},
		"two have crashed and none is healthy": {
			rolling, restoring(0, twoCrashes...), soon, UndoFailed, Crash, "2 restored tasks have failed and none is healthy",
		},
		"two have crashed and one is healthy": {rolling, having(restoring(1, twoCrashes...), func(o *Observed) {
			o.Tasks = []Task{{ID: "r9", Revision: "web:1", Deployment: "D2", Status: TaskRunning, Health: Healthy}}
		}), soon, Undo, "", ""},
		"two have crashed, healthy is only what is left of before": {rolling, having(restoring(0, twoCrashes...), func(o *Observed) {
			o.Tasks = []Task{{ID: "o1", Revision: "web:1", Deployment: "D0", Status: TaskRunning, Health: Healthy}}
		}), soon, UndoFailed, Crash, "2 restored tasks have failed and none is healthy"},
		"what speaks against the failed rollout counts for nothing": {rolling, having(restoring(0, twoCrashes...), func(o *Observed) {
			o.EvidenceOf = "D1"
		}), soon, Undo, "", ""},
		"its image is gone": {
			rolling, restoring(0, stopped("r1", ImageMissing)), soon, UndoFailed, ImageMissing, "image not found: Essential container in task exited",
		},
		"no place while tasks of the failed one hold theirs": {rolling, homeless(1), soon, Undo, "", ""},
		"no place and nothing to wait for": {
			rolling, homeless(0), soon.Add(time.Minute), UndoFailed, PortTaken, "the port is taken on every instance: is already using a port",
		},
		"the scheduler gave it up": {rolling, having(restoring(0), func(o *Observed) {
			o.Deployments[0].State, o.Deployments[0].Reason = Broken, "tasks failed to start."
		}), soon, UndoFailed, BreakerTripped, "the scheduler gave up deployment D2: tasks failed to start."},
		"somebody else deployed": {rolling, having(restoring(0), func(o *Observed) {
			o.Deployments = []Deployment{{ID: "D3", Primary: true, State: InProgress, Created: noon.Add(time.Hour)}}
		}), soon, UndoFailed, Superseded, "deployment D3 took the place of D2"},
		"the answer is from before it": {rolling, during(1, 1), soon, Undo, "", ""},
		"the time is up and nothing says why": {
			rolling, restoring(1), later, UndoFailed, TooSlow, "not restored after 20m0s",
		},
		"the time is up and a task has failed": {
			rolling, restoring(1, crash("r1", 1)...), later, UndoFailed, Crash, "not restored after 20m0s",
		},
		"the scheduler's own rollback fails as well": {failedNow(), having(returned(InProgress), func(o *Observed) {
			o.EvidenceOf, o.Evidence, o.Tasks, o.Deployments[0].Running = "D0", twoCrashes, nil, 0
		}), soon, UndoFailed, Crash, "2 restored tasks have failed and none is healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := Policy{Rollback: true}
			want := Remember(tc.want, restoring(0), policy, noon.Add(30*time.Second)) // it has begun
			if tc.want.Progress.Undo == "" {
				want = tc.want
			}
			want = Remember(want, having(tc.seen, func(o *Observed) { o.Evidence = nil }), policy, noon.Add(40*time.Second))
			steps, verdict, _ := Next(want, tc.seen, policy, tc.now)
			p := Remember(want, tc.seen, policy, tc.now).Progress
			if p.Undoing != tc.undone || p.UndoCause != tc.cause {
				t.Fatalf("undoing %q because %q, want %q because %q; %v", p.Undoing, p.UndoCause, tc.undone, tc.cause, p.UndoReasons)
			}
			if tc.why != "" && (len(p.UndoReasons) == 0 || p.UndoReasons[0] != tc.why) {
				t.Errorf("reasons %q, want first %q", p.UndoReasons, tc.why)
			}
			if ended := len(steps) == 0; ended != (tc.undone == UndoFailed) || verdict != Failed {
				t.Errorf("verdict %q, steps %v", verdict, kinds(steps))
			}
		})
	}
}

func TestWhyARollbackFailedStaysAsItFell(t *testing.T) {
	t.Parallel()
	policy := Policy{Rollback: true}
	want := Remember(after(failedNow(), Rollback, "D2"), restoring(0), policy, noon.Add(30*time.Second))
	seen := restoring(0, append(crash("r1", 4), crash("r2", 4)...)...)
	want = Remember(want, seen, policy, noon.Add(time.Minute))
	again := Remember(want, back(), policy, noon.Add(2*time.Minute)).Progress
	if again.Undoing != UndoFailed || again.UndoCause != Crash || !slices.Equal(again.UndoReasons, want.Progress.UndoReasons) {
		t.Errorf("later: %+v", again)
	}
	if d := ExplainUndoing(want, seen); d.Cause != Crash || !strings.Contains(d.Summary, "code 4") {
		t.Errorf("diagnosis %+v", d)
	}
}

func TestFailuresSpeakAgainstARollbackOnlySinceItBegan(t *testing.T) {
	t.Parallel()
	policy := Policy{Rollback: true}
	message := Event{At: noon.Add(20 * time.Second), Text: "(service web) rolling back to deployment D0."}
	for name, tc := range map[string]struct {
		want Desired
		seen Observed
		at   time.Time
	}{
		"a deployment of its own": {after(failedNow(), Rollback, "D2"), restoring(0), noon.Add(30 * time.Second)},
		"not seen yet":            {after(failedNow(), Rollback, "D2"), during(1, 1), time.Time{}},
		"the scheduler went back to an old one": {
			failedNow(), having(returned(InProgress), func(o *Observed) { o.Events = []Event{message} }), message.At,
		},
		"and says nothing": {failedNow(), returned(InProgress), noon.Add(time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Remember(tc.want, tc.seen, policy, noon.Add(time.Minute)).Progress.UndoBegan
			if !got.Equal(tc.at) {
				t.Errorf("since %s, want %s", got, tc.at)
			}
		})
	}
}
