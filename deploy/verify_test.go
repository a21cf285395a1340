package deploy

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// verified answers as a verification that found so many problems, and counts how often it is asked.
func verified(asked *int, found ...rollout.Finding) func(context.Context) (Verification, error) {
	return func(context.Context) (Verification, error) {
		*asked++
		return Verification{Service: "web", Version: "1.0.16.RELEASE", Problems: len(rollout.Problems(found)), Findings: found}, nil
	}
}

func TestNothingIsTouchedWhenVerificationFindsProblems(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		found rollout.Finding
		kind  fault.Kind
	}{
		"a descriptor asks for what there is not": {rollout.Finding{Kind: rollout.Problem, Document: descriptor.TaskDefinition, Text: "x"}, fault.Invalid},
		"no descriptor is to blame":               {rollout.Finding{Kind: rollout.Problem, Text: "x"}, fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, asked := newScheduler(), 0
				var events []Event
				_, err := Rollout(t.Context(), s, wanted(), rollout.Policy{Rollback: true}, Options{
					Verify: verified(&asked, tc.found), Report: func(e Event) { events = append(events, e) },
				})
				if fault.KindOf(err) != tc.kind || !strings.Contains(err.Error(), "1 problem") {
					t.Errorf("error %v, of kind %s", err, fault.KindOf(err))
				}
				if len(s.performed) > 0 || asked != 1 {
					t.Errorf("performed %v, asked %d times", s.performed, asked)
				}
				told := false
				for _, e := range events {
					told = told || e.Type == Found && *e.Finding == tc.found
				}
				if !told {
					t.Errorf("the finding is not told: %+v", events)
				}
			})
		})
	}
}

func TestARolloutIsVerifiedOnceAndWarningsDoNotKeepIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, asked := newScheduler(), 0
		result, err := Rollout(t.Context(), s, wanted(), rollout.Policy{}, Options{
			Verify: verified(&asked, rollout.Finding{Kind: rollout.Warning}, rollout.Finding{Kind: rollout.NotVerified}),
		})
		if err != nil || result.Outcome != Proven || asked != 1 {
			t.Errorf("%s, %v, asked %d times", result.Outcome, err, asked)
		}
	})
}

func TestNothingIsVerifiedWhenNothingChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, asked := newScheduler(), 0
		s.running, s.newest = wantedRevision, wantedRevision
		s.proven = []rollout.Proof{{Deployment: "D0", Revision: wantedRevision}}
		result, err := Rollout(t.Context(), s, wanted(), rollout.Policy{}, Options{Verify: verified(&asked)})
		if err != nil || result.Outcome != Unchanged || asked != 0 {
			t.Errorf("%s, %v, asked %d times", result.Outcome, err, asked)
		}
	})
}

func TestATargetThatCannotVerifySaysSo(t *testing.T) {
	t.Parallel()
	if _, err := Verify(t.Context(), newScheduler(), wanted()); fault.KindOf(err) != fault.Refused {
		t.Errorf("error %v", err)
	}
}
