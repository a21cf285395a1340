package ecsapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// ListContainerInstances lists the container instances of a cluster that a filter and a status fit; without a status all
// that are not INACTIVE.
func (s *Server) ListContainerInstances(_ context.Context, in *ecs.ListContainerInstancesInput) (*ecs.ListContainerInstancesOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	selected := map[state.InstanceID]bool{}
	filter := awsdoc.Or(in.Filter, "")
	if filter != "" {
		if selected, err = schedule.Select(snap, c.Name, filter); err != nil {
			return nil, invalid("Invalid filter: %v", err)
		}
	}
	var arns []string
	for i := range snap.Instances(c.Name) {
		status := awsdoc.Or(i.Doc.Status, "")
		if (string(in.Status) == status || in.Status == "" && status != "INACTIVE") && (filter == "" || selected[i.ID]) {
			arns = append(arns, *i.Doc.ContainerInstanceArn)
		}
	}
	arns, next, err := page(arns, in.NextToken, awsdoc.Or(in.MaxResults, 0))
	if err != nil {
		return nil, err
	}
	return &ecs.ListContainerInstancesOutput{ContainerInstanceArns: arns, NextToken: next}, nil
}

// DescribeContainerInstances describes container instances with what is left of their resources.
func (s *Server) DescribeContainerInstances(_ context.Context, in *ecs.DescribeContainerInstancesInput) (*ecs.DescribeContainerInstancesOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.ContainerInstances) == 0 {
		return nil, invalid("Container instances cannot be empty.")
	}
	if len(in.ContainerInstances) > 100 {
		return nil, invalid("Container instances cannot have more than 100 elements.")
	}
	out := &ecs.DescribeContainerInstancesOutput{}
	err = s.eachInstance(snap, c, in.ContainerInstances, &out.Failures, func(i *state.Instance) {
		doc := describeInstance(snap, i)
		doc.Tags = tagsIf(slices.Contains(in.Include, types.ContainerInstanceFieldTags), doc.Tags)
		if slices.Contains(in.Include, types.ContainerInstanceFieldContainerInstanceHealth) {
			doc.HealthStatus = health(i)
		}
		out.ContainerInstances = append(out.ContainerInstances, doc)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// eachInstance calls fn with every one of the container instances that is known, and adds a failure for each that is not.
func (s *Server) eachInstance(
	snap state.Snapshot, c *state.Cluster, refs []string, failures *[]types.Failure, fn func(*state.Instance),
) error {
	for _, ref := range refs {
		if err := sameCluster(c, ref); err != nil {
			return err
		}
	}
	for _, ref := range refs {
		id := state.InstanceID(engine.ResourceName(ref))
		i, ok := snap.Instance(id)
		if !ok || i.Cluster != c.Name {
			arn := s.engine.Identity().InstanceARN(c.Name, id)
			*failures = append(*failures, types.Failure{Arn: &arn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		fn(i)
	}
	return nil
}

// health: there is one thing that an agent of ours can report on, and it does as long as it is connected.
func health(i *state.Instance) *types.ContainerInstanceHealthStatus {
	status := types.InstanceHealthCheckStateOk
	if !i.Doc.AgentConnected {
		status = types.InstanceHealthCheckStateInsufficientData
	}
	return &types.ContainerInstanceHealthStatus{OverallStatus: status, Details: []types.InstanceHealthCheckResult{{
		Type: types.InstanceHealthCheckTypeContainerRuntime, Status: status, LastUpdated: i.Doc.RegisteredAt, LastStatusChange: i.Doc.RegisteredAt,
	}}}
}

// UpdateContainerInstancesState sets container instances ACTIVE or DRAINING. No task is placed on a DRAINING one, and the
// tasks of services go elsewhere.
func (s *Server) UpdateContainerInstancesState(_ context.Context, in *ecs.UpdateContainerInstancesStateInput) (*ecs.UpdateContainerInstancesStateOutput, error) {
	if in.Status != types.ContainerInstanceStatusActive && in.Status != types.ContainerInstanceStatusDraining {
		return nil, invalid("Container instance status should be one of [DRAINING,ACTIVE]")
	}
	if len(in.ContainerInstances) == 0 || len(in.ContainerInstances) > 10 {
		return nil, invalid("Between 1 and 10 container instances can be updated at once.")
	}
	out := &ecs.UpdateContainerInstancesStateOutput{}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		c, err := activeCluster(tx.Snapshot, in.Cluster)
		if err != nil {
			return err
		}
		return s.eachInstance(tx.Snapshot, c, in.ContainerInstances, &out.Failures, func(i *state.Instance) {
			if !i.Gone.IsZero() {
				out.Failures = append(out.Failures, types.Failure{Arn: i.Doc.ContainerInstanceArn, Reason: awsdoc.Text("INACTIVE")})
				return
			}
			changed := *i
			changed.Doc.Status = awsdoc.Text("%s", in.Status)
			changed.Doc.Version++
			tx.Put(&changed)
			out.ContainerInstances = append(out.ContainerInstances, describeInstance(tx.Snapshot, &changed))
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateContainerAgent has nothing to do: the agent of every instance is this engine.
func (s *Server) UpdateContainerAgent(_ context.Context, in *ecs.UpdateContainerAgentInput) (*ecs.UpdateContainerAgentOutput, error) {
	snap := s.engine.DB().Read()
	if _, err := knownInstance(snap, in.Cluster, in.ContainerInstance); err != nil {
		return nil, err
	}
	return nil, &types.NoUpdateAvailableException{Message: awsdoc.Text("There is no update available for your container agent.")}
}

// knownInstance finds a container instance of a cluster that is still there.
func knownInstance(snap state.Snapshot, cluster, ref *string) (*state.Instance, error) {
	c, err := activeCluster(snap, cluster)
	if err != nil {
		return nil, err
	}
	if err := sameCluster(c, awsdoc.Or(ref, "")); err != nil {
		return nil, err
	}
	i, ok := snap.Instance(state.InstanceID(engine.ResourceName(awsdoc.Or(ref, ""))))
	if !ok || i.Cluster != c.Name || !i.Gone.IsZero() {
		return nil, invalid("Referenced container instance %s not found.", engine.ResourceName(awsdoc.Or(ref, "")))
	}
	return i, nil
}
