package ecs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// TaskReports tells all of tasks: of those that are named, as far as ECS knows them, or of those of a service.
func (t *Target) TaskReports(ctx context.Context, ref rollout.ServiceRef, q rollout.TaskQuery) ([]rollout.TaskReport, error) {
	found, err := t.queried(ctx, ref, q)
	if err != nil {
		return nil, err
	}
	return t.reports(ctx, ref, found)
}

func (t *Target) queried(ctx context.Context, ref rollout.ServiceRef, q rollout.TaskQuery) ([]types.Task, error) {
	if len(q.IDs) > 0 {
		var ids []string
		for _, id := range q.IDs {
			ids = append(ids, string(id))
		}
		return t.tasksNamed(ctx, ref.Cluster, ids)
	}
	running, err := t.describeTasks(ctx, ref, types.DesiredStatusRunning)
	if err != nil || !q.Stopped {
		return running, err
	}
	stopped, err := t.describeTasks(ctx, ref, types.DesiredStatusStopped)
	return append(running, stopped...), err
}

// tasksNamed describes tasks by their ids or ARNs; those that ECS doesn't know are left out.
func (t *Target) tasksNamed(ctx context.Context, cluster rollout.ClusterName, names []string) ([]types.Task, error) {
	var all []types.Task
	for some := range slices.Chunk(names, describedAtOnce) {
		out, err := t.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(string(cluster)), Tasks: some})
		if err != nil {
			return nil, t.failed(fmt.Sprintf("look at the tasks of cluster %q", cluster), err)
		}
		all = append(all, out.Tasks...)
	}
	return all, nil
}

// reports puts described tasks into the words of rollout, the newest first.
func (t *Target) reports(ctx context.Context, ref rollout.ServiceRef, tasks []types.Task) ([]rollout.TaskReport, error) {
	hosts, err := t.hosts(ctx, ref, tasks)
	if err != nil && !unavailableToUs(err) {
		return nil, err
	}
	all := make([]rollout.TaskReport, 0, len(tasks))
	for _, task := range tasks {
		d, err := t.definitionIfKnown(ctx, aws.ToString(task.TaskDefinitionArn))
		if err != nil {
			return nil, err
		}
		r := report(task, d)
		r.Cluster, r.Instance = ref.Cluster, hosts[aws.ToString(task.ContainerInstanceArn)]
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b rollout.TaskReport) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// definitionIfKnown returns an empty definition for one that was deleted, or that may not be read.
func (t *Target) definitionIfKnown(ctx context.Context, arn string) (*definition, error) {
	if t.nameless(arn) {
		return &definition{}, nil
	}
	d, err := t.definition(ctx, arn)
	if err == nil {
		return d, nil
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.NotFound, fault.Denied:
	default:
		return d, err
	}
	t.mu.Lock()
	t.definitions[arn] = nil
	t.mu.Unlock()
	return &definition{}, nil
}

func report(task types.Task, d *definition) rollout.TaskReport {
	r := rollout.TaskReport{
		ID: taskID(task), Group: aws.ToString(task.Group), Revision: rollout.RevisionID(aws.ToString(task.TaskDefinitionArn)),
		Version: d.version, StartedBy: aws.ToString(task.StartedBy), Status: taskStatus(task), Phase: aws.ToString(task.LastStatus),
		Zone: aws.ToString(task.AvailabilityZone), Capacity: cmp.Or(aws.ToString(task.CapacityProviderName), string(task.LaunchType)),
		Created: aws.ToTime(task.CreatedAt), Started: aws.ToTime(task.StartedAt), Stopped: aws.ToTime(task.StoppedAt),
		End: endOf(task), Why: aws.ToString(task.StoppedReason), Talkative: task.EnableExecuteCommand,
		Health: healthOf(task.HealthStatus, d.checked()),
	}
	if r.Phase == "STOPPED" {
		r.Status = rollout.TaskOver
	}
	for _, c := range task.Containers {
		r.Containers = append(r.Containers, containerReport(task, c, d.container(aws.ToString(c.Name))))
	}
	order := func(name string) int {
		return slices.IndexFunc(d.ContainerDefinitions, func(c types.ContainerDefinition) bool { return aws.ToString(c.Name) == name })
	}
	slices.SortStableFunc(r.Containers, func(a, b rollout.ContainerReport) int { return cmp.Compare(order(a.Name), order(b.Name)) })
	return r
}

func containerReport(task types.Task, c types.Container, def *types.ContainerDefinition) rollout.ContainerReport {
	r := rollout.ContainerReport{
		Name: aws.ToString(c.Name), Image: aws.ToString(c.Image), Digest: aws.ToString(c.ImageDigest), Status: containerStatus(c.LastStatus),
		Why: aws.ToString(c.Reason), Essential: def == nil || essential(*def), Health: healthOf(c.HealthStatus, def != nil && def.HealthCheck != nil),
	}
	if c.ExitCode != nil {
		code := int(*c.ExitCode)
		r.ExitCode, r.Signal = &code, signals[code]
	}
	for _, a := range c.ManagedAgents {
		if a.Name == types.ManagedAgentNameExecuteCommandAgent {
			r.Agent, r.AgentWhy = containerStatus(a.LastStatus), aws.ToString(a.Reason)
		}
	}
	if def != nil {
		r.Log = logSource(task, c, def.LogConfiguration)
	}
	return r
}

func containerStatus(told *string) rollout.TaskStatus {
	switch aws.ToString(told) {
	case "RUNNING":
		return rollout.TaskRunning
	case "STOPPED":
		return rollout.TaskOver
	}
	return rollout.TaskPending
}

func healthOf(h types.HealthStatus, checked bool) rollout.TaskHealth {
	switch {
	case h == types.HealthStatusHealthy:
		return rollout.Healthy
	case h == types.HealthStatusUnhealthy:
		return rollout.Unhealthy
	case checked:
		return rollout.Unknown
	}
	return rollout.Unchecked
}

// endOf puts ECS's stop code into the words of rollout. [API reference, Task, stopCode]
func endOf(task types.Task) rollout.TaskEnd {
	switch task.StopCode {
	case "":
		return ""
	case types.TaskStopCodeEssentialContainerExited:
		return rollout.EndExited
	case types.TaskStopCodeTaskFailedToStart:
		return rollout.EndNotStarted
	case types.TaskStopCodeSpotInterruption, types.TaskStopCodeTerminationNotice:
		return rollout.EndLost
	}
	return rollout.EndStopped
}

// logSource tells where the log driver awslogs puts a container's output. Without a prefix the stream is named as Docker
// names the container. [ECS guide, awslogs-stream-prefix]
func logSource(task types.Task, c types.Container, l *types.LogConfiguration) rollout.LogSource {
	if l == nil {
		return rollout.LogSource{}
	}
	s := rollout.LogSource{Driver: string(l.LogDriver)}
	if l.LogDriver != types.LogDriverAwslogs {
		return s
	}
	s.Region, s.Group = l.Options["awslogs-region"], l.Options["awslogs-group"]
	if prefix := l.Options["awslogs-stream-prefix"]; prefix != "" {
		s.Stream = strings.Join([]string{prefix, aws.ToString(c.Name), string(taskID(task))}, "/")
	} else {
		s.Stream = aws.ToString(c.RuntimeId)
	}
	return s
}
