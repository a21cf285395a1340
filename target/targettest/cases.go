package targettest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

func missing(t *testing.T, e Env) {
	want := e.wanted("never", Works)
	seen := e.observe(t, want.Ref, rollout.Tasks|rollout.Past|rollout.Records|rollout.Addresses)
	if seen.Status != rollout.Missing || len(seen.Deployments) > 0 {
		t.Errorf("observed %+v", seen)
	}
	if found, err := e.Target.Evidence(t.Context(), want.Ref, time.Time{}); err != nil || len(found) > 0 {
		t.Errorf("evidence %v, %v", found, err)
	}
}

func createdAndUpdated(t *testing.T, e Env) {
	first, _ := e.install(t, "updated", Works)
	again, seen := e.carry(t, e.wanted("updated", Works), rollout.Policy{})
	if again.Progress.Verdict != rollout.Proven || again.Progress.Revision != "" || seen.Primary().ID != first.Progress.Deployment {
		t.Errorf("the same again: %+v; differs in %v", again.Progress, differing(seen))
	}
	second, seen := e.install(t, "updated", WorksToo)
	if second.Progress.Deployment == first.Progress.Deployment || len(seen.Tasks) != 2 {
		t.Errorf("the second: %+v, tasks %+v", second.Progress, seen.Tasks)
	}
	status := e.observe(t, rollout.ServiceRef{Cluster: first.Ref.Cluster, Service: "updated"}, rollout.Past|rollout.Records)
	if primary := status.Primary(); primary == nil || primary.Version != string(WorksToo) {
		t.Errorf("the version that runs is not told: %+v", primary)
	}
	if primary := e.observe(t, rollout.ServiceRef{Cluster: first.Ref.Cluster, Service: "updated"}, rollout.Glance).Primary(); primary.Version != string(WorksToo) {
		t.Errorf("the version that runs is not told at a glance: %+v", primary)
	}
	var proven []rollout.DeploymentID
	for _, p := range status.Proven {
		proven = append(proven, p.Deployment)
		if p.Revision == "" {
			t.Errorf("the revision of %s is not told", p.Deployment)
		}
	}
	if !slices.Equal(proven, []rollout.DeploymentID{second.Progress.Deployment, first.Progress.Deployment}) {
		t.Errorf("proven are %v", proven)
	}
}

func twice(t *testing.T, e Env) {
	want := e.wanted("twice", Works)
	steps, _, _ := rollout.Next(want, e.observe(t, want.Ref, rollout.Past), rollout.Policy{}, time.Now())
	receipt, err := e.Target.Perform(t.Context(), steps[0])
	if err != nil {
		t.Fatal(err)
	}
	want = rollout.After(want, steps[0], receipt)
	steps, _, _ = rollout.Next(want, e.observe(t, want.Ref, rollout.Past), rollout.Policy{}, time.Now())
	var ids []rollout.DeploymentID
	for range 2 {
		receipt, err := e.Target.Perform(t.Context(), steps[0])
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, receipt.Deployment)
	}
	if ids[0] == "" || ids[0] != ids[1] {
		t.Errorf("creating it twice started %v", ids)
	}
}

func rolledBack(t *testing.T, e Env) {
	e.install(t, "undone", Works)
	want, seen := e.carry(t, e.wanted("undone", Crashes), rollout.Policy{Rollback: true})
	p := want.Progress
	if p.Verdict != rollout.Failed || p.Undoing != rollout.Undone && p.Undoing != rollout.UndoneBy {
		t.Fatalf("%s, %s: %v", p.Verdict, p.Undoing, p.Reasons)
	}
	compared := e.observe(t, e.wanted("undone", Works).Ref, rollout.Past|rollout.Records)
	if paths := differing(compared); len(paths) > 0 {
		t.Errorf("not restored: %v", paths)
	}
	if len(seen.Tasks) != 2 {
		t.Errorf("tasks %+v", seen.Tasks)
	}
	if f := compared.LastFailure; f == nil || !f.RolledBack || f.Version != string(Crashes) {
		t.Errorf("the last failure is told as %+v", f)
	}
}

func notRolledBack(t *testing.T, e Env) {
	e.Supply(t, "lost", true)
	e.install(t, "lost", Needy)
	e.Supply(t, "lost", false)
	want, _ := e.carry(t, e.wanted("lost", Crashes), rollout.Policy{Rollback: true})
	p := want.Progress
	if p.Cause != rollout.Crash || p.Undoing != rollout.UndoFailed || p.UndoCause != rollout.LogGroupMissing {
		t.Errorf("%s because %q, %s because %q: %v", p.Verdict, p.Cause, p.Undoing, p.UndoCause, p.UndoReasons)
	}
}

func batched(t *testing.T, e Env) {
	var refs []rollout.ServiceRef
	for i := range 12 {
		ref := e.wanted(rollout.ServiceName(fmt.Sprint("nobody", i)), Works).Ref
		ref.Wanted = nil
		refs = append(refs, ref)
	}
	e.install(t, "known", Works)
	known := e.wanted("known", Works).Ref
	known.Wanted = nil
	refs[10] = known
	seen, err := e.Target.Observe(t.Context(), refs)
	if err != nil || len(seen) != len(refs) {
		t.Fatalf("%d of %d, %v", len(seen), len(refs), err)
	}
	for i, s := range seen {
		if s.Ref.Service != refs[i].Service || (s.Status == rollout.Active) != (i == 10) {
			t.Errorf("%d: %s is %s", i, s.Ref.Service, s.Status)
		}
	}
}

func diagnosed(t *testing.T, e Env) {
	for b, cause := range causes {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			name := rollout.ServiceName("failing-" + string(b))
			e.install(t, name, Works)
			policy := rollout.Policy{NoPlace: e.Patience, Stall: e.Patience} // what can never find a place is told at once
			want, _ := e.carry(t, e.wanted(name, b), policy)
			if want.Progress.Verdict != rollout.Failed || want.Progress.Cause != cause {
				t.Errorf("%s because %q, want %q; %v", want.Progress.Verdict, want.Progress.Cause, cause, want.Progress.Reasons)
			}
			ref := want.Ref
			ref.Deployment = want.Progress.Deployment
			found, err := e.Target.Evidence(t.Context(), ref, want.Progress.Created)
			if err != nil {
				t.Fatal(err)
			}
			d := rollout.Diagnose(found)
			if b == Crashes && (!strings.Contains(d.Summary, "code 3") || !slices.Contains(d.Logs, "cannot open the database")) {
				t.Errorf("the diagnosis lacks the exit code or the last lines: %+v", d)
			}
		})
	}
}
