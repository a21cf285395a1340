package ecsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// RunTask places and starts up to ten stand-alone tasks. What finds no place is told in the failures. The same request
// under the same client token is answered with the tasks that the first one started, as long as they are known.
func (s *Server) RunTask(_ context.Context, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	if err := checkRun(in); err != nil {
		return nil, err
	}
	token, err := tokenOf(in)
	if err != nil {
		return nil, err
	}
	out := &ecs.RunTaskOutput{}
	err = s.engine.DB().Write(func(tx *state.Tx) error {
		tasks, failures, err := s.run(tx, in, token)
		if err != nil {
			return err
		}
		for _, t := range tasks {
			out.Tasks = append(out.Tasks, s.describeTask(tx.Snapshot, t))
		}
		out.Failures = failures
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) run(tx *state.Tx, in *ecs.RunTaskInput, token token) ([]*state.Task, []types.Failure, error) {
	if known, err := startedUnder(tx.Snapshot, token); err != nil || len(known) > 0 {
		return known, nil, err
	}
	c, err := activeCluster(tx.Snapshot, in.Cluster)
	if err != nil {
		return nil, nil, err
	}
	definition, err := usableTaskDefinition(tx.Snapshot, awsdoc.Or(in.TaskDefinition, ""))
	if err != nil {
		return nil, nil, err
	}
	request := *in
	if request.LaunchType == "" && len(request.CapacityProviderStrategy) == 0 {
		request.CapacityProviderStrategy = c.Doc.DefaultCapacityProviderStrategy
	}
	if err := checkRunnable(tx.Snapshot, c, &request, definition); err != nil {
		return nil, nil, err
	}
	if request.Overrides, err = normalized(in.Overrides, definition, onFargate(request.LaunchType, request.CapacityProviderStrategy)); err != nil {
		return nil, nil, err
	}
	if missing := s.engine.MissingRole(tx.Snapshot, definition, request.Overrides); missing != "" {
		return nil, nil, &types.ClientException{Message: &missing}
	}
	tasks, failures, err := s.engine.RunTask(tx, c.Name, definition, &request)
	if err != nil {
		return nil, nil, exhausted(err)
	}
	return stamp(tx, tasks, token), failures, nil
}

// checkRun refuses what can be refused without looking at anything else.
func checkRun(in *ecs.RunTaskInput) error {
	switch n := awsdoc.Or(in.Count, 1); {
	case n < 1 || n > 10:
		return invalid("Task count must be between 1 and 10.")
	case len(awsdoc.Or(in.ClientToken, "")) > 64:
		return invalid("clientToken can be at most 64 characters.")
	case len(awsdoc.Or(in.ReferenceId, "")) > 1024:
		return invalid("referenceId can be at most 1024 characters.")
	case len(awsdoc.Or(in.StartedBy, "")) > 128:
		return invalid("startedBy can be at most 128 characters.")
	case in.PropagateTags != "" && in.PropagateTags != types.PropagateTagsTaskDefinition && in.PropagateTags != types.PropagateTagsNone:
		return invalid("Invalid value %s for propagateTags: the tags of a task definition can be propagated to a task.", in.PropagateTags)
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	if err := checkLaunch(in.LaunchType, in.CapacityProviderStrategy); err != nil {
		return err
	}
	return checkServed(nil, wishes{volumes: len(in.VolumeConfigurations)})
}

// checkRunnable refuses what doesn't fit the task definition or the cluster.
func checkRunnable(snap state.Snapshot, c *state.Cluster, in *ecs.RunTaskInput, definition *state.TaskDefinition) error {
	if err := checkNetwork(definition, in.NetworkConfiguration); err != nil {
		return err
	}
	if err := checkStrategy(c, in.CapacityProviderStrategy); err != nil {
		return err
	}
	if err := checkPlacing(in.LaunchType, in.CapacityProviderStrategy, in.PlacementConstraints, in.PlacementStrategy, definition); err != nil {
		return err
	}
	if !onFargate(in.LaunchType, in.CapacityProviderStrategy) && empty(snap, c.Name) {
		return invalid("No Container Instances were found in your cluster.")
	}
	return nil
}

// checkNetwork: tasks have a network configuration when they have an address of their own, and only then.
func checkNetwork(definition *state.TaskDefinition, n *types.NetworkConfiguration) error {
	awsvpc := definition.Doc.NetworkMode == types.NetworkModeAwsvpc
	switch {
	case awsvpc && (n == nil || n.AwsvpcConfiguration == nil):
		return invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case !awsvpc && n != nil:
		return invalid("Network Configuration is not valid for the given networkMode of this task definition.")
	case awsvpc && len(n.AwsvpcConfiguration.Subnets) > 16:
		return invalid("subnets can have at most 16 items.")
	case awsvpc && len(n.AwsvpcConfiguration.SecurityGroups) > 5:
		return invalid("security groups can have at most 5 items.")
	}
	return nil
}

func empty(snap state.Snapshot, cluster state.ClusterName) bool {
	for i := range snap.Instances(cluster) {
		if i.Gone.IsZero() {
			return false
		}
	}
	return true
}

// StopTask stops one task; a service starts another in its place.
func (s *Server) StopTask(_ context.Context, in *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
	var doc types.Task
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		c, err := activeCluster(tx.Snapshot, in.Cluster)
		if err != nil {
			return err
		}
		if err := sameCluster(c, awsdoc.Or(in.Task, "")); err != nil {
			return err
		}
		id := state.TaskID(engine.ResourceName(awsdoc.Or(in.Task, "")))
		t, ok := tx.Task(id)
		if !ok || t.Cluster != c.Name {
			return invalid("The referenced task was not found.")
		}
		t, err = s.engine.StopTask(tx, id, types.TaskStopCodeUserInitiated, awsdoc.Or(in.Reason, "Task stopped by user"))
		if err != nil {
			return err
		}
		doc = s.describeTask(tx.Snapshot, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.StopTaskOutput{Task: &doc}, nil
}
