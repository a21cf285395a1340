// Package targettest holds the tests that every target must pass, run against a real scheduler.
package targettest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Target is what is tested. It is deploy.Target, said again: targets know nothing of who uses them.
type Target interface {
	Observe(ctx context.Context, refs []rollout.ServiceRef) ([]rollout.Observed, error)
	Perform(ctx context.Context, step rollout.Step) (rollout.Receipt, error)
	Evidence(ctx context.Context, ref rollout.ServiceRef, since time.Time) ([]rollout.Evidence, error)
}

// Behaviour is what the tasks of a version do.
type Behaviour string

// The behaviours, with what the diagnosis must be of those that fail. Works and WorksToo differ in their version alone.
const (
	Works     Behaviour = "1.0.15.RELEASE"
	WorksToo  Behaviour = "1.0.16.RELEASE"
	Crashes   Behaviour = "crashes"   // exits with code 3 after writing "cannot open the database"
	Sick      Behaviour = "sick"      // its container's health check fails
	Greedy    Behaviour = "greedy"    // is killed for its memory
	Misbuilt  Behaviour = "misbuilt"  // cannot be started: exec format error
	Oversized Behaviour = "oversized" // wants more memory than any instance has
	Needy     Behaviour = "needy"     // starts only while the log group that Env.Supply makes is there
)

// causes are what a failing behaviour must be diagnosed as.
var causes = map[Behaviour]rollout.Cause{
	Crashes: rollout.Crash, Sick: rollout.HealthCheck, Greedy: rollout.OutOfMemory, Misbuilt: rollout.WrongArchitecture,
	Oversized: rollout.NoMemory,
}

// Env is a scheduler to test a target on.
type Env struct {
	Target Target
	// Documents returns what a project would have published: a service of two tasks that behave so. Services of different
	// names must not get in each other's way.
	Documents func(service rollout.ServiceName, b Behaviour) (rollout.ServiceRef, rollout.Documents)
	// Supply makes what tasks that are Needy need to start, or takes it away again: those that run go on.
	Supply func(t *testing.T, service rollout.ServiceName, there bool)
	// Patience is how long one rollout may take.
	Patience time.Duration
}

// Run runs all tests.
func Run(t *testing.T, env Env) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Env){
		"AMissingServiceIsObservedAsMissing":     missing,
		"AServiceIsCreatedAndUpdatedUntilProven": createdAndUpdated,
		"TheSameStepTwiceDoesNoMoreThanOnce":     twice,
		"ARollbackRestoresWhatWasProven":         rolledBack,
		"ARollbackThatFailsIsDiagnosed":          notRolledBack,
		"ServicesAreObservedInTheOrderAskedFor":  batched,
		"FailuresAreDiagnosed":                   diagnosed,
		"TasksAreToldWithTheirEndsAndLogs":       reported,
		"ATaskRunsOnceWhateverIsAskedTwice":      runOnce,
		"ATaskThatIsStoppedSaysSo":               stoppedByHand,
		"ATaskThatFindsNoPlaceIsNotStarted":      noPlaceForOne,
		"WhatWouldFailIsFoundBeforeItBegins":     verified,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, env)
		})
	}
}

// wanted is a service that should run a behaviour.
func (e Env) wanted(service rollout.ServiceName, b Behaviour) rollout.Desired {
	ref, documents := e.Documents(service, b)
	ref.Wanted = documents
	return rollout.Desired{Ref: ref, Version: string(b)}
}

// observe looks at one service.
func (e Env) observe(t *testing.T, ref rollout.ServiceRef, depth rollout.Depth) rollout.Observed {
	t.Helper()
	ref.Depth = depth
	seen, err := e.Target.Observe(t.Context(), []rollout.ServiceRef{ref})
	if err != nil {
		t.Fatal(err)
	}
	return seen[0]
}

// carry does what deploy does, in its simplest form: look, ask what remains, do the first step.
func (e Env) carry(t *testing.T, want rollout.Desired, policy rollout.Policy) (rollout.Desired, rollout.Observed) {
	t.Helper()
	policy.Timeout, policy.RollbackTimeout = e.Patience, e.Patience
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for depth := rollout.Past | rollout.Tasks; ; depth = rollout.Tasks {
		seen := e.observe(t, want.Ref, depth)
		seen.Evidence, seen.EvidenceOf = e.evidence(t, want)
		steps, verdict, _ := rollout.Next(want, seen, policy, time.Now())
		want = rollout.Remember(want, seen, policy, time.Now())
		if verdict != rollout.Moving && len(steps) == 0 {
			return want, seen
		}
		var receipt rollout.Receipt
		if steps[0].Kind.Changes() {
			var err error
			if receipt, err = e.Target.Perform(t.Context(), steps[0]); err != nil {
				t.Fatalf("%s: %v", steps[0], err)
			}
		}
		want = rollout.After(want, steps[0], receipt)
		select {
		case <-t.Context().Done():
			t.Fatal("the test is over")
		case <-ticker.C:
		}
	}
}

// evidence gathers what speaks against the rollout, or against its rollback.
func (e Env) evidence(t *testing.T, want rollout.Desired) ([]rollout.Evidence, rollout.DeploymentID) {
	t.Helper()
	p, ref := want.Progress, want.Ref
	since := p.Created
	ref.Deployment = p.Deployment
	if p.Verdict == rollout.Failed {
		ref.Deployment, since = p.Undo, p.UndoBegan
	}
	if ref.Deployment == "" || since.IsZero() {
		return nil, ref.Deployment
	}
	found, err := e.Target.Evidence(t.Context(), ref, since)
	if err != nil {
		t.Fatal(err)
	}
	return found, ref.Deployment
}

// install carries out a rollout that must be proven.
func (e Env) install(t *testing.T, service rollout.ServiceName, b Behaviour) (rollout.Desired, rollout.Observed) {
	t.Helper()
	want, seen := e.carry(t, e.wanted(service, b), rollout.Policy{})
	if p := want.Progress; p.Verdict != rollout.Proven {
		t.Fatalf("%s of %s: %s, %v; %+v", b, service, p.Verdict, p.Reasons, rollout.Explain(want, seen))
	}
	return want, seen
}

// differing returns what is not as wanted, of the revision that runs and of the service.
func differing(seen rollout.Observed) []string {
	var paths []string
	if seen.Running != nil {
		for _, d := range seen.Running.Differs {
			paths = append(paths, d.Path)
		}
	}
	for _, d := range seen.Differs {
		paths = append(paths, d.Path)
	}
	slices.Sort(paths)
	return paths
}
