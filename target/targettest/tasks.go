package targettest

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Tasker is a target that tells its tasks, reads their logs and runs them once: deploy.TaskRunner, said again.
type Tasker interface {
	TaskReports(ctx context.Context, ref rollout.ServiceRef, q rollout.TaskQuery) ([]rollout.TaskReport, error)
	ReadLogs(ctx context.Context, from []rollout.LogOf, since time.Time) iter.Seq2[rollout.OutputLine, error]
	TailLogs(ctx context.Context, of rollout.LogOf, since time.Time, n int) ([]rollout.OutputLine, error)
	RunOnce(ctx context.Context, want rollout.OneOff) (rollout.Launch, error)
	StopTask(ctx context.Context, cluster rollout.ClusterName, id rollout.TaskID, reason string) error
	TaskEvidence(ctx context.Context, cluster rollout.ClusterName, ids []rollout.TaskID) ([]rollout.Evidence, error)
}

// tasker is the target with what the tests of tasks need of it.
func (e Env) tasker(t *testing.T) Tasker {
	t.Helper()
	tasker, ok := e.Target.(Tasker)
	if !ok {
		t.Fatalf("%T doesn't tell its tasks", e.Target)
	}
	return tasker
}

// until looks at tasks again and again until they are as they should be.
func (e Env) until(t *testing.T, ref rollout.ServiceRef, q rollout.TaskQuery, done func([]rollout.TaskReport) bool) []rollout.TaskReport {
	t.Helper()
	patience, again := time.NewTimer(e.Patience), time.NewTicker(50*time.Millisecond)
	defer patience.Stop()
	defer again.Stop()
	for {
		tasks, err := e.tasker(t).TaskReports(t.Context(), ref, q)
		if err != nil {
			t.Fatal(err)
		}
		if done(tasks) {
			return tasks
		}
		select {
		case <-patience.C:
			t.Fatalf("they stay %+v", tasks)
		case <-again.C:
		}
	}
}

func of(task rollout.TaskReport) []rollout.LogOf {
	var all []rollout.LogOf
	for _, c := range task.Containers {
		all = append(all, rollout.LogOf{Task: task.ID, Container: c.Name, Source: c.Log})
	}
	return all
}

func reported(t *testing.T, e Env) {
	want, _ := e.install(t, "reported", Works)
	ref := want.Ref
	ref.Wanted = nil
	running, err := e.tasker(t).TaskReports(t.Context(), ref, rollout.TaskQuery{})
	if err != nil || len(running) != 2 {
		t.Fatalf("%+v, %v", running, err)
	}
	for _, task := range running {
		if task.Status != rollout.TaskRunning || task.Health != rollout.Healthy || task.Version != string(Works) || task.Revision == "" ||
			task.Created.IsZero() || task.Started.Before(task.Created) || task.End != "" || len(task.Containers) != 1 || !task.Containers[0].Essential {
			t.Errorf("told as %+v", task)
		}
	}
	byName, err := e.tasker(t).TaskReports(t.Context(), ref, rollout.TaskQuery{IDs: []rollout.TaskID{running[1].ID, "00000000000000000000000000000000"}})
	if err != nil || len(byName) != 1 || byName[0].ID != running[1].ID {
		t.Errorf("by its name %+v, %v", byName, err)
	}
	e.carry(t, e.wanted("reported", Crashes), rollout.Policy{Rollback: true})
	all, err := e.tasker(t).TaskReports(t.Context(), ref, rollout.TaskQuery{Stopped: true})
	if err != nil {
		t.Fatal(err)
	}
	crashed := slices.IndexFunc(all, func(r rollout.TaskReport) bool { return r.End == rollout.EndExited })
	if crashed < 0 {
		t.Fatalf("none of %+v has exited", all)
	}
	if c := all[crashed].Containers[0]; all[crashed].Status != rollout.TaskOver || c.ExitCode == nil || *c.ExitCode != 3 {
		t.Errorf("the one that crashed is told as %+v", all[crashed])
	}
	e.readable(t, all[crashed])
}

// readable holds that what a task has written can be read, from its beginning and from its end.
func (e Env) readable(t *testing.T, task rollout.TaskReport) {
	t.Helper()
	const line = "cannot open the database"
	said := func(l rollout.OutputLine) bool { return l.Text == line && l.Task == task.ID }
	patience, again := time.NewTimer(e.Patience), time.NewTicker(50*time.Millisecond)
	defer patience.Stop()
	defer again.Stop()
	for {
		var read []rollout.OutputLine
		for l, err := range e.tasker(t).ReadLogs(t.Context(), of(task), task.Created) {
			if err != nil {
				t.Fatal(err)
			}
			read = append(read, l)
		}
		last, err := e.tasker(t).TailLogs(t.Context(), of(task)[0], time.Time{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(read, said) && slices.ContainsFunc(last, said) && slices.ContainsFunc(read, func(l rollout.OutputLine) bool { return l.ID != "" }) {
			return
		}
		select {
		case <-patience.C:
			t.Fatalf("read %+v, and at the end %+v", read, last)
		case <-again.C:
		}
	}
}

func runOnce(t *testing.T, e Env) {
	installed, _ := e.install(t, "once", Works)
	ref := e.wanted("once", Crashes).Ref
	want := rollout.OneOff{Ref: ref, Count: 1, Token: "once-crashes"}
	var ids []rollout.TaskID
	for range 2 {
		launch, err := e.tasker(t).RunOnce(t.Context(), want)
		if err != nil || len(launch.Tasks) != 1 || len(launch.Failures) > 0 || launch.Version != string(Crashes) {
			t.Fatalf("%+v, %v", launch, err)
		}
		ids = append(ids, launch.Tasks[0].ID)
	}
	if ids[0] != ids[1] {
		t.Errorf("the same request started %v", ids)
	}
	over := e.until(t, ref, rollout.TaskQuery{IDs: ids[:1]}, rollout.Over)
	if code, reasons := rollout.JudgeOneOff(over, 0); code != 3 {
		t.Errorf("it came to %d because %q", code, reasons)
	}
	found, err := e.tasker(t).TaskEvidence(t.Context(), ref.Cluster, ids[:1])
	if d := rollout.Diagnose(found); err != nil || d.Cause != rollout.Crash || !slices.Contains(d.Logs, "cannot open the database") {
		t.Errorf("diagnosed as %+v, %v", d, err)
	}
	if running := e.observe(t, rollout.ServiceRef{Cluster: ref.Cluster, Service: "once"}, rollout.Tasks); running.Primary().ID != installed.Progress.Deployment || len(running.Tasks) != 2 {
		t.Errorf("the service has changed: %+v", running)
	}
}

func stoppedByHand(t *testing.T, e Env) {
	want, _ := e.install(t, "stopped", Works)
	ref := want.Ref
	ref.Wanted = nil
	launch, err := e.tasker(t).RunOnce(t.Context(), rollout.OneOff{Ref: ref, Count: 1, Token: "stopped-works"})
	if err != nil || len(launch.Tasks) != 1 || launch.Revision != want.Progress.Revision {
		t.Fatalf("%+v, %v", launch, err)
	}
	q := rollout.TaskQuery{IDs: []rollout.TaskID{launch.Tasks[0].ID}}
	e.until(t, ref, q, func(tasks []rollout.TaskReport) bool {
		return len(tasks) == 1 && tasks[0].Status == rollout.TaskRunning
	})
	if err := e.tasker(t).StopTask(t.Context(), ref.Cluster, launch.Tasks[0].ID, "enough of it"); err != nil {
		t.Fatal(err)
	}
	over := e.until(t, ref, q, rollout.Over)
	if over[0].End != rollout.EndStopped || over[0].Why != "enough of it" {
		t.Errorf("told as %+v", over[0])
	}
	if code, _ := rollout.JudgeOneOff(over, 0); code == 0 {
		t.Error("what was stopped by somebody counts as done")
	}
}

func noPlaceForOne(t *testing.T, e Env) {
	e.install(t, "homeless", Works)
	launch, err := e.tasker(t).RunOnce(t.Context(), rollout.OneOff{Ref: e.wanted("homeless", Oversized).Ref, Count: 1, Token: "homeless-oversized"})
	if d := rollout.Diagnose(launch.Failures); err != nil || len(launch.Tasks) > 0 || d.Cause != rollout.NoMemory {
		t.Errorf("%+v, %v; %+v", launch, err, d)
	}
}
