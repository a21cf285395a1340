package ecsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Minutes that a task is protected for. [API reference: UpdateTaskProtection]
const (
	protectedFor     = 120
	protectedAtMost  = 2880
	protectedAtATime = 10
)

// UpdateTaskProtection protects tasks of services from being scaled in and from deployments for a while, or ends that.
// The time is not divided by the engine's speed: whoever asks for it does so by his own clock.
func (s *Server) UpdateTaskProtection(_ context.Context, in *ecs.UpdateTaskProtectionInput) (*ecs.UpdateTaskProtectionOutput, error) {
	minutes := awsdoc.Or(in.ExpiresInMinutes, protectedFor)
	switch {
	case len(in.Tasks) == 0 || len(in.Tasks) > protectedAtATime:
		return nil, invalid("Between 1 and %d tasks can be updated at once.", protectedAtATime)
	case minutes < 1 || minutes > protectedAtMost:
		return nil, invalid("expiresInMinutes must be between 1 and %d.", protectedAtMost)
	}
	until := time.Time{}
	if in.ProtectionEnabled {
		until = s.engine.Now().Add(time.Duration(minutes) * time.Minute)
	}
	out := &ecs.UpdateTaskProtectionOutput{}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		c, err := activeCluster(tx.Snapshot, in.Cluster)
		if err != nil {
			return err
		}
		return s.eachOfService(tx.Snapshot, c, in.Tasks, &out.Failures, func(t *state.Task) {
			changed := *t
			changed.Protected = until
			tx.Put(&changed)
			out.ProtectedTasks = append(out.ProtectedTasks, s.protection(&changed))
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GetTaskProtection tells which tasks of services are protected, and until when: those that are named, at most 100.
func (s *Server) GetTaskProtection(_ context.Context, in *ecs.GetTaskProtectionInput) (*ecs.GetTaskProtectionOutput, error) {
	if len(in.Tasks) == 0 || len(in.Tasks) > 100 {
		return nil, invalid("Between 1 and 100 tasks can be described at once.")
	}
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	out := &ecs.GetTaskProtectionOutput{}
	err = s.eachOfService(snap, c, in.Tasks, &out.Failures, func(t *state.Task) {
		out.ProtectedTasks = append(out.ProtectedTasks, s.protection(t))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// protection describes whether a task is protected now.
func (s *Server) protection(t *state.Task) types.ProtectedTask {
	doc := types.ProtectedTask{TaskArn: &t.ARN}
	if t.Protected.After(s.engine.Now()) {
		doc.ProtectionEnabled, doc.ExpirationDate = true, &t.Protected
	}
	return doc
}

// eachOfService calls fn with every one of the tasks that a service has, and adds a failure for each that is not known
// (MISSING), has ended or belongs to no service (TASK_NOT_VALID).
func (s *Server) eachOfService(snap state.Snapshot, c *state.Cluster, refs []string, failures *[]types.Failure, fn func(*state.Task)) error {
	for _, ref := range refs {
		if err := sameCluster(c, ref); err != nil {
			return err
		}
		id := state.TaskID(engine.ResourceName(ref))
		arn, reason := s.engine.Identity().TaskARN(c.Name, id), ""
		t, ok := snap.Task(id)
		switch {
		case !ok || t.Cluster != c.Name:
			reason = "MISSING"
		case t.Service.Name == "" || t.Desired == state.Stopped:
			reason = "TASK_NOT_VALID"
		}
		if reason != "" {
			*failures = append(*failures, types.Failure{Arn: &arn, Reason: &reason})
			continue
		}
		fn(t)
	}
	return nil
}
