package deploy

import (
	"context"
	"fmt"
	"io"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// Executor is a target that runs commands in containers that are running.
type Executor interface {
	TaskReporter
	// Execute runs a command with a terminal on its side, until it ends. What is typed comes from in, what it prints goes to
	// out, what is said of the session goes to talk; sizes are those of the terminal on this side, nil without one. It
	// returns the command's exit code, -1 where the scheduler doesn't tell.
	Execute(ctx context.Context, what rollout.Execution, in io.Reader, out, talk io.Writer, sizes <-chan rollout.WindowSize) (int, error)
}

// ExecOptions say what to run, and where.
type ExecOptions struct {
	Task      string // empty: the running task that was started last
	Container string // empty: the only one, or the only essential one
	Command   []string

	In        io.Reader
	Out, Talk io.Writer
	Sizes     <-chan rollout.WindowSize
	Chosen    func(task rollout.TaskReport, container string) // is told where it runs, before it does
}

// Exec runs a command in a container of a service, and returns its exit code; -1 where the scheduler doesn't tell.
func Exec(ctx context.Context, target Target, ref rollout.ServiceRef, opts ExecOptions) (int, error) {
	executor, err := capability[Executor](target, "run a command in a container")
	if err != nil {
		return 0, err
	}
	task, err := chooseTask(ctx, executor, ref, opts.Task)
	if err != nil {
		return 0, err
	}
	container, err := rollout.ChooseContainer(task.Containers, opts.Container)
	if err != nil {
		return 0, err
	}
	if err := talkable(task, container); err != nil {
		return 0, err
	}
	if opts.Chosen != nil {
		opts.Chosen(task, container.Name)
	}
	what := rollout.Execution{Cluster: ref.Cluster, Task: task.ID, Container: container.Name, Command: opts.Command}
	return executor.Execute(ctx, what, opts.In, opts.Out, opts.Talk, opts.Sizes)
}

func chooseTask(ctx context.Context, reporter TaskReporter, ref rollout.ServiceRef, name string) (rollout.TaskReport, error) {
	if name != "" {
		return findTask(ctx, reporter, ref, name)
	}
	tasks, err := reporter.TaskReports(ctx, ref, rollout.TaskQuery{})
	if err != nil {
		return rollout.TaskReport{}, err
	}
	task, ok := rollout.NewestRunning(tasks)
	if !ok {
		return task, fault.New(fault.NotFound, "no task of service %q in cluster %q is running", ref.Service, ref.Cluster).
			WithHint("see `slipway status`")
	}
	return task, nil
}

// talkable refuses what the scheduler would refuse, in words that say what to do about it.
func talkable(t rollout.TaskReport, c rollout.ContainerReport) error {
	cannot := fmt.Sprintf("cannot run a command in container %s of task %s", c.Name, t.ID)
	switch {
	case t.Status != rollout.TaskRunning:
		return fault.New(fault.Conflict, "%s: the task is %s", cannot, t.Status).WithHint("see `slipway tasks`")
	case !t.Talkative:
		return fault.New(fault.Refused, "%s: it was started without enableExecuteCommand", cannot).
			WithHint("set enableExecuteCommand to true in the service's definition and update, and install again: only new tasks have it")
	case c.Status != rollout.TaskRunning:
		return fault.New(fault.Conflict, "%s: the container is %s", cannot, c.Status).WithHint("see `slipway tasks`")
	case c.Agent != "" && c.Agent != rollout.TaskRunning:
		why := c.AgentWhy
		if why != "" {
			why = ": " + why
		}
		return fault.New(fault.Unavailable, "%s: its agent is %s%s", cannot, c.Agent, why).WithHint(
			"wait a moment and try again; the agent needs a root file system that can be written to, the ssmmessages rights of " +
				"the task's role, and a way to the endpoint ssmmessages")
	}
	return nil
}
