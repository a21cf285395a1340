package rollout

import (
	"testing"
	"time"
)

// shifting is the service while D1, whose tasks all run, gets so much of the traffic.
func shifting(stage string, production float64, pauses ...Pause) Observed {
	seen := during(2, 2)
	seen.Planned = 30 * time.Minute
	seen.Record = "shift/1"
	seen.Shift = &Shift{Record: seen.Record, Strategy: "CANARY", Stage: stage, Production: &production, Pauses: pauses}
	return seen
}

func TestAStageIsToldOnOneLine(t *testing.T) {
	t.Parallel()
	some, all, none := 12.5, 100.0, 0.0
	for want, shift := range map[string]Shift{
		"PRE_SCALE_UP": {Stage: "PRE_SCALE_UP"},
		"BAKE_TIME, 100 % of the traffic goes to the new tasks":                                      {Stage: "BAKE_TIME", Production: &all, Test: &all},
		"TEST_TRAFFIC_SHIFT, 0 % of the traffic goes to the new tasks, 100 % of the test traffic":    {Stage: "TEST_TRAFFIC_SHIFT", Production: &none, Test: &all},
		"PRODUCTION_TRAFFIC_SHIFT, 12.5 % of the traffic goes to the new tasks":                      {Stage: "PRODUCTION_TRAFFIC_SHIFT", Production: &some},
		"POST_SCALE_UP, waits for somebody to continue it (ROLLBACK at 2026-05-01T12:00:00Z)":        {Stage: "POST_SCALE_UP", Pauses: []Pause{{ID: "p", Until: noon, Then: "ROLLBACK"}}},
		"POST_SCALE_UP, 0 % of the traffic goes to the new tasks, waits for somebody to continue it": {Stage: "POST_SCALE_UP", Production: &none, Pauses: []Pause{{ID: "p"}}},
	} {
		if got := shift.String(); got != want {
			t.Errorf("told as %q, want %q", got, want)
		}
	}
}

func TestTheStrategysOwnWaitingIsNotLate(t *testing.T) {
	t.Parallel()
	policy := Policy{Timeout: 10 * time.Minute}
	pause := Pause{ID: "p"}
	for name, tc := range map[string]struct {
		looks   []Observed // a quarter of an hour apart
		verdict Verdict
	}{
		"half an hour of baking":                           {[]Observed{shifting(baking, 100), shifting(baking, 100)}, Moving},
		"more than it was to bake":                         {[]Observed{shifting(baking, 100), shifting(baking, 100), shifting(baking, 100)}, TimedOut},
		"hours of waiting for a person":                    {[]Observed{shifting("POST_SCALE_UP", 0, pause), shifting("POST_SCALE_UP", 0, pause), shifting("POST_SCALE_UP", 0, pause), shifting("POST_SCALE_UP", 0, pause)}, Moving},
		"an hour of waiting, then baking":                  {[]Observed{shifting("POST_SCALE_UP", 0, pause), shifting("POST_SCALE_UP", 0, pause), shifting(baking, 100), shifting(baking, 100)}, Moving},
		"the same without a strategy":                      {[]Observed{during(1, 1)}, TimedOut},
		"the plan is remembered when it is no longer told": {[]Observed{shifting(baking, 100), during(1, 2)}, Moving},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, now := begun(), noon
			for _, seen := range tc.looks {
				now = now.Add(15 * time.Minute)
				want = Remember(want, seen, policy, now)
			}
			if got := want.Progress.Verdict; got != tc.verdict {
				t.Errorf("%s: %v", got, want.Progress.Reasons)
			}
		})
	}
}

func TestWhatServesAndWhatWaitsIsKnown(t *testing.T) {
	t.Parallel()
	passed := Remember(begun(), done(), Policy{Bake: time.Hour}, noon)
	for name, tc := range map[string]struct {
		want            Desired
		seen            Observed
		serving, paused bool
	}{
		"all of the traffic, and it bakes":        {begun(), shifting(baking, 100), true, false},
		"a tenth of the traffic":                  {begun(), shifting("PRODUCTION_TRAFFIC_SHIFT", 10), false, false},
		"all of the traffic, but hooks may fail":  {begun(), shifting("POST_PRODUCTION_TRAFFIC_SHIFT", 100), false, false},
		"it waits for a person":                   {begun(), shifting("POST_SCALE_UP", 0, Pause{ID: "p"}), false, true},
		"it goes back":                            {begun(), having(shifting(baking, 100, Pause{ID: "p"}), func(o *Observed) { o.Shift.Undoing = true }), false, false},
		"rolling, all healthy, and it is watched": {passed, done(), true, false},
		"rolling":         {begun(), during(1, 1), false, false},
		"somebody else's": {begun(), having(shifting(baking, 100), func(o *Observed) { o.Deployments[0].ID = "D9" }), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Serving(tc.want, tc.seen); got != tc.serving {
				t.Errorf("serving: %t", got)
			}
			if got := Paused(tc.want, tc.seen); got != tc.paused {
				t.Errorf("paused: %t", got)
			}
		})
	}
}

func TestAShiftThatFailsIsSentBackByItsOwnMeans(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		seen   Observed
		record string
	}{
		"it shifts traffic": {shifting("PRODUCTION_TRAFFIC_SHIFT", 10), "shift/1"},
		"it is rolling":     {during(1, 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, _, _ := Next(failedNow(), tc.seen, Policy{Rollback: true}, noon.Add(time.Minute))
			if len(steps) == 0 || steps[0].Kind != Rollback || steps[0].Record != tc.record {
				t.Errorf("steps %+v", steps)
			}
		})
	}
}

func TestAnUnprovenShiftSaysAtWhichStageItIs(t *testing.T) {
	t.Parallel()
	missing := Unproven(shifting("PRODUCTION_TRAFFIC_SHIFT", 10), "D1")
	if len(missing) < 2 || missing[0] != "the deployment is at PRODUCTION_TRAFFIC_SHIFT, 10 % of the traffic goes to the new tasks" {
		t.Errorf("missing %q", missing)
	}
}

func TestGoingBackToAnOlderDeploymentTakesTheSchedulerAMoment(t *testing.T) {
	t.Parallel()
	asked := after(failedNow(), Rollback, "D0")
	elsewhere := having(shifting("SCALE_UP", 0), func(o *Observed) {
		o.Deployments = append([]Deployment{{ID: "D9", Primary: true, State: InProgress, Revision: "web:9", Desired: 2, Created: noon.Add(time.Minute)}}, o.Deployments...)
		o.Deployments[1].Primary = false
	})
	for name, tc := range map[string]struct {
		seen   Observed
		undone Undoing
	}{
		"it still works on what failed":    {having(shifting("SCALE_UP", 0), func(o *Observed) { o.Shift.Undoing = true }), Undo},
		"it goes back":                     {returned(InProgress), Undo},
		"somebody deployed something else": {elsewhere, UndoFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Remember(asked, tc.seen, Policy{Rollback: true}, noon.Add(2*time.Minute)).Progress; got.Undoing != tc.undone {
				t.Errorf("%s: %v", got.Undoing, got.UndoReasons)
			}
		})
	}
}
