package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

type tasksOptions struct {
	serviceOptions
	stopped bool
}

func (p *Program) tasksCommand() *cobra.Command {
	var o tasksOptions
	c := &cobra.Command{
		Use:   "tasks",
		Short: "List the tasks of a service",
		Long: `List the tasks of a service, the newest first: which version and revision each runs, how it is, and
where. With --stopped also those that have stopped, for as long as ECS tells of them (about an hour),
with why they stopped and the exit codes of their containers.

Ids are cut to their first characters; --task of other commands takes them so.`,
		Example: "  slipway tasks\n  slipway tasks --stopped\n  slipway tasks --cluster qa --service hid-generator --output json | jq -r '.tasks[].id'",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.tasks(c.Context(), o) },
	}
	o.flags(c)
	c.Flags().BoolVar(&o.stopped, "stopped", false, "list tasks that have stopped as well")
	return c
}

func (p *Program) tasks(ctx context.Context, o tasksOptions) error {
	target, ref, _, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	list, err := deploy.Tasks(ctx, target, ref, o.stopped)
	switch {
	case err != nil:
		return err
	case p.output == outputJSON:
		return p.JSON(list)
	case len(list.Tasks) == 0 && o.stopped:
		p.Say("service %s in cluster %s has no tasks", ref.Service, ref.Cluster)
	case len(list.Tasks) == 0:
		p.Say("service %s in cluster %s has no tasks; --stopped lists those that have stopped", ref.Service, ref.Cluster)
	}
	p.showTasks(list.Tasks, time.Now())
	return nil
}

// idShown is how many characters of a task's id are shown: enough to tell tasks apart.
const idShown = 12

func shortID(id rollout.TaskID) string { return string(id)[:min(len(id), idShown)] }

// showTasks writes a table, and below each task that has stopped why it did.
func (p *Program) showTasks(tasks []rollout.TaskReport, now time.Time) {
	t := terminal.Table{Head: []string{"TASK", "VERSION", "REVISION", "STATUS", "HEALTH", "ZONE", "INSTANCE", "AGE"}}
	var why []rollout.TaskReport
	for _, task := range tasks {
		t.Add(shortID(task.ID), task.Version, short(string(task.Revision)), p.taskStatus(task), p.taskHealth(task.Health), task.Zone,
			place(task), age(now.Sub(task.Created)))
		if task.Status == rollout.TaskOver || task.Status == rollout.TaskStopping {
			why = append(why, task)
		}
	}
	p.Table(t)
	for i, task := range why {
		if i == 0 {
			p.Printf("\n")
		}
		when := "stopping"
		if !task.Stopped.IsZero() {
			when = age(now.Sub(task.Stopped)) + " ago"
		}
		p.Printf("%s  %s: %s\n", shortID(task.ID), when, rollout.WhyStopped(task))
	}
}

func (p *Program) taskStatus(t rollout.TaskReport) string {
	text, tone := string(t.Status), terminal.Plain
	switch t.Status {
	case rollout.TaskRunning:
		tone = terminal.Good
	case rollout.TaskPending:
		tone = terminal.Busy
		if phase := strings.ToLower(t.Phase); phase != text && phase != "" {
			text += " (" + phase + ")"
		}
	case rollout.TaskOver, rollout.TaskStopping:
		tone = terminal.Faint
	}
	return p.Style(tone, text)
}

func (p *Program) taskHealth(h rollout.TaskHealth) string {
	switch h {
	case rollout.Healthy:
		return p.Style(terminal.Good, string(h))
	case rollout.Unhealthy:
		return p.Style(terminal.Bad, string(h))
	case rollout.Unchecked:
		return p.Style(terminal.Faint, string(h))
	}
	return string(h)
}

// place is the machine that a task runs on; Fargate and capacity providers of others have none to name.
func place(t rollout.TaskReport) string {
	if t.Instance == "" {
		return t.Capacity
	}
	return t.Instance
}

// age is a duration in its largest unit, or two of them where one says little.
func age(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}
