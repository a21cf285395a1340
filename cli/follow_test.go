package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

// story is a rollout that fails, event by event, a second apart.
func story() []deploy.Event {
	diagnosis := &rollout.Diagnosis{
		Cause: "container exits", Summary: "container web exits with code 3", Evidence: []string{"Essential container in task exited"},
		Logs: []string{"cannot open the database\n"}, Remedy: "read the container's last lines",
	}
	events := []deploy.Event{
		{Type: deploy.Started, Text: "service web in cluster qa: the task definition differs", Plan: []deploy.PlannedStep{{Text: "update service web"}}},
		{Type: deploy.StepBegun, Text: "update service web"},
		{Type: deploy.StepDone, Text: "deployment ecs-svc/2"},
		{Type: deploy.Progress, Text: "1 of 2 new tasks running, 2 old left", Snapshot: half()},
		{Type: deploy.Message, Text: "(service web) has started 2 tasks"},
		{Type: deploy.Trouble, Text: "cannot look at service web; trying again"},
		{Type: deploy.Diagnosed, Text: diagnosis.Summary, Diagnosis: diagnosis},
		{Type: deploy.Judged, Text: "failed: container web exits with code 3", Verdict: rollout.Failed},
		{Type: deploy.Ended, Text: "1.0.1.RELEASE of service web failed and was rolled back", Result: &deploy.Result{Outcome: deploy.RolledBack}},
	}
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range events {
		events[i].Schema, events[i].Time = deploy.Schema, begun.Add(time.Duration(i)*time.Second)
		events[i].Cluster, events[i].Service, events[i].Version = "qa", "web", "1.0.1.RELEASE"
	}
	return events
}

// half is a rollout with one new task running, one pending, and two old ones, one of them stopping.
func half() *deploy.Snapshot {
	return &deploy.Snapshot{
		Deployments: []rollout.Deployment{
			{ID: "new", Primary: true, Version: "1.0.1.RELEASE", Desired: 2, Running: 1, Pending: 1, Failed: 3},
			{ID: "old", Version: "1.0.0.RELEASE", Running: 1},
		},
		Tasks: []rollout.Task{
			{ID: "a", Deployment: "new", Status: rollout.TaskRunning},
			{ID: "b", Deployment: "new", Status: rollout.TaskPending},
			{ID: "c", Deployment: "old", Status: rollout.TaskRunning},
			{ID: "d", Deployment: "old", Status: rollout.TaskStopping},
		},
		Targets: []rollout.TargetHealth{
			{Task: "a", State: rollout.TargetUnhealthy}, {Task: "c", State: rollout.TargetHealthy}, {Task: "d", State: rollout.TargetDraining},
		},
		Waiting: []rollout.Reason{"1 of 2 tasks of the new deployment run"},
	}
}

func TestPlainFollowerWritesALineForEverythingThatHappens(t *testing.T) {
	t.Parallel()
	p, out, talk := testProgram()
	f := p.follow()
	for _, e := range story() {
		f.report(e)
	}
	f.close()
	want := `   0.0s  service web in cluster qa: the task definition differs
   0.0s    - update service web
   1.0s  → update service web
   2.0s  ✓ deployment ecs-svc/2
   3.0s  1 of 2 new tasks running, 2 old left
   4.0s  (service web) has started 2 tasks
   5.0s  ! cannot look at service web; trying again
   6.0s  cause: container exits
   6.0s    container web exits with code 3
   6.0s    · Essential container in task exited
   6.0s    last lines of the container:
   6.0s      | cannot open the database
   6.0s    what to do: read the container's last lines
   7.0s  failed: container web exits with code 3
   8.0s  1.0.1.RELEASE of service web failed and was rolled back
`
	if diff := cmp.Diff(want, talk.String()); diff != "" || out.Len() > 0 {
		t.Errorf("output %q, talk (-want +got):\n%s", out, diff)
	}
}

func TestPlainFollowerTellsTheDiagnosisOfARollbackFromThatOfTheRollout(t *testing.T) {
	t.Parallel()
	p, _, talk := testProgram()
	f := p.follow()
	f.report(deploy.Event{
		Type: deploy.Diagnosed, Undoing: rollout.UndoFailed, Time: time.Unix(0, 0),
		Diagnosis: &rollout.Diagnosis{Cause: rollout.Crash, Summary: "container web exits with code 4"},
	})
	f.close()
	want := "   0.0s  the rollback failed\n   0.0s  cause: container exits\n   0.0s    container web exits with code 4\n"
	if diff := cmp.Diff(want, talk.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestJSONFollowerWritesEveryEventOnALineOfItsOwn(t *testing.T) {
	t.Parallel()
	p, out, talk := testProgram()
	p.output = outputJSON
	f := p.follow()
	for _, e := range story() {
		f.report(e)
	}
	f.close()
	var got []deploy.Event
	for line := range strings.Lines(out.String()) {
		var e deploy.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(story(), got, cmpopts.EquateEmpty()); diff != "" || talk.Len() > 0 {
		t.Errorf("talk %q, events (-want +got):\n%s", talk, diff)
	}
}

// frame returns the lines that were drawn last, without styles.
func frame(written string) []string {
	last := written[strings.LastIndex(written, "\x1b[?2026h"):]
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(ansi.Strip(last), "\r", ""), "\n"), "\n")
}

func TestLiveViewDrawsTasksTargetsEventsAndTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, out, talk := testProgram()
		p.ErrTTY, p.Color = true, true
		p.Wide = func() int { return 80 }
		f := p.follow()
		for _, e := range story()[:5] {
			f.report(e)
		}
		<-time.After(42 * time.Second) // in the bubble: the clock on the screen goes on by itself
		synctest.Wait()
		want := []string{
			"",
			"web 1.0.1.RELEASE on qa  42s",
			"  new       1.0.1.RELEASE        ✗□  1 of 2 running, 1 pending, 3 failed",
			"  old       1.0.0.RELEASE        ■  1 running",
			"  targets   1 of 2 healthy, 1 draining",
			"  waiting:  1 of 2 tasks of the new deployment run",
			"  (service web) has started 2 tasks",
		}
		if diff := cmp.Diff(want, frame(talk.String())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		f.report(story()[8])
		f.close()
		if got := frame(talk.String()); len(got) != 1 || got[0] != "" || out.Len() > 0 {
			t.Errorf("what is left on the screen: %q, output %q", got, out)
		}
		for _, lasting := range []string{"✓ deployment ecs-svc/2", "1.0.1.RELEASE of service web failed and was rolled back"} {
			if !strings.Contains(ansi.Strip(talk.String()), lasting) {
				t.Errorf("%q was not written to stay", lasting)
			}
		}
	})
}

func TestLiveViewSaysWhatItDoesBeforeThereAreTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, _, talk := testProgram()
		p.ErrTTY = true
		f := p.follow()
		for _, e := range story()[:2] {
			e.Version = "" // as in a rollback
			f.report(e)
		}
		if diff := cmp.Diff([]string{"", "web on qa  0s", "  update service web"}, frame(talk.String())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		f.close()
	})
}

func TestLiveViewDrawsHowTheTrafficIsShifted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		shift rollout.Shift
		line  string
	}{
		{rollout.Shift{Stage: "PRE_SCALE_UP"}, "  traffic   □□□□□□□□□□   0 %  PRE_SCALE_UP"},
		{rollout.Shift{Stage: "PRODUCTION_TRAFFIC_SHIFT", Production: new(5.0)}, "  traffic   ■□□□□□□□□□   5 %  PRODUCTION_TRAFFIC_SHIFT"},
		{rollout.Shift{Stage: "BAKE_TIME", Production: new(100.0)}, "  traffic   ■■■■■■■■■■ 100 %  BAKE_TIME"},
		{rollout.Shift{Stage: "POST_SCALE_UP", Pauses: []rollout.Pause{{ID: "p"}}}, "  traffic   □□□□□□□□□□   0 %  POST_SCALE_UP, waits for somebody"},
		{rollout.Shift{Stage: "CLEAN_UP", Production: new(0.0), Undoing: true}, "  traffic   □□□□□□□□□□   0 %  CLEAN_UP, going back"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p, _, talk := testProgram()
			p.ErrTTY = true
			f := p.follow()
			for _, e := range story()[:5] {
				f.report(e)
			}
			f.report(deploy.Event{Type: deploy.Staged, Text: "stage " + tc.shift.String(), Shift: &tc.shift})
			if got := frame(talk.String()); !slices.Contains(got, tc.line) {
				t.Errorf("%q is not in %q", tc.line, got)
			}
			f.close()
		})
	}
}
