package rollout

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/fault"
)

// exited is a container that ended with a code, and what else is told of it.
func exited(name string, code int, more ...func(*ContainerReport)) ContainerReport {
	signals := map[int]string{137: "SIGKILL", 143: "SIGTERM", 139: "SIGSEGV"}
	c := ContainerReport{Name: name, Essential: true, Status: TaskOver, ExitCode: &code, Signal: signals[code]}
	for _, change := range more {
		change(&c)
	}
	return c
}

func saying(why string) func(*ContainerReport) { return func(c *ContainerReport) { c.Why = why } }

func dispensable(c *ContainerReport) { c.Essential = false }

func over(end TaskEnd, why string, containers ...ContainerReport) TaskReport {
	return TaskReport{ID: "t", Status: TaskOver, End: end, Why: why, Containers: containers}
}

func TestTheExitCodeOfTasksThatRanOnceIsTheFirstThatIsNotZero(t *testing.T) {
	t.Parallel()
	silent := ContainerReport{Name: "app", Essential: true}
	for name, tc := range map[string]struct {
		tasks    []TaskReport
		unplaced int
		code     int
		reason   string // is among the reasons; empty: there are none
	}{
		"all exited with 0":                         {tasks: []TaskReport{over(EndExited, "", exited("app", 0), exited("log", 0))}},
		"one did not":                               {tasks: []TaskReport{over(EndExited, "", exited("app", 3), exited("log", 5))}, code: 3, reason: "container app exited with code 3"},
		"of the second task":                        {tasks: []TaskReport{over(EndExited, "", exited("app", 0)), over(EndExited, "", exited("app", 4))}, code: 4, reason: "code 4"},
		"one that is not essential did not":         {tasks: []TaskReport{over(EndExited, "", exited("app", 0), exited("log", 9, dispensable))}},
		"one was stopped along with the task":       {tasks: []TaskReport{over(EndExited, "", exited("proxy", 143), exited("app", 0))}},
		"one was stopped along with one that fails": {tasks: []TaskReport{over(EndExited, "", exited("proxy", 143), exited("app", 2))}, code: 2, reason: "code 2"},
		"all were ended by a signal":                {tasks: []TaskReport{over(EndExited, "", exited("app", 143))}, code: 143, reason: "code 143 (SIGTERM)"},
		"one was killed, another failed":            {tasks: []TaskReport{over(EndExited, "", exited("proxy", 137), exited("app", 2))}, code: 2, reason: "code 2"},
		"one was killed":                            {tasks: []TaskReport{over(EndExited, "", exited("proxy", 137), exited("app", 0))}, code: 137, reason: "code 137 (SIGKILL)"},
		"one ran out of memory":                     {tasks: []TaskReport{over(EndExited, "", exited("app", 137, saying("OutOfMemoryError: killed")))}, code: 137, reason: "OutOfMemoryError: killed"},
		"it did not start":                          {tasks: []TaskReport{over(EndNotStarted, "CannotPullContainerError", silent)}, code: 1, reason: "did not start: CannotPullContainerError"},
		"it has no exit code":                       {tasks: []TaskReport{over(EndExited, "", silent)}, code: 1, reason: "container app has no exit code"},
		"somebody stopped it":                       {tasks: []TaskReport{over(EndStopped, "Task stopped by user", exited("app", 0))}, code: 1, reason: "was stopped: Task stopped by user"},
		"its machine was lost":                      {tasks: []TaskReport{over(EndLost, "Host EC2 terminated", exited("app", 0))}, code: 1, reason: "was stopped: Host EC2"},
		"one found no place":                        {tasks: []TaskReport{over(EndExited, "", exited("app", 0))}, unplaced: 2, code: 1, reason: "2 tasks found no place"},
		"one found no place, another failed":        {tasks: []TaskReport{over(EndExited, "", exited("app", 6))}, unplaced: 1, code: 6, reason: "1 task found no place"},
		"nothing found a place":                     {unplaced: 1, code: 1, reason: "1 task found no place"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, reasons := JudgeOneOff(tc.tasks, tc.unplaced)
			told := slices.ContainsFunc(reasons, func(r Reason) bool { return strings.Contains(string(r), tc.reason) })
			if code != tc.code || (tc.reason == "") != (len(reasons) == 0) || tc.reason != "" && !told {
				t.Errorf("%d because %q, want %d because %q", code, reasons, tc.code, tc.reason)
			}
		})
	}
}

func TestWhyATaskStoppedTellsTheCodesOfItsContainers(t *testing.T) {
	t.Parallel()
	task := over(EndExited, "Essential container in task exited.", exited("app", 137, saying("OutOfMemoryError: Container killed")), exited("log", 143))
	want := "Essential container in task exited; app exited with code 137 (SIGKILL): OutOfMemoryError: Container killed; log exited with code 143 (SIGTERM)"
	if got := WhyStopped(task); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestATaskIsFoundByTheBeginningOfItsID(t *testing.T) {
	t.Parallel()
	tasks := []TaskReport{{ID: "abc1"}, {ID: "abd2"}, {ID: "ab"}}
	for id, want := range map[string]struct {
		task TaskID
		kind fault.Kind
	}{"abc": {"abc1", ""}, "abd2": {"abd2", ""}, "ab": {"ab", ""}, "a": {"", fault.Invalid}, "x": {"", fault.NotFound}} {
		got, err := FindTask(tasks, id)
		if got.ID != want.task || err != nil && fault.KindOf(err) != want.kind || (err == nil) != (want.kind == "") {
			t.Errorf("%s: %q, %v", id, got.ID, err)
		}
	}
}

func TestTheContainerThatIsMeantIsTheOnlyOneOrTheOnlyEssentialOne(t *testing.T) {
	t.Parallel()
	app, side := ContainerReport{Name: "app", Essential: true}, ContainerReport{Name: "side"}
	other := ContainerReport{Name: "other", Essential: true}
	for name, tc := range map[string]struct {
		all  []ContainerReport
		name string
		want string // empty: it cannot be told
	}{
		"named":                {[]ContainerReport{app, side}, "side", "side"},
		"named, but not there": {[]ContainerReport{app}, "web", ""},
		"the only one":         {[]ContainerReport{side}, "", "side"},
		"the essential one":    {[]ContainerReport{side, app}, "", "app"},
		"two essential ones":   {[]ContainerReport{app, other}, "", ""},
	} {
		got, err := ChooseContainer(tc.all, tc.name)
		if got.Name != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s: %q, %v", name, got.Name, err)
		}
		if err != nil && !strings.Contains(fault.HintOf(err), "app") {
			t.Errorf("%s: what there is to choose from is not told: %s", name, fault.HintOf(err))
		}
	}
}

func TestTheNewestRunningTaskIsTheOneThatStartedLast(t *testing.T) {
	t.Parallel()
	tasks := []TaskReport{
		{ID: "pending", Status: TaskPending},
		{ID: "old", Status: TaskRunning, Started: noon},
		{ID: "new", Status: TaskRunning, Started: noon.Add(1)},
		{ID: "stopping", Status: TaskStopping, Started: noon.Add(2)},
	}
	if got, ok := NewestRunning(tasks); !ok || got.ID != "new" {
		t.Errorf("%q, %t", got.ID, ok)
	}
	if got, ok := NewestRunning(tasks[:1]); ok {
		t.Errorf("%q", got.ID)
	}
}
