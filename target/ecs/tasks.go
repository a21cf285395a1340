package ecs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/rollout"
)

// describedAtOnce is how many tasks or instances one call describes.
const describedAtOnce = 100

// tasks tells the tasks of a service that are not asked to stop, and what its load balancers say of them.
func (t *Target) tasks(ctx context.Context, seen *rollout.Observed, s *service) error {
	described, err := t.describeTasks(ctx, seen.Ref, types.DesiredStatusRunning)
	if err != nil {
		return err
	}
	for _, task := range described {
		health, err := t.health(ctx, task)
		if err != nil {
			return err
		}
		seen.Tasks = append(seen.Tasks, rollout.Task{
			ID: taskID(task), Revision: rollout.RevisionID(aws.ToString(task.TaskDefinitionArn)),
			Deployment: rollout.DeploymentID(aws.ToString(task.StartedBy)), Status: taskStatus(task), Health: health,
			Started: aws.ToTime(task.StartedAt), Host: aws.ToString(task.AvailabilityZone),
		})
	}
	slices.SortFunc(seen.Tasks, func(a, b rollout.Task) int { return strings.Compare(string(a.ID), string(b.ID)) })
	if len(s.LoadBalancers) > 0 {
		seen.Targets, err = t.targets(ctx, seen.Ref, s.LoadBalancers, described, seen.Trouble > 0)
	}
	return err
}

// taskID returns the last part of a task's ARN, which is how events name it.
func taskID(task types.Task) rollout.TaskID { return rollout.TaskID(last(aws.ToString(task.TaskArn))) }

// last returns what follows the last slash.
func last(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

func taskStatus(task types.Task) rollout.TaskStatus {
	switch status := aws.ToString(task.LastStatus); {
	case aws.ToString(task.DesiredStatus) == "STOPPED":
		return rollout.TaskStopping
	case status == "RUNNING":
		return rollout.TaskRunning
	case status == "PROVISIONING", status == "PENDING", status == "ACTIVATING":
		return rollout.TaskPending
	}
	return rollout.TaskStopping
}

// health tells a task without health checks from one whose checks have not answered yet: ECS calls both UNKNOWN.
func (t *Target) health(ctx context.Context, task types.Task) (rollout.TaskHealth, error) {
	switch task.HealthStatus {
	case types.HealthStatusHealthy:
		return rollout.Healthy, nil
	case types.HealthStatusUnhealthy:
		return rollout.Unhealthy, nil
	case types.HealthStatusUnknown:
	}
	d, err := t.definition(ctx, aws.ToString(task.TaskDefinitionArn))
	if err != nil {
		return "", err
	}
	if d.checked() {
		return rollout.Unknown, nil
	}
	return rollout.Unchecked, nil
}

// describeTasks describes the tasks of a service that are wanted to run, or to be stopped.
func (t *Target) describeTasks(ctx context.Context, ref rollout.ServiceRef, wanted types.DesiredStatus) ([]types.Task, error) {
	cluster, name := aws.String(string(ref.Cluster)), aws.String(string(ref.Service))
	doing := fmt.Sprintf("list the tasks of service %q", ref.Service)
	var arns []string
	pages := ecs.NewListTasksPaginator(t.ecs, &ecs.ListTasksInput{Cluster: cluster, ServiceName: name, DesiredStatus: wanted})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, t.failed(doing, err)
		}
		arns = append(arns, page.TaskArns...)
	}
	var all []types.Task
	for some := range slices.Chunk(arns, describedAtOnce) {
		out, err := t.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: cluster, Tasks: some})
		if err != nil {
			return nil, t.failed(doing, err)
		}
		all = append(all, out.Tasks...)
	}
	return all, nil
}

// hosts returns the EC2 instances of tasks by the ARNs of their container instances.
func (t *Target) hosts(ctx context.Context, ref rollout.ServiceRef, tasks []types.Task) (map[string]string, error) {
	unknown := map[string]bool{}
	t.mu.Lock()
	for _, task := range tasks {
		if arn := aws.ToString(task.ContainerInstanceArn); arn != "" && t.instances[arn] == "" {
			unknown[arn] = true
		}
	}
	t.mu.Unlock()
	for some := range slices.Chunk(slices.Sorted(maps.Keys(unknown)), describedAtOnce) {
		out, err := t.ecs.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{
			Cluster: aws.String(string(ref.Cluster)), ContainerInstances: some,
		})
		if err != nil {
			return nil, t.failed(fmt.Sprintf("look at the instances of service %q", ref.Service), err)
		}
		t.mu.Lock()
		for _, i := range out.ContainerInstances {
			t.instances[aws.ToString(i.ContainerInstanceArn)] = aws.ToString(i.Ec2InstanceId)
		}
		t.mu.Unlock()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.instances), nil
}
