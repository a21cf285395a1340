package ecsapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// StopServiceDeployment asks for the end of a service deployment that is under way: ROLLBACK goes back to the last one
// that was completed, ABORT leaves everything where it is. One that is being ended already goes on so.
// [Developer guide: Stopping Amazon ECS service deployments]
func (s *Server) StopServiceDeployment(_ context.Context, in *ecs.StopServiceDeploymentInput) (*ecs.StopServiceDeploymentOutput, error) {
	wanted := types.ServiceDeploymentStatusRollbackRequested
	switch in.StopType {
	case "", types.StopServiceDeploymentStopTypeRollback:
	case types.StopServiceDeploymentStopTypeAbort:
		wanted = types.ServiceDeploymentStatusStopRequested
	default:
		return nil, invalid("The stopType %s is not one of ABORT, ROLLBACK.", in.StopType)
	}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		history, err := serviceDeployment(tx.Snapshot, in.ServiceDeploymentArn)
		if err != nil {
			return err
		}
		switch history.Doc.Status {
		case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress:
			now := s.engine.Now()
			changed := *history
			changed.Doc.Status, changed.Doc.UpdatedAt = wanted, &now
			tx.Put(&changed)
			return nil
		case types.ServiceDeploymentStatusStopRequested, types.ServiceDeploymentStatusRollbackRequested,
			types.ServiceDeploymentStatusRollbackInProgress:
			return nil
		default:
			return conflict("The service deployment cannot be stopped because its status is %s.", history.Doc.Status)
		}
	})
	if err != nil {
		return nil, err
	}
	return &ecs.StopServiceDeploymentOutput{ServiceDeploymentArn: in.ServiceDeploymentArn}, nil
}

// ContinueServiceDeployment answers a lifecycle hook at which a service deployment waits for a person.
// [Developer guide: Continuing service deployments]
func (s *Server) ContinueServiceDeployment(_ context.Context, in *ecs.ContinueServiceDeploymentInput) (*ecs.ContinueServiceDeploymentOutput, error) {
	switch in.Action {
	case "", types.DeploymentLifecycleHookActionContinue, types.DeploymentLifecycleHookActionRollback:
	default:
		return nil, invalid("The action %s is not one of CONTINUE, ROLLBACK.", in.Action)
	}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		history, err := serviceDeployment(tx.Snapshot, in.ServiceDeploymentArn)
		if err != nil {
			return err
		}
		if history.Doc.Status != types.ServiceDeploymentStatusInProgress {
			return conflict("The service deployment cannot be continued because its status is %s.", history.Doc.Status)
		}
		return answerHook(tx, history, awsdoc.Or(in.HookId, ""), in.Action)
	})
	if err != nil {
		return nil, err
	}
	return &ecs.ContinueServiceDeploymentOutput{ServiceDeploymentArn: in.ServiceDeploymentArn}, nil
}

func answerHook(tx *state.Tx, history *state.ServiceDeployment, id string, action types.DeploymentLifecycleHookAction) error {
	for d := range tx.Deployments(history.Service) {
		if d.ServiceDeployment != history.ARN || d.Shift == nil {
			continue
		}
		i := slices.IndexFunc(d.Shift.Hooks, func(h state.Hook) bool { return h.ID == id })
		if i < 0 {
			continue
		}
		if got := d.Shift.Hooks[i].Status; got != types.DeploymentLifecycleHookStatusAwaitingAction {
			return conflict("The lifecycle hook %s does not wait for an action: its status is %s.", id, got)
		}
		changed, _ := d.WithHook(id, func(h *state.Hook) {
			h.Status = types.DeploymentLifecycleHookStatusSucceeded
			if action == types.DeploymentLifecycleHookActionRollback {
				h.Status = types.DeploymentLifecycleHookStatusFailed
				h.Failure = "Lifecycle hook " + id + " was answered with ROLLBACK."
			}
		})
		tx.Put(changed)
		return nil
	}
	return invalid("The lifecycle hook %s is not a hook of the service deployment's present stage.", id)
}

func serviceDeployment(snap state.Snapshot, arn *string) (*state.ServiceDeployment, error) {
	if awsdoc.Or(arn, "") == "" {
		return nil, invalid("serviceDeploymentArn cannot be empty.")
	}
	history, ok := snap.ServiceDeployment(*arn)
	if !ok {
		return nil, &types.ServiceDeploymentNotFoundException{Message: awsdoc.Text("Service deployment not found.")}
	}
	return history, nil
}
