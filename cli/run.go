package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
	"github.com/slipway-cd/slipway/version"
)

type runOptions struct {
	serviceOptions
	container       string
	env             []string
	cpu, memory     int
	count           int
	detach          bool
	stopOnInterrupt bool
	timeout         time.Duration
}

func (p *Program) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run [VERSION] [flags] [-- COMMAND [ARGUMENT...]]",
		Short: "Run a task once, with the settings of a service",
		Long: `Run a task once, to its end: a migration, a job, a look around. It has the task definition that the
service runs, or that of a published VERSION, which is registered if it is not yet; and the service's
network, capacity and placement, or those that the VERSION's documents name. The service itself is not
changed. Standard output is what the containers write.

The exit code is that of the first essential container that did not exit with 0: 0 when all did. A
container that SIGTERM ended after another essential one had exited counts for nothing: ECS stops the
rest of a task then. It is 1 when a task found no place, did not start or was stopped by somebody; 6
when the time was up, and the tasks were stopped. Why it failed is told.

Ctrl-C leaves the tasks running and says how to see them again: exit code 130. Pressed again soon it
stops them, as --stop-on-interrupt does at once.

--cpu and --memory are the task's where its definition gives it sizes, as on Fargate; else the
container's. --env, --cpu, --memory and COMMAND are for the only container, or the only essential one,
unless --container names another.`,
		Example: "  slipway run -- ./manage.py migrate\n  slipway run 1.0.16.RELEASE --environment qa -- migrate up\n" +
			"  slipway run --env BATCH=7 --env TOKEN --memory 2048 --timeout 1h -- ./batch\n  slipway run --detach --count 4",
		RunE: func(c *cobra.Command, args []string) error {
			name, command, err := runArguments(c, args)
			if err != nil {
				return err
			}
			return p.runOnce(c.Context(), o, name, command)
		},
	}
	o.flags(c)
	f := c.Flags()
	f.StringVar(&o.container, "container", "", "`NAME` of the container that --env, --cpu, --memory and COMMAND are for")
	f.StringArrayVar(&o.env, "env", nil, "`NAME=VALUE` of an environment variable, or NAME to pass on this command's own; may be repeated")
	f.IntVar(&o.cpu, "cpu", 0, "`UNITS` of CPU, 1024 to one")
	f.IntVar(&o.memory, "memory", 0, "`MIB` of memory")
	f.IntVar(&o.count, "count", 1, "`N` tasks at once, 10 at the most")
	f.BoolVar(&o.detach, "detach", false, "start it, write its id, and don't wait")
	f.BoolVar(&o.stopOnInterrupt, "stop-on-interrupt", false, "stop it on Ctrl-C and SIGTERM, instead of leaving it")
	f.DurationVar(&o.timeout, "timeout", 0, "`DURATION` after which it is stopped; never unless given")
	return c
}

// runArguments tells the version from the command, which follows --.
func runArguments(c *cobra.Command, args []string) (name string, command []string, err error) {
	if at := c.ArgsLenAtDash(); at >= 0 {
		args, command = args[:at], args[at:]
	}
	switch {
	case len(args) > 1:
		return "", nil, misused(c, "", "%s takes one VERSION, and a command after --, found %q", c.CommandPath(), strings.Join(args, " "))
	case len(args) == 1:
		name = args[0]
	}
	return name, command, nil
}

func (p *Program) runOnce(ctx context.Context, o runOptions, name string, command []string) error {
	want, err := o.oneOff(p, command)
	if err != nil {
		return err
	}
	target, ref, err := o.beside(ctx, p, name)
	if err != nil {
		return err
	}
	want.Ref = ref
	view := &onceView{p: p, detach: o.detach}
	result, err := deploy.RunOnce(ctx, target, want, deploy.OnceOptions{
		Timeout: o.timeout, Detach: o.detach, StopOnInterrupt: o.stopOnInterrupt, StopAfterAll: p.stopAfterAll, Report: view.report,
	})
	if err != nil {
		view.leave()
		return err
	}
	if code := onceExit(result); code != exitDone {
		return quiet{code}
	}
	return nil
}

func onceExit(r deploy.OnceResult) int {
	switch r.Outcome {
	case rollout.Succeeded, rollout.Detached:
		return exitDone
	case rollout.Overdue:
		return exitTimedOut
	case rollout.Abandoned:
		return exitInterrupted
	}
	return exitOf(r.ExitCode)
}

// mostTasks is how many tasks one request starts. [API reference, RunTask, count]
const mostTasks = 10

// oneOff says what the flags ask for.
func (o runOptions) oneOff(p *Program, command []string) (rollout.OneOff, error) {
	want := rollout.OneOff{
		Container: o.container, Command: command, CPU: o.cpu, Memory: o.memory, Count: o.count,
		Token: rand.Text(), // of this very call: what the SDK sends again is started once
	}
	switch {
	case o.count < 1 || o.count > mostTasks:
		return want, fault.New(fault.Invalid, "--count %d: it must be between 1 and %d", o.count, mostTasks)
	case o.cpu < 0 || o.memory < 0:
		return want, fault.New(fault.Invalid, "--cpu and --memory must be more than 0")
	case o.detach && o.timeout > 0:
		return want, fault.New(fault.Invalid, "--timeout does nothing with --detach: nobody would be there to stop the task")
	}
	for _, text := range o.env {
		v, err := p.envVariable(text)
		if err != nil {
			return want, err
		}
		want.Env = append(want.Env, v)
	}
	return want, nil
}

// envVariable reads NAME=VALUE, or takes the value of NAME from this command's own environment.
func (p *Program) envVariable(text string) (rollout.Variable, error) {
	name, value, given := strings.Cut(text, "=")
	if name == "" {
		return rollout.Variable{}, fault.New(fault.Invalid, "--env %q has no name", text).WithHint("write it as NAME=VALUE")
	}
	if given {
		return rollout.Variable{Name: name, Value: value}, nil
	}
	for _, e := range p.Environ {
		if n, v, _ := strings.Cut(e, "="); n == name {
			value, given = v, true
		}
	}
	if !given {
		return rollout.Variable{}, fault.New(fault.Invalid, "--env %s: this command's environment has no such variable", name).
			WithHint("write it as %s=VALUE", name)
	}
	return rollout.Variable{Name: name, Value: value}, nil
}

// beside finds the service that a task runs beside, with the documents of a published version if one is named.
func (o runOptions) beside(ctx context.Context, p *Program, name string) (deploy.Target, rollout.ServiceRef, error) {
	if name == "" {
		target, ref, _, err := o.find(ctx, p)
		return target, ref, err
	}
	v, err := version.Parse(name)
	if err != nil {
		return nil, rollout.ServiceRef{}, fault.New(fault.KindOf(err), "%w", err).
			WithHint("a command follows --, as in `slipway run -- %s`", name)
	}
	w, err := p.workspace(ctx, o.projectOptions)
	if err != nil {
		return nil, rollout.ServiceRef{}, err
	}
	env, err := w.Project.Environment(config.EnvironmentName(o.environment))
	if err != nil {
		return nil, rollout.ServiceRef{}, err
	}
	wish, err := (installOptions{projectOptions: o.projectOptions}).wish(ctx, w, env, v)
	if err != nil {
		return nil, rollout.ServiceRef{}, err
	}
	ref := wish.Desired.Ref
	if o.cluster != "" {
		ref.Cluster = rollout.ClusterName(o.cluster)
	}
	if o.service != "" {
		ref.Service = rollout.ServiceName(o.service)
	}
	target, err := app.Target(ctx, env.Scheduler, o.targetOptions.options(env))
	return target, ref, err
}

// regret is how long after an interruption a second one has the tasks stopped.
const regret = 5 * time.Second

// stopAfterAll asks somebody at a terminal whether tasks that go on should be stopped.
func (p *Program) stopAfterAll() bool {
	if !p.ErrTTY {
		return false
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt)
	defer signal.Stop(again)
	p.Say("%s", p.Style(terminal.Warn, fmt.Sprintf("interrupted: the task goes on. Press Ctrl-C again within %v to stop it", regret)))
	patience := time.NewTimer(regret)
	defer patience.Stop()
	select {
	case <-again:
		return true
	case <-patience.C:
		return false
	}
}

// onceView tells what happens to tasks that run once.
type onceView struct {
	p       *Program
	detach  bool
	cluster rollout.ClusterName
	tasks   []rollout.TaskReport
	written bool       // a line
	logs    *logWriter // nil: one container writes, and nothing has to be told apart
}

func (v *onceView) report(e deploy.OnceEvent) {
	if e.Type == deploy.OnceStarted {
		v.begin(e)
	}
	if v.p.output == outputJSON {
		_ = v.p.JSONLine(e)
		return
	}
	switch e.Type {
	case deploy.OnceWrote:
		v.line(*e.Line)
	case deploy.OnceTrouble:
		v.p.Say("%s", v.p.Style(terminal.Warn, "! "+e.Text))
	case deploy.OnceDiagnosed:
		if e.Diagnosis.Cause == rollout.Crash && v.written {
			return // the program has said itself what is wrong, and its code has been told
		}
		for _, line := range v.p.diagnosis(e.Diagnosis) {
			v.p.Say("%s", line)
		}
	case deploy.OnceEnded:
		v.end(e)
	default:
		v.p.Say("%s", e.Text)
	}
}

func (v *onceView) begin(e deploy.OnceEvent) {
	v.cluster, v.tasks = e.Cluster, e.Tasks
	written := 0
	for _, t := range e.Tasks {
		for _, c := range t.Containers {
			if c.Log.Readable() {
				written++
			}
		}
		if v.detach && v.p.output != outputJSON {
			v.p.Printf("%s\n", t.ID)
		}
	}
	if written > 1 {
		v.logs = v.p.logWriter(v.p.OutTTY)
	}
}

func (v *onceView) line(line rollout.OutputLine) {
	v.written = true
	if v.logs != nil {
		v.logs.line(line)
		return
	}
	v.p.Print(strings.TrimRight(line.Text, "\r\n") + "\n")
}

func (v *onceView) end(e deploy.OnceEvent) {
	tone := terminal.Bad
	if onceExit(*e.Result) == exitDone {
		tone = terminal.Good
	}
	v.tasks = e.Result.Tasks
	v.p.Say("%s", v.p.Style(tone, e.Text))
	if e.Result.Outcome == rollout.Abandoned || e.Result.Outcome == rollout.Detached {
		v.leave()
	}
}

// leave says how to see again what goes on by itself.
func (v *onceView) leave() {
	if v.p.output == outputJSON {
		return
	}
	for _, t := range v.tasks {
		if t.Status != rollout.TaskOver {
			v.p.Say("       see it with `slipway logs --cluster %s --task %s --follow`", v.cluster, t.ID)
		}
	}
}
