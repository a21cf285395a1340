package rollout

import (
	"slices"
	"testing"
	"time"
)

func TestVerdicts(t *testing.T) {
	t.Parallel()
	soon, late := noon.Add(time.Minute), noon.Add(time.Hour)
	checks := []Check{{URL: "http://web/healthz", Status: 200}}
	for name, tc := range map[string]struct {
		want    Desired
		seen    Observed
		policy  Policy
		now     time.Time
		verdict Verdict
		cause   Cause
	}{
		"complete, healthy, no old task left":           {begun(), done(), Policy{}, soon, Proven, ""},
		"half of the tasks run":                         {begun(), during(1, 1), Policy{}, soon, Moving, ""},
		"all run, but an old one is left":               {begun(), during(1, 2), Policy{}, soon, Moving, ""},
		"counts are right, the scheduler is not done":   {begun(), done(func(o *Observed) { o.Deployments[0].State = InProgress }), Policy{}, soon, Moving, ""},
		"counts are right, the tasks are not looked at": {begun(), done(func(o *Observed) { o.Ref.Depth = Glance }), Policy{}, soon, Moving, ""},
		"a container is unhealthy":                      {begun(), done(func(o *Observed) { o.Tasks[0].Health = Unhealthy }), Policy{}, soon, Moving, ""},
		"a container has not been checked yet":          {begun(), done(func(o *Observed) { o.Tasks[0].Health = Unknown }), Policy{}, soon, Moving, ""},
		"a task runs another revision":                  {begun(), done(func(o *Observed) { o.Tasks[0].Revision = "web:1" }), Policy{}, soon, Moving, ""},
		"a target is unhealthy":                         {begun(), done(func(o *Observed) { o.Targets[0].State = TargetUnhealthy }), Policy{}, soon, Moving, ""},
		"a target of an old task drains":                {begun(), done(func(o *Observed) { o.Targets = append(o.Targets, TargetHealth{ID: "old", State: TargetDraining}) }), Policy{}, soon, Proven, ""},
		"scaled to nothing": {begun(), done(func(o *Observed) {
			o.Deployments[0].Desired, o.Deployments[0].Running, o.Tasks, o.Targets = 0, 0, nil, nil
		}), Policy{}, soon, Proven, ""},
		"it has to bake":                               {begun(), done(), Policy{Bake: time.Minute}, soon, Moving, ""},
		"checks have not run":                          {begun(func(w *Desired) { w.Checks = checks }), done(), Policy{}, soon, Moving, ""},
		"checks pass":                                  {begun(func(w *Desired) { w.Checks = checks }), done(func(o *Observed) { o.Checks = []CheckResult{{checks[0], true, "answered 200"}} }), Policy{}, soon, Proven, ""},
		"the old deployment came back":                 {begun(), returned(InProgress), Policy{}, soon, Failed, BreakerTripped},
		"the old deployment came back and is complete": {begun(), returned(Completed), Policy{}, soon, Failed, BreakerTripped},
		"the scheduler gave up":                        {begun(), done(func(o *Observed) { o.Deployments[0].State = Broken }), Policy{}, soon, Failed, BreakerTripped},
		"somebody else deployed":                       {begun(), back(), Policy{}, soon, Stopped, Superseded},
		"the answer is from an old copy":               {unseen(), before(), Policy{}, soon, Moving, ""},
		"the service was deleted":                      {begun(), Observed{Status: Missing}, Policy{}, soon, Failed, ServiceGone},
		"the time is up and nothing says why":          {begun(), during(1, 1), Policy{}, late, TimedOut, TooSlow},
		"the time is up and a task has failed":         {begun(), proof(during(1, 1), crash("t1", 1)...), Policy{}, late, Failed, Crash},
		"an image that isn't there":                    {begun(), proof(during(1, 0), stopped("t1", ImageMissing)), Policy{}, soon, Failed, ImageMissing},
		"one task crashed":                             {begun(), proof(during(1, 1), crash("t1", 1)...), Policy{}, soon, Moving, ""},
		"the same task was seen to fail twice":         {begun(), proof(during(1, 1), append(crash("t1", 1), crash("t1", 1)...)...), Policy{}, soon, Moving, ""},
		"two crashed and none is healthy":              {begun(), proof(during(1, 0), append(crash("t1", 1), crash("t2", 1)...)...), Policy{}, soon, Failed, Crash},
		"two crashed and one is healthy":               {begun(), proof(oneHealthy(), append(crash("t1", 1), crash("t2", 1)...)...), Policy{}, soon, Moving, ""},
		"two crashed and all targets are healthy, whosever they are": {begun(), proof(having(oneHealthy(), func(o *Observed) {
			o.Targets = []TargetHealth{{Group: "web", ID: "i-1", State: TargetHealthy}}
		}), append(crash("t1", 1), crash("t2", 1)...)...), Policy{}, soon, Moving, ""},
		"three crashed though one is healthy":  {begun(), proof(oneHealthy(), slices.Concat(crash("t1", 1), crash("t2", 1), crash("t3", 1))...), Policy{}, soon, Failed, Crash},
		"old tasks crashed":                    {begun(), proof(during(1, 1), old(slices.Concat(crash("t1", 1), crash("t2", 1), crash("t3", 1)))...), Policy{}, soon, Moving, ""},
		"no place while old tasks hold theirs": {begun(), placing(1), Policy{}, soon, Moving, ""},
		"no place for ever, though old tasks hold theirs": {begun(), having(placing(1), func(o *Observed) {
			o.Evidence[0].Final = true
		}), Policy{}, soon, Failed, PortTaken},
		"no place for ever, but one was found since": {begun(), having(placing(1), func(o *Observed) {
			o.Evidence[0].Final, o.Deployments[0].Pending = true, 1
		}), Policy{}, soon, Moving, ""},
		"no place and nothing to wait for": {begun(), placing(0), Policy{}, soon.Add(time.Minute), Failed, PortTaken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := Remember(tc.want, tc.seen, tc.policy, noon.Add(2*time.Second))
			got := Remember(want, tc.seen, tc.policy, tc.now).Progress
			if got.Verdict != tc.verdict || got.Cause != tc.cause {
				t.Errorf("verdict %q, cause %q, want %q, %q; %v", got.Verdict, got.Cause, tc.verdict, tc.cause, got.Reasons)
			}
		})
	}
}

func TestItBakesForAsLongAsItIsToldTo(t *testing.T) {
	t.Parallel()
	policy := Policy{Bake: time.Minute}
	want := begun()
	for _, look := range []struct {
		after   time.Duration
		seen    Observed
		verdict Verdict
	}{
		{10 * time.Second, done(), Moving},
		{40 * time.Second, done(func(o *Observed) { o.Tasks[0].Health = Unhealthy }), Moving}, // begins anew
		{50 * time.Second, done(), Moving},
		{100 * time.Second, done(), Moving},
		{110 * time.Second, done(), Proven},
	} {
		now := noon.Add(look.after)
		_, verdict, _ := Next(want, look.seen, policy, now)
		if verdict != look.verdict {
			t.Fatalf("after %s: verdict %q, want %q", look.after, verdict, look.verdict)
		}
		want = Remember(want, look.seen, policy, now)
	}
}

func TestChecksMayFailForAWhile(t *testing.T) {
	t.Parallel()
	check := Check{URL: "http://web/healthz", Status: 200}
	want := begun(func(w *Desired) { w.Checks = []Check{check} })
	failing := done(func(o *Observed) { o.Checks = []CheckResult{{check, false, "answered 500, expected 200"}} })
	for _, look := range []struct {
		after   time.Duration
		verdict Verdict
	}{{10 * time.Second, Moving}, {39 * time.Second, Moving}, {40 * time.Second, Failed}} {
		want = Remember(want, failing, Policy{}, noon.Add(look.after))
		if want.Progress.Verdict != look.verdict {
			t.Fatalf("after %s: verdict %q, want %q", look.after, want.Progress.Verdict, look.verdict)
		}
	}
	if d := Explain(want, failing); d.Cause != ChecksFail || d.Summary != "http://web/healthz: answered 500, expected 200" {
		t.Errorf("diagnosis = %+v", d)
	}
}

// unseen has started D1, which the scheduler has not shown yet.
func unseen() Desired {
	want := Remember(wanted(), before(), Policy{}, noon)
	return After(want, Step{Kind: Update}, Receipt{Deployment: "D1"})
}

func proof(seen Observed, evidence ...Evidence) Observed {
	seen.Evidence = evidence
	return seen
}

func old(evidence []Evidence) []Evidence {
	for i := range evidence {
		evidence[i].New = false
	}
	return evidence
}

func oneHealthy() Observed {
	seen := during(1, 1)
	seen.Tasks = []Task{{ID: "t9", Revision: "web:2", Status: TaskRunning, Health: Healthy}}
	return seen
}

func placing(old int) Observed {
	seen := during(old, 1)
	seen.Deployments[0].Pending = 0
	return proof(seen, Evidence{Kind: NoPlace, New: true, Points: PortTaken, Text: "is already using a port"})
}
