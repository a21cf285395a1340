package cli

import (
	"bytes"
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

type execOptions struct {
	serviceOptions
	task, container string
}

func (p *Program) execCommand() *cobra.Command {
	var o execOptions
	c := &cobra.Command{
		Use:   "exec [flags] [--] [COMMAND [ARGUMENT...]]",
		Short: "Run a command in a container of a service",
		Long: `Run a command, a shell (/bin/sh) unless one is given, in a container of the running task that was
started last, or of the one that is named. Of several containers the only essential one is taken.

On a terminal the command has it: keys go there as they are, Ctrl-C too. Elsewhere standard input is
what is typed, up to its end. There is a terminal on the command's side in either case, as Amazon ECS
has it: what is typed is echoed unless the command prevents that, and bytes that are no text don't get
through unharmed.

The exit code is the command's where it is told. Amazon ECS doesn't tell it, and then it is 0.
The service must have enableExecuteCommand. The Session Manager plugin is not needed.`,
		Example: "  slipway exec\n  slipway exec ls -la /var/log\n  slipway exec --task 3f1c --container web -- sh -c 'echo $HOSTNAME'\n" +
			"  slipway exec cat /etc/hosts > hosts",
		RunE: func(c *cobra.Command, args []string) error { return p.exec(c.Context(), o, args) },
	}
	o.flags(c)
	f := c.Flags()
	f.StringVar(&o.task, "task", "", "in the task with this `ID`, or the beginning of one; the newest that runs unless given")
	f.StringVar(&o.container, "container", "", "in the container of this `NAME`")
	f.SetInterspersed(false) // what follows the command's name is the command's
	return c
}

func (p *Program) exec(ctx context.Context, o execOptions, command []string) error {
	target, ref, err := o.findFor(ctx, p, o.task)
	if err != nil {
		return err
	}
	run := deploy.ExecOptions{Task: o.task, Container: o.container, Command: command, Out: p.Out, Talk: p.Err}
	if len(command) == 0 {
		run.Command = []string{"/bin/sh"}
	}
	if !p.OutTTY {
		run.Out = &plainLines{to: p.Out}
	}
	console := p.console()
	run.In = console.in
	sizes := make(chan rollout.WindowSize, 1)
	run.Sizes = sizes
	var restore func()
	run.Chosen = func(task rollout.TaskReport, container string) {
		if p.ErrTTY {
			p.Say("%s", p.Style(terminal.Faint, "container "+container+" of task "+string(task.ID)))
		}
		restore = console.begin(ctx, sizes) // as late as this: what goes wrong before is told on a terminal as it was
	}
	code, err := deploy.Exec(ctx, target, ref, run)
	if restore != nil {
		restore()
	}
	switch {
	case err != nil:
		return err
	case code < 0:
		if len(command) > 0 {
			p.Say("%s", p.Style(terminal.Faint, "the session has ended; which exit code the command had is not told"))
		}
		return nil
	case code > 0:
		return quiet{exitOf(code)}
	}
	return nil
}

// exitOf returns the exit code of a process as ours: only its lowest eight bits get through, and none of them may be lost
// altogether.
func exitOf(code int) int {
	if code&0xff == 0 && code != 0 {
		return exitError
	}
	return code & 0xff
}

// console is where commands are typed.
type console struct {
	in   io.Reader
	file *os.File // the terminal; nil: there is none
}

func (p *Program) console() console {
	c := console{in: p.In}
	if f, ok := p.In.(*os.File); ok && p.OutTTY && term.IsTerminal(int(f.Fd())) {
		c.file = f
	}
	return c
}

// The size that a command is told whose output nobody looks at: wide, so that it breaks no lines.
const (
	widest  = 300
	highest = 100
)

// begin hands the terminal over to a command on the other side, and returns what takes it back.
func (c console) begin(ctx context.Context, sizes chan<- rollout.WindowSize) (end func()) {
	if c.file == nil {
		sizes <- rollout.WindowSize{Columns: widest, Rows: highest}
		return func() {}
	}
	fd := int(c.file.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		before = nil // it is no terminal after all: lines will do
	}
	stop := c.watch(ctx, sizes)
	return func() {
		stop()
		if before != nil {
			_ = term.Restore(fd, before)
		}
	}
}

// size is that of the terminal.
func (c console) size() (rollout.WindowSize, error) {
	columns, rows, err := term.GetSize(int(c.file.Fd()))
	if err != nil {
		return rollout.WindowSize{}, fault.New(fault.Internal, "the terminal doesn't tell its size: %w", err)
	}
	return rollout.WindowSize{Columns: columns, Rows: rows}, nil
}

// plainLines ends lines as programs do that write no terminal: without the carriage return that the terminal on the other
// side adds.
type plainLines struct {
	to   io.Writer
	held bool // a carriage return that may belong to a line's end
}

func (w *plainLines) Write(b []byte) (int, error) {
	n := len(b)
	if w.held {
		b = append([]byte{'\r'}, b...)
	}
	if w.held = bytes.HasSuffix(b, []byte{'\r'}); w.held {
		b = b[:len(b)-1]
	}
	if _, err := w.to.Write(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))); err != nil {
		return 0, err
	}
	return n, nil
}
