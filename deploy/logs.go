package deploy

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// LogReader is a target whose containers' output can be read.
type LogReader interface {
	TaskReporter
	// ReadLogs yields what containers have written since a time, the oldest first. Output that is not there yet has no
	// lines. An error may be followed by lines of others.
	ReadLogs(ctx context.Context, from []rollout.LogOf, since time.Time) iter.Seq2[rollout.OutputLine, error]
	// TailLogs returns the last lines that one container has written since a time, n of them at the most, oldest first.
	TailLogs(ctx context.Context, of rollout.LogOf, since time.Time, n int) ([]rollout.OutputLine, error)
}

// LogOptions say what to read of a service's logs.
type LogOptions struct {
	Task      string         // only of this one; empty: of all, those that have stopped included
	Container string         // only of this one; empty: of all
	Since     time.Time      // zero: Recently; of one task: all that it has written
	Tail      int            // only the last so many lines of all, however old they are unless Since is given; 0: all
	Match     *regexp.Regexp // only lines that match; nil: all
	Follow    bool           // go on until the context ends, or, with Task, until that has stopped

	Line func(rollout.OutputLine) // is given each line
	Say  func(text string)        // is told what else there is to know
}

// Recently is how far back logs are read when nobody says so.
const Recently = 10 * time.Minute

// logs is the output of some tasks being read.
type logs struct {
	reader LogReader
	ref    rollout.ServiceRef
	opts   LogOptions
	task   rollout.TaskReport // the one that is meant, if one is
	seen   *recent
	told   map[string]bool
	lines  int
	from   []rollout.LogOf
}

// Logs reads what the containers of a service have written, and, when it is to follow them, what they write.
func Logs(ctx context.Context, target Target, ref rollout.ServiceRef, opts LogOptions) error {
	reader, err := capability[LogReader](target, "read logs")
	if err != nil {
		return err
	}
	l := &logs{reader: reader, ref: ref, opts: opts, told: map[string]bool{}}
	since, err := l.begin(ctx)
	if err != nil {
		return err
	}
	l.seen = newRecent(since)
	if opts.Tail > 0 {
		if err := l.tail(ctx, since); err != nil {
			return err
		}
	} else if err := l.read(ctx); err != nil {
		return err
	}
	if opts.Follow {
		return l.follow(ctx)
	}
	if l.lines == 0 {
		l.say("nothing was written since %s: --since looks further back", since.Local().Format(time.DateTime))
	}
	return nil
}

// begin finds out what there is to read, and since when.
func (l *logs) begin(ctx context.Context) (since time.Time, err error) {
	since = l.opts.Since
	var tasks []rollout.TaskReport
	if l.opts.Task != "" {
		if l.task, err = findTask(ctx, l.reader, l.ref, l.opts.Task); err != nil {
			return since, err
		}
		tasks = []rollout.TaskReport{l.task}
		if since.IsZero() {
			since = l.task.Created
		}
	} else if tasks, err = l.reader.TaskReports(ctx, l.ref, rollout.TaskQuery{Stopped: true}); err != nil {
		return since, err
	}
	if since.IsZero() && l.opts.Tail == 0 {
		since = time.Now().Add(-Recently)
	}
	return since, l.choose(tasks)
}

// choose says whose output is read. What cannot be read is told once.
func (l *logs) choose(tasks []rollout.TaskReport) error {
	l.from = nil
	names, unreadable := map[string]bool{}, 0
	for _, t := range tasks {
		for _, c := range t.Containers {
			names[c.Name] = true
			switch {
			case l.opts.Container != "" && c.Name != l.opts.Container:
			case !c.Log.Readable():
				unreadable++
				l.once(unreadableLog(c))
			case c.Log.Stream != "" && begun(t):
				l.from = append(l.from, rollout.LogOf{Task: t.ID, Container: c.Name, Source: c.Log})
			}
		}
	}
	switch {
	case l.opts.Container != "" && len(tasks) > 0 && !names[l.opts.Container]:
		return fault.New(fault.Invalid, "there is no container %q", l.opts.Container).WithHint("choose one of %s", sorted(names))
	case len(l.from) == 0 && unreadable > 0 && !l.opts.Follow:
		return fault.New(fault.NotFound, "none of these containers writes a log that can be read here").
			WithHint("give them the log driver awslogs, with awslogs-group and awslogs-stream-prefix")
	}
	return nil
}

// begun reports that a task's containers may have written something.
func begun(t rollout.TaskReport) bool { return t.Status != rollout.TaskPending }

func unreadableLog(c rollout.ContainerReport) string {
	if c.Log.Driver == "" {
		return fmt.Sprintf("container %s has no logConfiguration: what it writes stays on its machine and cannot be read here", c.Name)
	}
	return fmt.Sprintf("container %s writes its log with the driver %s, which cannot be read here", c.Name, c.Log.Driver)
}

func sorted(names map[string]bool) string {
	var list []string
	for name := range names {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

func (l *logs) say(format string, args ...any) {
	if l.opts.Say != nil {
		l.opts.Say(fmt.Sprintf(format, args...))
	}
}

func (l *logs) once(text string) {
	if !l.told[text] {
		l.told[text] = true
		l.say("%s", text)
	}
}

func (l *logs) line(line rollout.OutputLine) {
	if l.opts.Match == nil || l.opts.Match.MatchString(line.Text) {
		l.lines++
		l.opts.Line(line)
	}
}

// read passes on what is new since the last time.
func (l *logs) read(ctx context.Context) error {
	for line, err := range l.reader.ReadLogs(ctx, l.from, l.seen.since()) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if fault.KindOf(err) == fault.NotFound && err != nil { // its log group may still come, as far as it is made when needed
			l.once(err.Error())
			continue
		}
		if err != nil {
			return err
		}
		if l.seen.add(line) {
			l.line(line)
		}
	}
	l.seen.forget()
	return nil
}

// tail passes on the last lines of all, of which no more than are asked for are kept at any time.
func (l *logs) tail(ctx context.Context, since time.Time) error {
	var newest []rollout.OutputLine
	for _, of := range l.from {
		lines, err := l.reader.TailLogs(ctx, of, since, l.opts.Tail)
		if fault.KindOf(err) == fault.NotFound && err != nil {
			l.once(err.Error())
			continue
		}
		if err != nil {
			return err
		}
		newest = append(newest, lines...)
		slices.SortStableFunc(newest, func(a, b rollout.OutputLine) int { return cmp.Compare(a.Time.UnixNano(), b.Time.UnixNano()) })
		newest = slices.Clone(newest[max(0, len(newest)-l.opts.Tail):])
	}
	for _, line := range newest {
		l.line(line)
	}
	if n := len(newest); n > 0 {
		l.seen = newRecent(newest[n-1].Time.Add(time.Millisecond)) // what is written in this very millisecond may be missed
	} else {
		l.seen = newRecent(time.Now())
	}
	return nil
}
