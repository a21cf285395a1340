package ecs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/rollout"
)

// inquiry gathers the evidence about one deployment.
type inquiry struct {
	target     *Target
	ref        rollout.ServiceRef
	since      time.Time
	service    service
	deployment rollout.DeploymentID
	running    []types.Task
	stopped    []types.Task
	ours       map[rollout.TaskID]bool // tasks that the deployment started
	ourHosts   map[string]bool         // EC2 instances that such tasks run on, or did
	found      []rollout.Evidence
}

// Evidence gathers events, tasks that stopped with their containers, sick targets, and the last lines of what failed.
func (t *Target) Evidence(ctx context.Context, ref rollout.ServiceRef, since time.Time) ([]rollout.Evidence, error) {
	services := map[string]service{}
	if err := t.describe(ctx, ref.Cluster, []rollout.ServiceName{ref.Service}, services); err != nil {
		return nil, err
	}
	s, ok := services[string(ref.Service)]
	if !ok {
		return nil, nil
	}
	q := &inquiry{target: t, ref: ref, since: since, service: s, deployment: ref.Deployment, ours: map[rollout.TaskID]bool{}, ourHosts: map[string]bool{}}
	if q.deployment == "" {
		q.deployment = started(&s.Service).Deployment
	}
	for _, gather := range []func(context.Context) error{q.meet, q.ends, q.messages, q.room, q.sickTargets, q.logs} {
		if err := gather(ctx); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(q.found, func(a, b rollout.Evidence) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Task, b.Task))
	})
	return q.found, nil
}

// meet finds the tasks, and which of them are the deployment's.
func (q *inquiry) meet(ctx context.Context) (err error) {
	if aws.ToString(q.service.Status) != "ACTIVE" {
		return nil
	}
	if q.running, err = q.target.describeTasks(ctx, q.ref, types.DesiredStatusRunning); err != nil {
		return err
	}
	if q.stopped, err = q.target.describeTasks(ctx, q.ref, types.DesiredStatusStopped); err != nil {
		return err
	}
	all := slices.Concat(q.running, q.stopped)
	hosts, err := q.target.hosts(ctx, q.ref, all)
	if err != nil {
		return err
	}
	for _, task := range all {
		if rollout.DeploymentID(aws.ToString(task.StartedBy)) == q.deployment {
			q.ours[taskID(task)] = true
			if host := hosts[aws.ToString(task.ContainerInstanceArn)]; host != "" {
				q.ourHosts[host] = true
			}
		}
	}
	return nil
}

// ends tells of tasks that stopped, or are stopping, for another reason than that they were not needed any more.
func (q *inquiry) ends(ctx context.Context) error {
	for _, task := range q.stopped {
		if aws.ToTime(task.CreatedAt).Before(q.since) || !failedTask(task) {
			continue
		}
		text := aws.ToString(task.StoppedReason)
		e := q.about(task)
		e.Kind, e.Text, e.Points = rollout.TaskStopped, text, points(text)
		e.Subject = subject(e.Points, text)
		q.name(ctx, &e, task, nil)
		q.found = append(q.found, e)
		for _, c := range q.culprits(task) {
			e := q.exit(task, c)
			q.name(ctx, &e, task, &c)
			q.found = append(q.found, e)
		}
	}
	return nil
}

// failedTask leaves out what was stopped on purpose: by a person, by scaling, or with the instance it ran on.
func failedTask(task types.Task) bool {
	switch task.StopCode {
	case types.TaskStopCodeTaskFailedToStart, types.TaskStopCodeEssentialContainerExited:
		return true
	}
	return points(aws.ToString(task.StoppedReason)) != ""
}

func (q *inquiry) about(task types.Task) rollout.Evidence {
	at := aws.ToTime(task.StoppedAt)
	for _, earlier := range []*time.Time{task.ExecutionStoppedAt, task.StoppingAt} {
		if at.IsZero() {
			at = aws.ToTime(earlier)
		}
	}
	id := taskID(task)
	return rollout.Evidence{At: at, New: q.ours[id], Task: id, Revision: rollout.RevisionID(aws.ToString(task.TaskDefinitionArn))}
}

// culprits returns the containers that explain why a task stopped: those with a reason of their own, else the essential
// ones that exited. The others were stopped along with it, which their code tells.
func (q *inquiry) culprits(task types.Task) []types.Container {
	var reasons, exits, killed []types.Container
	for _, c := range task.Containers {
		code := aws.ToInt32(c.ExitCode)
		switch {
		case points(aws.ToString(c.Reason)) != "":
			reasons = append(reasons, c)
		case c.ExitCode == nil || task.StopCode != types.TaskStopCodeEssentialContainerExited || !q.essential(task, c):
		case code == 137 || code == 143:
			killed = append(killed, c)
		default:
			exits = append(exits, c)
		}
	}
	for _, some := range [][]types.Container{reasons, exits, killed} {
		if len(some) > 0 {
			return some
		}
	}
	return nil
}

// essential looks only at what is known already: what isn't known is taken for essential, as ECS does.
func (q *inquiry) essential(task types.Task, c types.Container) bool {
	q.target.mu.Lock()
	defer q.target.mu.Unlock()
	d := q.target.definitions[aws.ToString(task.TaskDefinitionArn)]
	if d == nil {
		return true
	}
	def := d.container(aws.ToString(c.Name))
	return def == nil || essential(*def)
}

func (q *inquiry) exit(task types.Task, c types.Container) rollout.Evidence {
	e := q.about(task)
	e.Kind, e.Container, e.Essential = rollout.ContainerExit, aws.ToString(c.Name), true
	e.Text, e.Points = aws.ToString(c.Reason), points(aws.ToString(c.Reason))
	if c.ExitCode != nil {
		code := int(*c.ExitCode)
		e.ExitCode, e.Signal = &code, signals[code]
	}
	if e.Points == "" {
		e.Points = rollout.Crash
	}
	if e.Text == "" {
		e.Text = aws.ToString(task.StoppedReason)
	}
	if e.Subject = subject(e.Points, e.Text); pulling[e.Points] {
		e.Subject = aws.ToString(c.Image)
	}
	return e
}

// pulling are the causes whose subject is the container's image.
var pulling = map[rollout.Cause]bool{
	rollout.ImageMissing: true, rollout.PullDenied: true, rollout.PullFailed: true, rollout.WrongArchitecture: true,
}

// messages tells of the events that complain. One that names no task is about the deployment under way.
func (q *inquiry) messages(ctx context.Context) error {
	for _, event := range q.service.Events {
		text := aws.ToString(event.Message)
		if aws.ToTime(event.CreatedAt).Before(q.since) || !complains(text) {
			continue
		}
		cause, names := points(text), named(text)
		e := rollout.Evidence{Kind: rollout.EventSeen, At: aws.ToTime(event.CreatedAt), Task: rollout.TaskID(names["task"]), Text: text, Points: cause}
		e.New = q.concerns(names)
		if placement[cause] {
			e.Kind = rollout.NoPlace
		}
		if cause == rollout.TargetCheck || cause == rollout.WrongPort {
			e.Status, e.Text = httpStatus(text), because(text)
			e.Subject, e.Port = cmp.Or(groupLabel(names["target-group"]), names["elb"]), number(names["port"])
		} else {
			e.Subject, e.Text = subject(cause, text), reasonOf(text)
			q.name(ctx, &e, q.task(e.Task), nil)
		}
		q.found = append(q.found, e)
	}
	return nil
}

// concerns reports whether an event that names these things is about the deployment.
func (q *inquiry) concerns(names map[string]string) bool {
	switch {
	case names["task"] != "":
		return q.ours[rollout.TaskID(names["task"])]
	case names["instance"] != "":
		return q.ourHosts[names["instance"]]
	case names["deployment"] != "":
		return rollout.DeploymentID(names["deployment"]) == q.deployment
	case names["taskSet"] != "":
		return rollout.DeploymentID(names["taskSet"]) == q.deployment
	}
	return true
}
