package cli

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

type logsOptions struct {
	serviceOptions
	task, container string
	follow          bool
	since, grep     string
	tail            int
}

func (p *Program) logsCommand() *cobra.Command {
	var o logsOptions
	c := &cobra.Command{
		Use:   "logs",
		Short: "Show what the containers of a service write",
		Long: `Show what all containers of all tasks of a service have written in the last ten minutes, oldest
first: also those of tasks that have stopped, for as long as ECS tells of them. Of one task, --task
shows all that it has written. --follow goes on with what is written from then on, also by tasks that
start later, until Ctrl-C, which is how it is meant to end; with --task, until that task has stopped.

Logs are read from Amazon CloudWatch Logs, where the task definition's log driver awslogs puts them.
Of a container with another driver it is said that it cannot be read.`,
		Example: "  slipway logs\n  slipway logs --follow --grep 'level=(warn|error)'\n  slipway logs --since 2h --container web\n" +
			"  slipway logs --task 3f1c --tail 100\n  slipway logs --output json | jq -r .text",
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return p.logs(c.Context(), o) },
	}
	o.flags(c)
	f := c.Flags()
	f.StringVar(&o.task, "task", "", "only of the task with this `ID`, or the beginning of one; of any task with the whole id")
	f.StringVar(&o.container, "container", "", "only of the containers of this `NAME`")
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with what is written from now on")
	f.StringVar(&o.since, "since", "", "`DURATION|TIME` from which on, as 90m, 3d, 15:04, 2026-01-02 or 2026-01-02T15:04:05Z; 10m unless given")
	f.StringVar(&o.grep, "grep", "", "only lines that match this `REGEXP`")
	f.IntVar(&o.tail, "tail", 0, "only the last `N` lines, however old they are unless --since is given")
	return c
}

func (p *Program) logs(ctx context.Context, o logsOptions) error {
	read, err := o.read(time.Now())
	if err != nil {
		return err
	}
	target, ref, err := o.findFor(ctx, p, o.task)
	if err != nil {
		return err
	}
	w := p.logWriter(p.OutTTY)
	read.Line = w.line
	read.Say = func(text string) { p.Say("%s", p.Style(terminal.Warn, "! "+text)) }
	if err = deploy.Logs(ctx, target, ref, read); o.follow && errors.Is(err, context.Canceled) {
		err = nil // that is how it is meant to end
	}
	return err
}

// read says what the flags ask for.
func (o logsOptions) read(now time.Time) (deploy.LogOptions, error) {
	read := deploy.LogOptions{Task: o.task, Container: o.container, Follow: o.follow, Tail: o.tail}
	var err error
	if o.since != "" {
		if read.Since, err = moment(o.since, now); err != nil {
			return read, err
		}
	}
	if o.tail < 0 || o.tail > mostTail {
		return read, fault.New(fault.Invalid, "--tail %d: it must be between 1 and %d", o.tail, mostTail)
	}
	if o.grep != "" {
		if read.Match, err = regexp.Compile(o.grep); err != nil {
			return read, fault.New(fault.Invalid, "--grep: %w", err).WithHint("write it as https://github.com/google/re2/wiki/Syntax says")
		}
	}
	return read, nil
}

const mostTail = 10000

// findFor finds the service, which need not be named where a whole id of a task is.
func (o serviceOptions) findFor(ctx context.Context, p *Program, task string) (deploy.Target, rollout.ServiceRef, error) {
	const wholeID = 32
	id := task[strings.LastIndexByte(task, '/')+1:]
	if o.service != "" || o.cluster == "" || len(id) < wholeID {
		target, ref, _, err := o.find(ctx, p)
		return target, ref, err
	}
	o.service = "-" // no service is asked for anything
	target, ref, _, err := o.find(ctx, p)
	ref.Service = ""
	return target, ref, err
}

// momentForms are how a time may be written; what they leave out is taken from now.
var momentForms = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly}

// moment reads a time, or how long ago it was.
func moment(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(days(text)); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, form := range momentForms {
		if at, err := time.ParseInLocation(form, text, now.Location()); err == nil {
			return at, nil
		}
	}
	for _, form := range []string{"15:04", time.TimeOnly} {
		if at, err := time.ParseInLocation(form, text, now.Location()); err == nil {
			at = time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), at.Second(), 0, now.Location())
			if at.After(now) {
				at = at.AddDate(0, 0, -1)
			}
			return at, nil
		}
	}
	return time.Time{}, fault.New(fault.Invalid, "--since: %q is neither a duration nor a time", text).
		WithHint("write it as 90m, 3d, 15:04, 2026-01-02 or 2026-01-02T15:04:05Z")
}

// days writes a number of days in hours, which Go's durations begin with.
func days(text string) string {
	n, ok := strings.CutSuffix(text, "d")
	if !ok {
		return text
	}
	d, err := time.ParseDuration(n + "h")
	if err != nil {
		return text
	}
	return (24 * d).String()
}

// logWriter writes lines of several containers so that they can be told apart.
type logWriter struct {
	p      *Program
	colour bool
	mu     sync.Mutex
	hues   map[rollout.TaskID]int
}

func (p *Program) logWriter(colour bool) *logWriter {
	return &logWriter{p: p, colour: colour && p.Color, hues: map[rollout.TaskID]int{}}
}

func (w *logWriter) line(line rollout.OutputLine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.p.output == outputJSON {
		_ = w.p.JSONLine(line)
		return
	}
	from := shortID(line.Task) + " " + line.Container
	at := line.Time.Local().Format("2006-01-02 15:04:05.000")
	if w.colour {
		hue, ok := w.hues[line.Task]
		if !ok {
			hue = len(w.hues)
			w.hues[line.Task] = hue
		}
		from, at = w.p.Hue(hue, from), w.p.Style(terminal.Faint, at)
	}
	w.p.Print(w.p.Plain(at+" "+from+"  ") + strings.TrimRight(line.Text, "\r\n") + "\n")
}
