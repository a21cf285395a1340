package ecsapi

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// exactly refuses what names no revision of a family.
func exactly(ref string) error {
	if !strings.Contains(ref[strings.LastIndexByte(ref, '/')+1:], ":") {
		return clientError("Revision is missing.")
	}
	return nil
}

// DeregisterTaskDefinition marks a revision INACTIVE: what runs goes on, nothing new can name it.
func (s *Server) DeregisterTaskDefinition(_ context.Context, in *ecs.DeregisterTaskDefinitionInput) (*ecs.DeregisterTaskDefinitionOutput, error) {
	ref := awsdoc.Or(in.TaskDefinition, "")
	if err := exactly(ref); err != nil {
		return nil, err
	}
	var changed state.TaskDefinition
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		d, ok := findTaskDefinition(tx.Snapshot, ref)
		if !ok {
			return clientError("The specified task definition does not exist.")
		}
		changed = *d
		if d.Doc.Status == types.TaskDefinitionStatusActive {
			now := s.engine.Now()
			changed.Doc.Status, changed.Doc.DeregisteredAt = types.TaskDefinitionStatusInactive, &now
			tx.Put(&changed)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeregisterTaskDefinitionOutput{TaskDefinition: &changed.Doc}, nil
}

// DeleteTaskDefinitions marks INACTIVE revisions DELETE_IN_PROGRESS. They stay so, because their numbers are never used
// again.
func (s *Server) DeleteTaskDefinitions(_ context.Context, in *ecs.DeleteTaskDefinitionsInput) (*ecs.DeleteTaskDefinitionsOutput, error) {
	if len(in.TaskDefinitions) == 0 || len(in.TaskDefinitions) > 10 {
		return nil, invalid("Between 1 and 10 task definitions can be deleted at once.")
	}
	out := &ecs.DeleteTaskDefinitionsOutput{}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		for _, ref := range in.TaskDefinitions {
			if err := exactly(ref); err != nil {
				return err
			}
			d, ok := findTaskDefinition(tx.Snapshot, ref)
			switch {
			case !ok:
				out.Failures = append(out.Failures, types.Failure{Arn: &ref, Reason: awsdoc.Text("MISSING")})
				continue
			case d.Doc.Status == types.TaskDefinitionStatusActive:
				out.Failures = append(out.Failures, types.Failure{
					Arn: d.Doc.TaskDefinitionArn, Reason: awsdoc.Text("ACTIVE"),
					Detail: awsdoc.Text("The task definition must be deregistered before it is deleted."),
				})
				continue
			}
			changed := *d
			if d.Doc.Status == types.TaskDefinitionStatusInactive {
				now := s.engine.Now()
				changed.Doc.Status, changed.Doc.DeleteRequestedAt = types.TaskDefinitionStatusDeleteInProgress, &now
				tx.Put(&changed)
			}
			out.TaskDefinitions = append(out.TaskDefinitions, changed.Doc)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
