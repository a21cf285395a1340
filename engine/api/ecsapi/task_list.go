package ecsapi

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// ListTasks lists the tasks of a cluster; without a desired status those that are wanted.
func (s *Server) ListTasks(_ context.Context, in *ecs.ListTasksInput) (*ecs.ListTasksOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := sameCluster(c, awsdoc.Or(in.ServiceName, awsdoc.Or(in.ContainerInstance, ""))); err != nil {
		return nil, err
	}
	if in.ServiceName != nil {
		if svc, ok := snap.Service(serviceKey(c.Name, *in.ServiceName)); !ok || awsdoc.Or(svc.Doc.Status, "") == "INACTIVE" {
			return nil, serviceNotFound()
		}
	}
	arns, next, err := pageOf(func(after string) iter.Seq[string] {
		return func(yield func(string) bool) {
			for t := range tasksAfter(snap, c.Name, in.ServiceName, after) {
				if matches(t, in) && !yield(t.ARN) {
					return
				}
			}
		}
	}, in.NextToken, awsdoc.Or(in.MaxResults, 0))
	if err != nil {
		return nil, err
	}
	return &ecs.ListTasksOutput{TaskArns: arns, NextToken: next}, nil
}

// tasksAfter returns the tasks of a cluster, or of one of its services, whose ARNs come after one.
func tasksAfter(snap state.Snapshot, cluster state.ClusterName, service *string, arn string) iter.Seq[*state.Task] {
	id := state.TaskID(engine.ResourceName(arn))
	if service != nil {
		return snap.TasksOfServiceAfter(serviceKey(cluster, *service), id)
	}
	return snap.TasksAfter(cluster, id)
}

func matches(t *state.Task, in *ecs.ListTasksInput) bool {
	desired := in.DesiredStatus
	if desired == "" {
		desired = types.DesiredStatusRunning
	}
	return string(t.Desired) == string(desired) &&
		(in.Family == nil || *in.Family == t.TaskDefinition.Family) &&
		(in.StartedBy == nil || *in.StartedBy == t.StartedBy) &&
		(in.LaunchType == "" || in.LaunchType == t.LaunchType) &&
		(in.ContainerInstance == nil || engine.ResourceName(*in.ContainerInstance) == string(t.Instance))
}
