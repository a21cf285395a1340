package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

func TestRolloutComesToItsOutcome(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change    func(*scheduler, *rollout.Desired, *rollout.Policy)
		outcome   Outcome
		undoing   rollout.Undoing
		performed []rollout.StepKind
	}{
		"an update": {nil, Proven, "", []rollout.StepKind{rollout.Register, rollout.Update}},
		"a first deployment": {
			func(s *scheduler, _ *rollout.Desired, _ *rollout.Policy) { s.exists, s.newest = false, "" },
			Proven, "",
			[]rollout.StepKind{rollout.Register, rollout.Create},
		},
		"nothing to change": {
			func(s *scheduler, _ *rollout.Desired, _ *rollout.Policy) {
				s.running, s.newest = wantedRevision, wantedRevision
			},
			Unchanged, "", nil,
		},
		"nothing to change, but forced": {func(s *scheduler, w *rollout.Desired, _ *rollout.Policy) {
			s.running, s.newest, w.Force = wantedRevision, wantedRevision, true
		}, Proven, "", []rollout.StepKind{rollout.Update}},
		"a crash loop": {
			func(s *scheduler, _ *rollout.Desired, _ *rollout.Policy) { s.crashes[wantedRevision] = true },
			RolledBack, rollout.Undone,
			[]rollout.StepKind{rollout.Register, rollout.Update, rollout.Rollback},
		},
		"a crash loop, rollback switched off": {func(s *scheduler, _ *rollout.Desired, p *rollout.Policy) {
			s.crashes[wantedRevision], p.Rollback = true, false
		}, NotRolledBack, rollout.UndoOff, []rollout.StepKind{rollout.Register, rollout.Update}},
		"a crash loop, rollback refused": {func(s *scheduler, _ *rollout.Desired, _ *rollout.Policy) {
			s.crashes[wantedRevision], s.broken = true, true
		}, NotRolledBack, rollout.UndoFailed, []rollout.StepKind{rollout.Register, rollout.Update, rollout.Rollback}},
		"a crash loop, and what is restored crashes as well": {func(s *scheduler, _ *rollout.Desired, _ *rollout.Policy) {
			s.crashes[wantedRevision], s.crashes["web:1"] = true, true
		}, NotRolledBack, rollout.UndoFailed, []rollout.StepKind{rollout.Register, rollout.Update, rollout.Rollback}},
		"the scheduler rolls back first": {func(s *scheduler, _ *rollout.Desired, _ *rollout.Policy) {
			s.crashes[wantedRevision], s.breaker = true, 7*time.Second
		}, RolledBack, rollout.UndoneBy, []rollout.StepKind{rollout.Register, rollout.Update}},
		"the first deployment crashes": {func(s *scheduler, _ *rollout.Desired, _ *rollout.Policy) {
			s.exists, s.proven, s.crashes[wantedRevision] = false, nil, true
		}, NotRolledBack, rollout.NothingThere, []rollout.StepKind{rollout.Register, rollout.Create}},
		"too slow": {
			func(s *scheduler, _ *rollout.Desired, _ *rollout.Policy) { s.takes = time.Hour },
			TimedOut, "",
			[]rollout.StepKind{rollout.Register, rollout.Update},
		},
		"a baked one": {
			func(_ *scheduler, _ *rollout.Desired, p *rollout.Policy) { p.Bake = time.Minute },
			Proven, "",
			[]rollout.StepKind{rollout.Register, rollout.Update},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, want, policy := newScheduler(), wanted(), rollout.Policy{Timeout: 5 * time.Minute, Rollback: true}
				if tc.change != nil {
					tc.change(s, &want, &policy)
				}
				res, err := Rollout(t.Context(), s, want, policy, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if res.Outcome != tc.outcome || res.Undoing != tc.undoing {
					t.Errorf("outcome %q, undoing %q, want %q, %q; %v", res.Outcome, res.Undoing, tc.outcome, tc.undoing, res.Reasons)
				}
				if diff := cmp.Diff(tc.performed, s.performed); diff != "" {
					t.Errorf("performed (-want +got):\n%s", diff)
				}
				if res.Outcome == RolledBack && (res.Diagnosis == nil || res.Diagnosis.Cause != rollout.Crash) {
					t.Errorf("diagnosis = %+v", res.Diagnosis)
				}
			})
		})
	}
}

func TestAFailingRollbackEndsSoonAndSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.crashes[wantedRevision], s.crashes["web:1"] = true, true
		var told []string
		res, err := Rollout(t.Context(), s, wanted(), rollout.Policy{Rollback: true}, Options{Report: func(e Event) {
			if e.Type == Diagnosed {
				told = append(told, string(e.Undoing))
			}
		}})
		if err != nil || res.Outcome != NotRolledBack || res.Seconds > 60 {
			t.Fatalf("%q after %.0f s, %v", res.Outcome, res.Seconds, err)
		}
		if d := res.UndoDiagnosis; d == nil || d.Cause != rollout.Crash || !slices.Contains(res.UndoReasons, "2 restored tasks have failed and none is healthy") {
			t.Errorf("the rollback failed because of %v, %+v", res.UndoReasons, d)
		}
		if diff := cmp.Diff([]string{"", string(rollout.UndoFailed)}, told); diff != "" {
			t.Errorf("told diagnoses (-want +got):\n%s", diff)
		}
		if want := "failed; not rolled back: rollback failed: 2 restored tasks have failed and none is healthy"; !strings.Contains(res.String(), want) {
			t.Errorf("result is told as %q", res)
		}
	})
}

func TestARollbackByHandThatFailsIsNoFailedInstallation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.running, s.primary, s.crashes["web:1"] = wantedRevision, "D5", true
		res, err := RollBack(t.Context(), s, wanted().Ref, nil, rollout.Policy{}, Options{})
		if err != nil || res.Outcome != NotRolledBack || res.Seconds > 60 || res.UndoDiagnosis == nil || res.UndoDiagnosis.Cause != rollout.Crash {
			t.Fatalf("%q after %.0f s, %+v, %v", res.Outcome, res.Seconds, res.UndoDiagnosis, err)
		}
		if want := "service web was not rolled back: rollback failed: 2 restored tasks have failed and none is healthy"; !strings.HasPrefix(res.String(), want) {
			t.Errorf("result is told as %q", res)
		}
	})
}

func TestARollbackThatIsRefusedSaysWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.crashes[wantedRevision], s.broken = true, true
		res, err := Rollout(t.Context(), s, wanted(), rollout.Policy{Rollback: true}, Options{})
		if err != nil || !strings.HasSuffix(res.String(), "not rolled back: rollback failed: cannot roll back: not authorized") {
			t.Errorf("%q, %v", res, err)
		}
	})
}

func TestTheEndIsNoticedWithinASecondAtLittleCost(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{2 * time.Second, 20 * time.Second, 4 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := newScheduler()
			s.takes = takes
			res, err := Rollout(t.Context(), s, wanted(), rollout.Policy{}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			lag := time.Duration(res.Seconds*float64(time.Second)) - takes
			if takes < time.Minute && lag > time.Second {
				t.Errorf("a rollout of %s was noticed %s after its end", takes, lag)
			}
			if limit := 20 + int(takes/(500*time.Millisecond)); res.Looks > limit || s.evidence > 2+int(takes/evidenceQuiet) {
				t.Errorf("a rollout of %s took %d looks and %d askings for evidence", takes, res.Looks, s.evidence)
			}
		})
	}
}

func TestNothingToChangeTakesOneLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.running, s.newest = wantedRevision, wantedRevision
		if res, err := Rollout(t.Context(), s, wanted(), rollout.Policy{}, Options{}); err != nil || res.Looks != 1 {
			t.Errorf("%d looks, %v", res.Looks, err)
		}
	})
}

func TestAKilledRunIsResumedWithoutDoingAnythingTwice(t *testing.T) {
	t.Parallel()
	for killed, outcome := range map[time.Duration]Outcome{0: Proven, time.Second: Proven, 15 * time.Second: Proven, 25 * time.Second: Unchanged} {
		synctest.Test(t, func(t *testing.T) {
			s := newScheduler()
			ctx, cancel := context.WithTimeout(t.Context(), killed)
			defer cancel()
			if _, err := Rollout(ctx, s, wanted(), rollout.Policy{}, Options{}); err != nil {
				t.Fatal(err)
			}
			res, err := Rollout(t.Context(), s, wanted(), rollout.Policy{}, Options{})
			if err != nil || res.Outcome != outcome {
				t.Fatalf("killed after %s: outcome %q, %v", killed, res.Outcome, err)
			}
			if diff := cmp.Diff([]rollout.StepKind{rollout.Register, rollout.Update}, s.performed); diff != "" {
				t.Errorf("killed after %s (-want +got):\n%s", killed, diff)
			}
		})
	}
}

func TestAnInterruptedRunTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var saved rollout.Progress
		opts := Options{Save: func(p rollout.Progress) error { saved = p; return nil }}
		res, err := Rollout(ctx, newScheduler(), wanted(), rollout.Policy{}, opts)
		if err != nil || res.Outcome != Interrupted || res.Seen.Primary() == nil || res.Seen.Primary().ID != "D1" {
			t.Errorf("%q, %v; left %+v", res.Outcome, err, res.Seen.Primary())
		}
		if saved.Deployment != "D1" {
			t.Errorf("saved %+v", saved)
		}
	})
}

func TestABusyTargetIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		troubles := 0
		opts := Options{Report: func(e Event) {
			if e.Type == StepDone && e.Revision != "" {
				s.unavailable = 3
			}
			if e.Type == Trouble {
				troubles++
			}
		}}
		res, err := Rollout(t.Context(), s, wanted(), rollout.Policy{}, opts)
		if err != nil || res.Outcome != Proven || troubles != 3 {
			t.Errorf("%q, %v after %d troubles", res.Outcome, err, troubles)
		}
	})
}

func TestATargetThatAsksToSlowDownIsWaitedForFromTheBeginning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.throttled = 12
		res, err := Rollout(t.Context(), s, wanted(), rollout.Policy{}, Options{})
		if err != nil || res.Outcome != Proven {
			t.Errorf("%s, %v", res.Outcome, err)
		}
		calm, err := Rollout(t.Context(), newScheduler(), wanted(), rollout.Policy{}, Options{})
		if err != nil || res.Looks >= calm.Looks {
			t.Errorf("%d looks though it was asked to slow down, %d otherwise; %v", res.Looks, calm.Looks, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.throttled = 1000000
		if _, err := Rollout(t.Context(), s, wanted(), rollout.Policy{Timeout: time.Minute}, Options{}); fault.KindOf(err) != fault.Throttled {
			t.Errorf("it is waited for for ever: %v", err)
		}
	})
}

func TestATargetThatNeverAnsweredIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.unavailable = 1
		if _, err := Rollout(t.Context(), s, wanted(), rollout.Policy{}, Options{}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("error %v", err)
		}
	})
}

func TestChecksDecide(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answers func(asked int) bool
		outcome Outcome
	}{
		"they pass":              {func(int) bool { return true }, Proven},
		"they pass after a time": {func(asked int) bool { return asked > 5 }, Proven},
		"they never pass":        {func(int) bool { return false }, RolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				want := wanted()
				want.Checks = []rollout.Check{{URL: "http://${loadBalancer}/healthz", Status: 200}}
				res, err := Rollout(t.Context(), newScheduler(), want, rollout.Policy{Rollback: true}, Options{
					Report: func(e Event) {
						if strings.Contains(fmt.Sprint(e.Text, e.Reasons, e.Diagnosis), rollout.LoadBalancer) {
							t.Errorf("%s is told without the address: %q, %v, %v", e.Type, e.Text, e.Reasons, e.Diagnosis)
						}
					},
					Prober: func(_ context.Context, c rollout.Check) rollout.CheckResult {
						asked++
						if c.URL != "http://balancer:8000/healthz" {
							t.Errorf("asked %s", c.URL)
						}
						return rollout.CheckResult{Check: c, Passed: tc.answers(asked), Text: fmt.Sprint(tc.answers(asked))}
					},
				})
				if err != nil || res.Outcome != tc.outcome {
					t.Errorf("outcome %q, %v, %v", res.Outcome, res.Reasons, err)
				}
			})
		})
	}
}

func TestEventsTellTheStoryOnceAndInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.crashes[wantedRevision] = true
		var types []EventType
		if _, err := Rollout(t.Context(), s, wanted(), rollout.Policy{Rollback: true}, Options{Report: func(e Event) {
			if e.Schema != Schema || e.Text == "" || e.Time.IsZero() {
				t.Errorf("event %+v", e)
			}
			if _, err := json.Marshal(e); err != nil {
				t.Error(err)
			}
			if e.Type != Progress {
				types = append(types, e.Type)
			}
		}}); err != nil {
			t.Fatal(err)
		}
		want := []EventType{
			Started, StepBegun, StepDone, StepBegun, StepDone, StepBegun, Diagnosed, Judged, StepBegun, StepDone, StepBegun, Ended,
		}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestRollBackGoesToTheRevisionBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScheduler()
		s.running, s.primary = wantedRevision, "D5"
		s.proven = []rollout.Proof{{Deployment: "D5", Revision: wantedRevision}, {Deployment: "D4", Revision: wantedRevision}, {Deployment: "D0", Revision: "web:1"}}
		res, err := RollBack(t.Context(), s, wanted().Ref, nil, rollout.Policy{}, Options{})
		if err != nil || res.Outcome != Proven || s.running != "web:1" || !slices.Equal(s.performed, []rollout.StepKind{rollout.Rollback}) {
			t.Errorf("%q, %v; runs %s, performed %v", res.Outcome, err, s.running, s.performed)
		}
		if _, err := RollBack(t.Context(), s, wanted().Ref, nil, rollout.Policy{}, Options{}); err != nil {
			t.Errorf("again: %v", err)
		}
		s.proven = nil
		if _, err := RollBack(t.Context(), s, wanted().Ref, nil, rollout.Policy{}, Options{}); fault.KindOf(err) != fault.NotFound || fault.HintOf(err) == "" {
			t.Errorf("with nothing proven: %v; hint %q", err, fault.HintOf(err))
		}
		s.exists = false
		if _, err := RollBack(t.Context(), s, wanted().Ref, nil, rollout.Policy{}, Options{}); fault.KindOf(err) != fault.NotFound || fault.HintOf(err) == "" {
			t.Errorf("of a missing service: %v; hint %q", err, fault.HintOf(err))
		}
	})
}

func TestPlanTouchesNothing(t *testing.T) {
	t.Parallel()
	s := newScheduler()
	plan, err := Plan(t.Context(), s, wanted(), rollout.Policy{})
	if err != nil || len(plan.Steps) != 3 || len(s.performed) != 0 {
		t.Errorf("%d steps, performed %v, %v", len(plan.Steps), s.performed, err)
	}
}
