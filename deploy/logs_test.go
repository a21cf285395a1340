package deploy

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// writers is a scheduler with tasks that write, told by time: what is written and what the tasks are follows from how long it is
// since the beginning.
type writers struct {
	Target // it deploys nothing
	begun  time.Time
	tasks  func(age time.Duration) []rollout.TaskReport
	lines  []written
	fails  func(age time.Duration) error // reading logs

	evidence []rollout.Evidence
	launched rollout.Launch
	wants    []rollout.OneOff
	stopped  []rollout.TaskID
	reads    int
}

// written is a line, and when it can be read first.
type written struct {
	at, arrives time.Duration
	task, text  string
}

func (s *writers) age() time.Duration { return time.Since(s.begun) }

func (s *writers) TaskReports(_ context.Context, _ rollout.ServiceRef, q rollout.TaskQuery) ([]rollout.TaskReport, error) {
	all := s.tasks(s.age())
	if len(q.IDs) > 0 {
		all = slices.DeleteFunc(all, func(t rollout.TaskReport) bool { return !slices.Contains(q.IDs, t.ID) })
	}
	return all, nil
}

func (s *writers) ReadLogs(_ context.Context, from []rollout.LogOf, since time.Time) iter.Seq2[rollout.OutputLine, error] {
	s.reads++
	return func(yield func(rollout.OutputLine, error) bool) {
		if s.fails != nil {
			if err := s.fails(s.age()); err != nil && !yield(rollout.OutputLine{}, err) {
				return
			}
		}
		for i, l := range s.lines {
			read := slices.ContainsFunc(from, func(of rollout.LogOf) bool { return string(of.Task) == l.task })
			at := s.begun.Add(l.at)
			if !read || at.Before(since) || s.age() < l.arrives {
				continue
			}
			if !yield(rollout.OutputLine{Time: at, Task: rollout.TaskID(l.task), Container: "app", Text: l.text, ID: fmt.Sprint(i)}, nil) {
				return
			}
		}
	}
}

func (s *writers) TailLogs(_ context.Context, of rollout.LogOf, since time.Time, n int) ([]rollout.OutputLine, error) {
	var lines []rollout.OutputLine
	for _, l := range s.lines {
		if at := s.begun.Add(l.at); l.task == string(of.Task) && !at.Before(since) && s.age() >= l.arrives {
			lines = append(lines, rollout.OutputLine{Time: at, Task: of.Task, Container: "app", Text: l.text})
		}
	}
	return lines[max(0, len(lines)-n):], nil
}

func (s *writers) RunOnce(_ context.Context, want rollout.OneOff) (rollout.Launch, error) {
	s.wants = append(s.wants, want)
	return s.launched, nil
}

func (s *writers) StopTask(_ context.Context, _ rollout.ClusterName, id rollout.TaskID, _ string) error {
	s.stopped = append(s.stopped, id)
	return nil
}

func (s *writers) TaskEvidence(context.Context, rollout.ClusterName, []rollout.TaskID) ([]rollout.Evidence, error) {
	return s.evidence, nil
}

// task is one whose output can be read.
func task(id string, status rollout.TaskStatus, changes ...func(*rollout.TaskReport)) rollout.TaskReport {
	t := rollout.TaskReport{ID: rollout.TaskID(id), Status: status, Created: time.Now().Add(-time.Hour), Containers: []rollout.ContainerReport{
		{Name: "app", Essential: true, Status: status, Log: rollout.LogSource{Group: "g", Stream: id}},
	}}
	for _, change := range changes {
		change(&t)
	}
	return t
}

// over is the end of a task, with its container's code.
func over(code int, at time.Time) func(*rollout.TaskReport) {
	return func(t *rollout.TaskReport) {
		t.Status, t.End, t.Stopped = rollout.TaskOver, rollout.EndExited, at
		t.Containers[0].ExitCode = &code
	}
}

func running(ids ...string) func(time.Duration) []rollout.TaskReport {
	return func(time.Duration) []rollout.TaskReport {
		var all []rollout.TaskReport
		for _, id := range ids {
			all = append(all, task(id, rollout.TaskRunning))
		}
		return all
	}
}

// reading reads logs and returns the lines and what was said besides.
func reading(ctx context.Context, s *writers, opts LogOptions) (lines, said []string, err error) {
	opts.Line = func(l rollout.OutputLine) { lines = append(lines, l.Text) }
	opts.Say = func(text string) { said = append(said, text) }
	err = Logs(ctx, s, rollout.ServiceRef{Cluster: "qa", Service: "web"}, opts)
	return lines, said, err
}

func TestLogsAreReadAsTheOptionsSay(t *testing.T) {
	t.Parallel()
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	for name, tc := range map[string]struct {
		opts  func(now time.Time) LogOptions
		lines []string
		said  string
		kind  fault.Kind
	}{
		"the last ten minutes":    {opts: func(time.Time) LogOptions { return LogOptions{} }, lines: []string{"b 1", "a 2", "b 2"}},
		"since a time":            {opts: func(now time.Time) LogOptions { return LogOptions{Since: now.Add(-minutes(31))} }, lines: []string{"a 1", "b 1", "a 2", "b 2"}},
		"what matches":            {opts: func(time.Time) LogOptions { return LogOptions{Match: regexp.MustCompile(`2$`)} }, lines: []string{"a 2", "b 2"}},
		"the last, however old":   {opts: func(time.Time) LogOptions { return LogOptions{Tail: 4} }, lines: []string{"a 1", "b 1", "a 2", "b 2"}},
		"the last two":            {opts: func(time.Time) LogOptions { return LogOptions{Tail: 2} }, lines: []string{"a 2", "b 2"}},
		"of one task, all":        {opts: func(time.Time) LogOptions { return LogOptions{Task: "a"} }, lines: []string{"a 1", "a 2"}},
		"of a container":          {opts: func(time.Time) LogOptions { return LogOptions{Container: "app"} }, lines: []string{"b 1", "a 2", "b 2"}},
		"of one that isn't there": {opts: func(time.Time) LogOptions { return LogOptions{Container: "db"} }, kind: fault.Invalid},
		"of no such task":         {opts: func(time.Time) LogOptions { return LogOptions{Task: "x"} }, kind: fault.NotFound},
		"nothing since then":      {opts: func(now time.Time) LogOptions { return LogOptions{Since: now} }, said: "nothing was written since"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &writers{begun: time.Now(), tasks: running("a", "b"), lines: []written{
					{at: -minutes(30), task: "a", text: "a 1"},
					{at: -minutes(9), task: "b", text: "b 1"},
					{at: -minutes(8), task: "a", text: "a 2"},
					{at: -minutes(7), task: "b", text: "b 2"},
					{at: -minutes(1), task: "other", text: "c"},
				}}
				lines, said, err := reading(t.Context(), s, tc.opts(time.Now()))
				if diff := cmp.Diff(tc.lines, lines); diff != "" {
					t.Error(diff)
				}
				if !strings.Contains(strings.Join(said, "\n"), tc.said) || err != nil && fault.KindOf(err) != tc.kind || (err == nil) != (tc.kind == "") {
					t.Errorf("said %q, %v", said, err)
				}
			})
		})
	}
}

func TestFollowingMissesNoLineThatArrivesLateAndTellsNoneTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		second := func(n int) time.Duration { return time.Duration(n) * time.Second }
		s := &writers{
			begun: time.Now(),
			tasks: func(age time.Duration) []rollout.TaskReport {
				if age < second(20) {
					return running("a")(age)
				}
				return running("a", "new")(age)
			},
			lines: []written{
				{at: second(1), arrives: second(13), task: "a", text: "held back"},
				{at: second(5), arrives: second(5), task: "a", text: "at once"},
				{at: second(21), arrives: second(24), task: "new", text: "of a task that started later"},
			},
			fails: func(age time.Duration) error {
				if age > second(8) && age < second(12) {
					return fault.New(fault.Throttled, "slow down")
				}
				return nil
			},
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		lines, said, err := reading(ctx, s, LogOptions{Follow: true})
		if diff := cmp.Diff([]string{"at once", "held back", "of a task that started later"}, lines); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if !slices.Contains(said, "slow down; trying again") {
			t.Errorf("said %q", said)
		}
		if s.reads > 60 || s.reads < 15 {
			t.Errorf("read %d times within a minute", s.reads)
		}
	})
}

func TestFollowingOneTaskEndsSomeTimeAfterThatHasStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s := &writers{
			begun: begun,
			tasks: func(age time.Duration) []rollout.TaskReport {
				if age < 10*time.Second {
					return running("a")(age)
				}
				return []rollout.TaskReport{task("a", rollout.TaskOver, over(3, begun.Add(10*time.Second)))}
			},
			lines: []written{{at: 9 * time.Second, arrives: 14 * time.Second, task: "a", text: "last words"}},
		}
		lines, said, err := reading(t.Context(), s, LogOptions{Follow: true, Task: "a"})
		if diff := cmp.Diff([]string{"last words"}, lines); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if !slices.Contains(said, "task a has stopped: app exited with code 3") || s.age() > 30*time.Second {
			t.Errorf("after %v said %q", s.age(), said)
		}
	})
}

func TestLogsThatCannotBeReadAreToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		elsewhere := func(r *rollout.TaskReport) { r.Containers[0].Log = rollout.LogSource{Driver: "awsfirelens"} }
		s := &writers{begun: time.Now(), tasks: func(time.Duration) []rollout.TaskReport {
			return []rollout.TaskReport{task("a", rollout.TaskRunning, elsewhere), task("b", rollout.TaskRunning, elsewhere)}
		}}
		_, said, err := reading(t.Context(), s, LogOptions{})
		if diff := cmp.Diff([]string{"container app writes its log with the driver awsfirelens, which cannot be read here"}, said); diff != "" {
			t.Error(diff)
		}
		if fault.KindOf(err) != fault.NotFound {
			t.Error(err)
		}
	})
}

func TestASchedulerThatCannotDoItSaysSo(t *testing.T) {
	t.Parallel()
	unable := struct{ Target }{}
	_, tasks := Tasks(t.Context(), unable, rollout.ServiceRef{}, false)
	_, exec := Exec(t.Context(), unable, rollout.ServiceRef{}, ExecOptions{})
	_, once := RunOnce(t.Context(), unable, rollout.OneOff{}, OnceOptions{})
	for _, err := range []error{tasks, exec, once, Logs(t.Context(), unable, rollout.ServiceRef{}, LogOptions{})} {
		if fault.KindOf(err) != fault.Refused {
			t.Error(err)
		}
	}
}
