package ecsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// StartTask starts a stand-alone task on each of up to ten container instances. What has no room there is told in the
// failures.
func (s *Server) StartTask(_ context.Context, in *ecs.StartTaskInput) (*ecs.StartTaskOutput, error) {
	if len(in.ContainerInstances) == 0 || len(in.ContainerInstances) > 10 {
		return nil, invalid("Between 1 and 10 container instances must be specified.")
	}
	var request ecs.RunTaskInput // what both have in common
	awsdoc.Assign(&request, in)
	if err := checkRun(&request); err != nil {
		return nil, err
	}
	out := &ecs.StartTaskOutput{}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		tasks, err := s.startOn(tx, in, &request, &out.Failures)
		for _, t := range tasks {
			out.Tasks = append(out.Tasks, s.describeTask(tx.Snapshot, t))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) startOn(tx *state.Tx, in *ecs.StartTaskInput, request *ecs.RunTaskInput, failures *[]types.Failure) ([]*state.Task, error) {
	c, err := activeCluster(tx.Snapshot, in.Cluster)
	if err != nil {
		return nil, err
	}
	definition, err := usableTaskDefinition(tx.Snapshot, awsdoc.Or(in.TaskDefinition, ""))
	if err != nil {
		return nil, err
	}
	if err := checkNetwork(definition, in.NetworkConfiguration); err != nil {
		return nil, err
	}
	if request.Overrides, err = normalized(in.Overrides, definition, false); err != nil {
		return nil, err
	}
	var on []state.InstanceID
	err = s.eachInstance(tx.Snapshot, c, in.ContainerInstances, failures, func(i *state.Instance) {
		if i.Gone.IsZero() {
			on = append(on, i.ID)
		} else {
			*failures = append(*failures, types.Failure{Arn: i.Doc.ContainerInstanceArn, Reason: awsdoc.Text("INACTIVE")})
		}
	})
	if err != nil {
		return nil, err
	}
	if missing := s.engine.MissingRole(tx.Snapshot, definition, request.Overrides); missing != "" {
		return nil, &types.ClientException{Message: &missing}
	}
	tasks, more, err := s.engine.StartTask(tx, c.Name, definition, request, on)
	*failures = append(*failures, more...)
	return tasks, exhausted(err)
}
