package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhatRemainsToBeDone(t *testing.T) {
	t.Parallel()
	checks := []Check{{URL: "http://web/healthz", Status: 200}}
	for name, tc := range map[string]struct {
		want   Desired
		seen   Observed
		policy Policy
		steps  []StepKind
	}{
		"a service that does not exist is created": {
			wanted(), Observed{Status: Missing}, Policy{}, []StepKind{Register, Create, Follow},
		},
		"the family's newest revision is used again when it has the content": {
			wanted(), Observed{Status: Missing, Newest: &Revision{ID: "web:7"}}, Policy{}, []StepKind{Create, Follow},
		},
		"a deleted service of the name has to go first": {
			wanted(), Observed{Status: Draining}, Policy{}, []StepKind{Vacate, Register, Create, Follow},
		},
		"another task definition is registered and rolled out": {
			wanted(), before(), Policy{}, []StepKind{Register, Update, Follow},
		},
		"checks and bake time follow": {
			with(wanted(), func(w *Desired) { w.Checks = checks }), before(),
			Policy{Bake: time.Minute},
			[]StepKind{Register, Update, Follow, Probe, Bake},
		},
		"what a killed run registered is not registered again": {
			wanted(), having(before(), func(o *Observed) { o.Newest = &Revision{ID: "web:2"} }), Policy{}, []StepKind{Update, Follow},
		},
		"what a killed run started is followed": {
			wanted(), having(during(1, 1), func(o *Observed) { o.Running = &Revision{ID: "web:2"} }), Policy{}, []StepKind{Follow},
		},
		"only the service differs: nothing is registered": {
			wanted(), having(before(), func(o *Observed) {
				o.Running, o.Differs = &Revision{ID: "web:1"}, []Difference{{Path: "desiredCount", Have: "2", Want: "4"}}
			}), Policy{}, []StepKind{Update, Follow},
		},
		"nothing differs and it is proven: nothing to do": {
			wanted(), having(before(), func(o *Observed) { o.Running = &Revision{ID: "web:1"} }), Policy{}, nil,
		},
		"nothing differs, but it never was proven": {
			wanted(), having(before(), func(o *Observed) { o.Running, o.Proven = &Revision{ID: "web:1"}, nil }), Policy{}, []StepKind{Follow},
		},
		"nothing differs, but checks are wanted": {
			with(wanted(), func(w *Desired) { w.Checks = checks }),
			having(before(), func(o *Observed) { o.Running = &Revision{ID: "web:1"} }),
			Policy{},
			[]StepKind{Follow, Probe},
		},
		"nothing differs, but a new deployment is asked for": {
			with(wanted(), func(w *Desired) { w.Force = true }),
			having(before(), func(o *Observed) { o.Running = &Revision{ID: "web:1"} }),
			Policy{},
			[]StepKind{Update, Follow},
		},
		"a started rollout is followed": {begun(), during(1, 1), Policy{}, []StepKind{Follow}},
		"a failed rollout is undone":    {failedNow(), during(1, 1), Policy{Rollback: true}, []StepKind{Rollback, Unwind}},
		"a rollback is followed":        {after(failedNow(), Rollback, "D2"), during(1, 1), Policy{Rollback: true}, []StepKind{Unwind}},
		"a rollback at its end":         {after(failedNow(), Rollback, "D2"), back(), Policy{Rollback: true}, nil},
		"no rollback where it is off":   {failedNow(), during(1, 1), Policy{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, _, reasons := Next(tc.want, tc.seen, tc.policy, noon.Add(time.Minute))
			if diff := cmp.Diff(tc.steps, kinds(steps)); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if len(reasons) == 0 {
				t.Error("no reasons are given")
			}
		})
	}
}

func TestWhyWhatRunsAlreadyIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	same := func(o *Observed) { o.Running = &Revision{ID: "web:1"} }
	check := Check{URL: "http://web/healthz", Status: 200}
	for name, tc := range map[string]struct {
		checks []Check
		change func(*Observed)
		why    Reason
	}{
		"it never was proven":         {nil, func(o *Observed) { o.Proven = nil }, "what is wanted runs already, and has yet to be proven"},
		"it is on its way":            {nil, func(o *Observed) { o.Deployments[0].State = InProgress }, "what is wanted is on its way already"},
		"it was proven, and has one":  {[]Check{check}, func(*Observed) {}, "what is wanted runs already, and was proven; its check is asked again"},
		"it was proven, and has two":  {[]Check{check, check}, func(*Observed) {}, "what is wanted runs already, and was proven; its checks are asked again"},
		"it is not well any more":     {nil, func(o *Observed) { o.Deployments[0].Running = 1 }, "what is wanted runs already, and was proven, but 1 of 2 new tasks are running"},
		"nothing is to be seen of it": {nil, func(*Observed) {}, "this is what runs already: nothing to change"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := with(wanted(), func(w *Desired) { w.Checks = tc.checks })
			if _, _, reasons := Next(want, having(having(before(), same), tc.change), Policy{}, noon); len(reasons) != 1 || reasons[0] != tc.why {
				t.Errorf("because %q, want %q", reasons, tc.why)
			}
		})
	}
}

func TestChecksAreToldByTheAddressThatIsAsked(t *testing.T) {
	t.Parallel()
	check := Check{URL: "http://${loadBalancer}/healthz", Status: 200}
	want := begun(func(w *Desired) { w.Checks = []Check{check} })
	for name, tc := range map[string]struct {
		change func(*Observed)
		why    Reason
	}{
		"not asked yet": {func(*Observed) {}, "http://web.example.com:80/healthz has not been asked"},
		"failing":       {func(o *Observed) { o.Checks = []CheckResult{{check, false, "answered 500"}} }, "http://web.example.com:80/healthz: answered 500"},
		"no address":    {func(o *Observed) { o.Addresses = nil }, "http://${loadBalancer}/healthz has not been asked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := done(func(o *Observed) { o.Addresses = []string{"web.example.com:80", "other"} }, tc.change)
			if _, _, reasons := Next(want, seen, Policy{}, noon.Add(time.Second)); len(reasons) != 1 || reasons[0] != tc.why {
				t.Errorf("because %q, want %q", reasons, tc.why)
			}
		})
	}
}

func TestAFailedDeploymentOfTheSameContentIsForced(t *testing.T) {
	t.Parallel()
	seen := having(before(), func(o *Observed) { o.Running, o.Deployments[0].State = &Revision{ID: "web:1"}, Broken })
	steps, _, _ := Next(wanted(), seen, Policy{}, noon)
	if len(steps) == 0 || steps[0].Kind != Update || !steps[0].Force || steps[0].Revision != "web:1" {
		t.Errorf("steps = %+v", steps)
	}
}

func TestTheRollbackGoesToTheLastProvenDeploymentBeforeThisOne(t *testing.T) {
	t.Parallel()
	// The scheduler completed D1 before the project's checks failed: by now it is the newest proven one of all.
	want := failedNow()
	steps, _, _ := Next(want, having(done(), func(o *Observed) {
		o.Proven = []Proof{{Deployment: "D1"}, {Deployment: "D0"}}
	}), Policy{Rollback: true}, noon.Add(time.Hour))
	if len(steps) == 0 || steps[0].To == nil || steps[0].To.Deployment != "D0" || string(steps[0].Before) != `{"serviceName":"web"}` {
		t.Errorf("steps = %+v", steps)
	}
}

func TestWhatBecomesOfAFailedRollout(t *testing.T) {
	t.Parallel()
	on := Policy{Rollback: true}
	rolling := after(failedNow(), Rollback, "D2")
	for name, tc := range map[string]struct {
		want   Desired
		seen   Observed
		policy Policy
		later  time.Duration
		undone Undoing
	}{
		"the last proven revision serves":      {rolling, back(), on, time.Minute, Undone},
		"the rollback is under way":            {rolling, during(1, 1), on, time.Minute, Undo},
		"the rollback takes too long":          {rolling, during(1, 1), on, time.Hour, UndoFailed},
		"the rollback fails":                   {rolling, having(back(), func(o *Observed) { o.Deployments[0].State, o.Deployments[0].Running = Broken, 0 }), on, time.Minute, UndoFailed},
		"switched off":                         {failedNow(), during(1, 1), Policy{}, time.Minute, UndoOff},
		"nothing was ever proven":              {with(failedNow(), func(w *Desired) { w.Progress.Base = nil }), during(1, 1), on, time.Minute, NothingThere},
		"the scheduler went back":              {failedNow(), returned(Completed), on, time.Minute, UndoneBy},
		"the scheduler goes back, we don't":    {failedNow(), returned(InProgress), Policy{}, time.Minute, Undo},
		"the service is gone":                  {failedNow(), Observed{Status: Missing}, on, time.Minute, NothingThere},
		"what ran for long is left as it was":  {unhealthyForLong(), having(before(), func(o *Observed) {}), on, time.Minute, Untouched},
		"what was just started by another run": {adopted(), during(1, 1), on, time.Minute, Undo},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Remember(tc.want, tc.seen, tc.policy, noon.Add(tc.later)).Progress.Undoing
			if got != tc.undone {
				t.Errorf("undoing = %q, want %q", got, tc.undone)
			}
		})
	}
}

// returned is the service after the scheduler's own circuit breaker went back to D0, under its old id.
func returned(state DeploymentState) Observed {
	seen := back()
	seen.Deployments[0].ID, seen.Deployments[0].State, seen.Deployments[0].Created = "D0", state, noon.Add(-time.Hour)
	return seen
}

func unhealthyForLong() Desired {
	return with(failedNow(), func(w *Desired) {
		w.Progress.Deployment, w.Progress.Replaced, w.Progress.Started = "D0", "D0", noon
		w.Progress.Base = []Proof{{Deployment: "older"}}
	})
}

func adopted() Desired {
	return with(failedNow(), func(w *Desired) { w.Progress.Replaced = "D1" })
}

func failedNow() Desired {
	return begun(func(w *Desired) {
		w.Progress.Verdict, w.Progress.Cause, w.Progress.Ended = Failed, Crash, noon.Add(time.Second)
		w.Progress.Reasons = []Reason{"2 new tasks have failed and none is healthy"}
		w.Progress.Created = noon.Add(time.Second)
		w.Progress.Undoing = NotUndone
	}).unjudged()
}

// unjudged forgets what became of the rollback, which each case decides for itself.
func (d Desired) unjudged() Desired {
	d.Progress.Undoing = NotUndone
	return d
}

func with(want Desired, change func(*Desired)) Desired {
	change(&want)
	return want
}

func having(seen Observed, change func(*Observed)) Observed {
	change(&seen)
	return seen
}

func after(want Desired, kind StepKind, id DeploymentID) Desired {
	return After(want, Step{Kind: kind}, Receipt{Deployment: id})
}
