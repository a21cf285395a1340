package deploy

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// job is a task that runs from its second second on, for so long.
func job(begun time.Time, id string, lasts time.Duration, code int) func(age time.Duration) rollout.TaskReport {
	return func(age time.Duration) rollout.TaskReport {
		switch {
		case age < 2*time.Second:
			return task(id, rollout.TaskPending)
		case age < 2*time.Second+lasts:
			return task(id, rollout.TaskRunning)
		}
		return task(id, rollout.TaskOver, over(code, begun.Add(2*time.Second+lasts)))
	}
}

// play runs tasks once, which do what jobs say, and returns what was told.
func play(ctx context.Context, s *writers, want rollout.OneOff, opts OnceOptions) (OnceResult, []string, error) {
	var told []string
	opts.Report = func(e OnceEvent) { told = append(told, string(e.Type)+": "+e.Text) }
	want.Ref.Cluster = "qa"
	result, err := RunOnce(ctx, s, want, opts)
	return result, told, err
}

// started is a scheduler that has started tasks which take their time.
func started(lasts time.Duration, codes ...int) *writers {
	s := &writers{begun: time.Now()}
	var jobs []func(time.Duration) rollout.TaskReport
	for i, code := range codes {
		jobs = append(jobs, job(s.begun, string(rune('a'+i)), lasts, code))
	}
	s.tasks = func(age time.Duration) []rollout.TaskReport {
		var all []rollout.TaskReport
		for _, j := range jobs {
			all = append(all, j(age))
		}
		return all
	}
	s.launched = rollout.Launch{Revision: "arn:aws:ecs:r:1:task-definition/web:7", Tasks: s.tasks(0)}
	return s
}

func TestTasksThatRunOnceAreFollowedToTheirEnd(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		codes   []int
		count   int
		outcome rollout.OneOffOutcome
		code    int
	}{
		"one that exits with 0":        {[]int{0}, 1, rollout.Succeeded, 0},
		"two, of which one fails":      {[]int{0, 5}, 2, rollout.Unsuccessful, 5},
		"two, and one without a place": {[]int{0, 0}, 3, rollout.Unsuccessful, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := started(10*time.Second, tc.codes...)
				s.lines = []written{{at: 3 * time.Second, arrives: 3 * time.Second, task: "a", text: "first"}, {at: 11 * time.Second, arrives: 14 * time.Second, task: "a", text: "last"}}
				s.evidence = []rollout.Evidence{{Kind: rollout.ContainerExit, New: true, Task: "b", Container: "app", Points: rollout.Crash}}
				result, told, err := play(t.Context(), s, rollout.OneOff{Count: tc.count}, OnceOptions{})
				if err != nil || result.Outcome != tc.outcome || result.ExitCode != tc.code || len(s.wants) != 1 {
					t.Errorf("%s, %d, %v, asked %d times", result.Outcome, result.ExitCode, err, len(s.wants))
				}
				first, last := slices.Index(told, "log: first"), slices.Index(told, "log: last")
				if first < 0 || last < first {
					t.Errorf("told %q", told)
				}
				if end := told[len(told)-1]; !strings.HasPrefix(end, "result: ") {
					t.Errorf("the last is %q", end)
				}
				if (result.Diagnosis != nil) != (tc.outcome == rollout.Unsuccessful) {
					t.Errorf("diagnosis %+v", result.Diagnosis)
				}
				if s.age() > 25*time.Second {
					t.Errorf("it took %v", s.age())
				}
			})
		})
	}
}

func TestNothingThatFoundAPlaceIsAFailureWithItsCause(t *testing.T) {
	t.Parallel()
	s := &writers{begun: time.Now(), launched: rollout.Launch{Failures: []rollout.Evidence{
		{Kind: rollout.NoPlace, New: true, Points: rollout.NoMemory, Text: "RESOURCE:MEMORY"},
	}}}
	result, told, err := play(t.Context(), s, rollout.OneOff{Count: 1}, OnceOptions{})
	if err != nil || result.Outcome != rollout.Unsuccessful || result.ExitCode != 1 || result.Diagnosis == nil || result.Diagnosis.Cause != rollout.NoMemory {
		t.Errorf("%+v, %v, told %q", result, err, told)
	}
}

func TestDetachedTasksAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := started(time.Hour, 0, 0)
		result, _, err := play(t.Context(), s, rollout.OneOff{Count: 2}, OnceOptions{Detach: true})
		if err != nil || result.Outcome != rollout.Detached || s.age() > 0 {
			t.Errorf("%s after %v, %v", result.Outcome, s.age(), err)
		}
		result, _, err = play(t.Context(), s, rollout.OneOff{Count: 3}, OnceOptions{Detach: true})
		if err != nil || result.Outcome != rollout.Unsuccessful || result.ExitCode != 1 {
			t.Errorf("%s, %d, %v", result.Outcome, result.ExitCode, err)
		}
	})
}

func TestTasksWhoseTimeIsUpAreStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := started(20*time.Second, 143)
		result, _, err := play(t.Context(), s, rollout.OneOff{Count: 1}, OnceOptions{Timeout: 10 * time.Second})
		if err != nil || result.Outcome != rollout.Overdue || !slices.Equal(s.stopped, []rollout.TaskID{"a"}) {
			t.Errorf("%s, %v, stopped %v", result.Outcome, err, s.stopped)
		}
	})
}

func TestAnInterruptionLeavesTasksUnlessTheyAreToBeStopped(t *testing.T) {
	t.Parallel()
	yes := func() bool { return true }
	for name, tc := range map[string]struct {
		opts    OnceOptions
		stopped int
	}{
		"left": {OnceOptions{}, 0}, "stopped": {OnceOptions{StopOnInterrupt: true}, 1}, "stopped after all": {OnceOptions{StopAfterAll: yes}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := started(15*time.Second, 0)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				result, told, err := play(ctx, s, rollout.OneOff{Count: 1}, tc.opts)
				if err != nil || result.Outcome != rollout.Abandoned || len(s.stopped) != tc.stopped {
					t.Errorf("%s, %v, stopped %v", result.Outcome, err, s.stopped)
				}
				if rollout.Over(result.Tasks) != (tc.stopped > 0) {
					t.Errorf("told %q", told)
				}
			})
		})
	}
}

func TestATaskThatTheSchedulerDoesNotKnowYetIsWaitedForAndNotForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := started(10*time.Second, 0)
		known := s.tasks
		s.tasks = func(age time.Duration) []rollout.TaskReport {
			if age < 5*time.Second {
				return nil
			}
			return known(age)
		}
		if result, _, err := play(t.Context(), s, rollout.OneOff{Count: 1}, OnceOptions{}); err != nil || result.Outcome != rollout.Succeeded {
			t.Errorf("%s, %v", result.Outcome, err)
		}
		s.begun = time.Now()
		s.tasks = func(time.Duration) []rollout.TaskReport { return nil }
		if _, _, err := play(t.Context(), s, rollout.OneOff{Count: 1}, OnceOptions{}); fault.KindOf(err) != fault.NotFound {
			t.Error(err)
		}
	})
}
