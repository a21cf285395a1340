package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// TaskDocument describes a task as DescribeTasks does, for events about it.
func (s *Server) TaskDocument(snap state.Snapshot, t *state.Task) types.Task {
	return s.describeTask(snap, t)
}

// InstanceDocument describes a container instance as DescribeContainerInstances does, for events about it.
func (s *Server) InstanceDocument(snap state.Snapshot, i *state.Instance) types.ContainerInstance {
	return describeInstance(snap, i)
}
