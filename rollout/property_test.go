package rollout

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anything draws what a scheduler might ever say.
func anything(t *rapid.T, label string) Observed {
	seen := Observed{
		Ref: ServiceRef{Depth: rapid.SampledFrom([]Depth{Glance, Tasks, Past}).Draw(t, label+" depth")}, At: noon,
		Status: rapid.SampledFrom([]ServiceStatus{Active, Active, Active, Active, Draining, Missing}).Draw(t, label+" status"),
	}
	n := rapid.IntRange(0, 3).Draw(t, label+" deployments")
	for i := range n {
		seen.Deployments = append(seen.Deployments, Deployment{
			ID:      rapid.SampledFrom([]DeploymentID{"D0", "D1", "D2", "D3"}).Draw(t, fmt.Sprint(label, i, "id")),
			Primary: i == 0, State: rapid.SampledFrom([]DeploymentState{InProgress, Completed, Broken}).Draw(t, fmt.Sprint(label, i, "state")),
			Revision: "web:2", Desired: 2, Running: rapid.IntRange(0, 3).Draw(t, fmt.Sprint(label, i, "running")),
			Created: noon.Add(time.Duration(i) * time.Second),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, label+" tasks") {
		seen.Tasks = append(seen.Tasks, Task{
			ID: TaskID(fmt.Sprint(i)), Revision: "web:2", Status: TaskRunning,
			Health: rapid.SampledFrom([]TaskHealth{Healthy, Unhealthy, Unknown, Unchecked}).Draw(t, fmt.Sprint(label, i, "health")),
		})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, label+" evidence") {
		seen.Evidence = append(seen.Evidence, Evidence{
			Kind: TaskStopped, New: rapid.Bool().Draw(t, fmt.Sprint(label, i, "new")), Task: TaskID(fmt.Sprint("s", i)),
			Points: rapid.SampledFrom([]Cause{"", Crash, ImageMissing, PortTaken}).Draw(t, fmt.Sprint(label, i, "points")),
		})
	}
	seen.Proven = []Proof{{Deployment: "D0"}}
	return seen
}

func somePolicy(t *rapid.T) Policy {
	return Policy{Rollback: rapid.Bool().Draw(t, "rollback"), Timeout: time.Minute, Bake: time.Duration(rapid.IntRange(0, 5).Draw(t, "bake")) * time.Second}
}

func TestAFailedRolloutNeverStartsAnother(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want, policy := begun(), somePolicy(t)
		now := noon
		failed := false
		for i := range 12 {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "pause")) * time.Second)
			seen := anything(t, fmt.Sprint("look ", i))
			steps, verdict, _ := Next(want, seen, policy, now)
			was := want.Progress.Verdict
			want = Remember(want, seen, policy, now)
			if was != Moving && verdict != was {
				t.Fatalf("the verdict changed from %q to %q", was, verdict)
			}
			failed = failed || verdict != Moving
			rollbacks := 0
			for _, s := range steps {
				switch s.Kind {
				case Register, Create, Update:
					t.Fatalf("after the verdict %q it would %s", verdict, s)
				case Rollback:
					rollbacks++
				}
			}
			if !failed && rollbacks > 0 || rollbacks > 0 && want.Progress.Undo != "" {
				t.Fatal("a rollback that nothing calls for")
			}
			if len(steps) > 0 && steps[0].Kind == Rollback {
				want = After(want, steps[0], Receipt{Deployment: "D2"})
			}
		}
	})
}

func TestNothingUnhealthyIsEverProven(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seen := anything(t, "look")
		want := begun()
		if _, verdict, _ := Next(want, seen, Policy{}, noon.Add(2*time.Second)); verdict != Proven {
			return
		}
		primary := seen.Primary()
		if primary == nil || primary.ID != want.Progress.Deployment || primary.State != Completed || primary.Running != primary.Desired {
			t.Fatalf("proven though the primary deployment is %+v", primary)
		}
		for _, d := range seen.Deployments[1:] {
			if d.Running > 0 {
				t.Fatalf("proven though %d old tasks are left", d.Running)
			}
		}
		for _, task := range seen.Tasks {
			if task.Health == Unhealthy || task.Health == Unknown {
				t.Fatalf("proven though a task is %s", task.Health)
			}
		}
	})
}

func TestLookingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seen, policy := anything(t, "look"), somePolicy(t)
		now := noon.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "after")) * time.Second)
		want := Remember(begun(), seen, policy, now)
		steps, verdict, _ := Next(want, seen, policy, now)
		again, same, _ := Next(Remember(want, seen, policy, now), seen, policy, now)
		if verdict != same || fmt.Sprint(kinds(steps)) != fmt.Sprint(kinds(again)) {
			t.Fatalf("%v %v, then %v %v", verdict, kinds(steps), same, kinds(again))
		}
	})
}
