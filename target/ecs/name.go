package ecs

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/rollout"
)

// name completes evidence by what ECS's own texts leave out: which container fails its health check, and which log group is
// missing. Where that cannot be told, the texts have to do.
func (q *inquiry) name(ctx context.Context, e *rollout.Evidence, task types.Task, container *types.Container) {
	if e.Points != rollout.HealthCheck && e.Points != rollout.LogGroupMissing || task.TaskDefinitionArn == nil {
		return
	}
	d, err := q.target.definition(ctx, aws.ToString(task.TaskDefinitionArn))
	if err != nil {
		return
	}
	switch {
	case e.Points == rollout.HealthCheck && e.Container == "":
		e.Container = sickContainer(task, d)
	case e.Points == rollout.LogGroupMissing && e.Subject == "":
		e.Subject = logGroups(d, container)
	}
}

// task returns a task that the inquiry has met, or an empty one.
func (q *inquiry) task(id rollout.TaskID) types.Task {
	for _, task := range slices.Concat(q.stopped, q.running) {
		if id != "" && taskID(task) == id {
			return task
		}
	}
	return types.Task{}
}

// sickContainer returns the essential container that ECS calls unhealthy, or the only one that could be; "" when it may be
// any of several.
func sickContainer(task types.Task, d *definition) string {
	for _, c := range task.Containers {
		if def := d.container(aws.ToString(c.Name)); c.HealthStatus == types.HealthStatusUnhealthy && (def == nil || essential(*def)) {
			return aws.ToString(c.Name)
		}
	}
	var checked []string
	for _, c := range d.ContainerDefinitions {
		if essential(c) && c.HealthCheck != nil {
			checked = append(checked, aws.ToString(c.Name))
		}
	}
	if len(checked) == 1 {
		return checked[0]
	}
	return ""
}

func essential(c types.ContainerDefinition) bool { return c.Essential == nil || *c.Essential }

// logGroups returns the log group of a container, or those of all containers, as far as they are not made when needed.
func logGroups(d *definition, container *types.Container) string {
	var groups []string
	for _, c := range d.ContainerDefinitions {
		l := c.LogConfiguration
		if l == nil || l.LogDriver != types.LogDriverAwslogs || l.Options["awslogs-create-group"] == "true" {
			continue
		}
		if container != nil && aws.ToString(container.Name) != aws.ToString(c.Name) {
			continue
		}
		if group := l.Options["awslogs-group"]; !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	return strings.Join(groups, " or ")
}
