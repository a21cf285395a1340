package autoscalingapi

import (
	"context"
	"slices"
	"time"

	as "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/calendar"
	"github.com/slipway-cd/slipway/engine/state"
)

// PutScheduledAction has a target's bounds change at times, or changes such an action.
func (s *Server) PutScheduledAction(_ context.Context, in *as.PutScheduledActionInput) (*as.PutScheduledActionOutput, error) {
	if err := checkName("scheduledActionName", *in.ScheduledActionName); err != nil {
		return nil, err
	}
	return &as.PutScheduledActionOutput{}, s.write(func(tx *state.Tx) error {
		if _, err := target(tx.Snapshot, in.ServiceNamespace, in.ScalableDimension, in.ResourceId); err != nil {
			return err
		}
		now := s.engine.Now()
		a := &state.ScheduledAction{Resource: *in.ResourceId, Name: *in.ScheduledActionName}
		a.Doc.CreationTime = &now
		a.Doc.ScheduledActionARN = awsdoc.Text("%s", s.engine.Identity().ARN("autoscaling",
			"scheduledAction:"+engine.NewUUID()+":resource/ecs/"+a.Resource+":scheduledActionName/"+a.Name))
		if old, ok := tx.ScheduledAction(a.Resource, a.Name); ok {
			a.Doc = old.Doc
		}
		awsdoc.Assign(&a.Doc, in)
		tx.Put(a)
		return checkAction(&a.Doc)
	})
}

func checkAction(a *types.ScheduledAction) error {
	zone, err := time.LoadLocation(awsdoc.Or(a.Timezone, ""))
	if err != nil {
		return validation("Timezone %s is not a time zone that is known here", *a.Timezone)
	}
	if a.Schedule == nil {
		return validation("A new scheduled action must have a Schedule")
	}
	if _, err := calendar.Parse(*a.Schedule, zone); err != nil {
		return validation("Schedule is not valid: %v", err)
	}
	if a.StartTime != nil && a.EndTime != nil && !a.StartTime.Before(*a.EndTime) {
		return validation("StartTime must be before EndTime")
	}
	act := a.ScalableTargetAction
	if act == nil || act.MinCapacity == nil && act.MaxCapacity == nil {
		return validation("ScalableTargetAction must have a MinCapacity, a MaxCapacity or both")
	}
	if low, high := awsdoc.Or(act.MinCapacity, 0), act.MaxCapacity; low < 0 || high != nil && *high < low {
		return validation("Maximum capacity cannot be less than minimum capacity")
	}
	return nil
}

// DescribeScheduledActions describes the scheduled actions of a target, or all.
func (s *Server) DescribeScheduledActions(_ context.Context, in *as.DescribeScheduledActionsInput) (*as.DescribeScheduledActionsOutput, error) {
	if err := checkNamespace(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	byKey := map[string]types.ScheduledAction{}
	var keys []string
	for a := range s.read().ScheduledActions(awsdoc.Or(in.ResourceId, "")) {
		if len(in.ScheduledActionNames) == 0 || slices.Contains(in.ScheduledActionNames, a.Name) {
			keys, byKey[a.Key()] = append(keys, a.Key()), a.Doc
		}
	}
	keys, next, err := page(keys, awsdoc.Ascending, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &as.DescribeScheduledActionsOutput{ScheduledActions: []types.ScheduledAction{}, NextToken: next}
	for _, key := range keys {
		out.ScheduledActions = append(out.ScheduledActions, byKey[key])
	}
	return out, nil
}

// DeleteScheduledAction deletes a scheduled action.
func (s *Server) DeleteScheduledAction(_ context.Context, in *as.DeleteScheduledActionInput) (*as.DeleteScheduledActionOutput, error) {
	return &as.DeleteScheduledActionOutput{}, s.write(func(tx *state.Tx) error {
		if err := checkNamespace(in.ServiceNamespace, in.ScalableDimension); err != nil {
			return err
		}
		a, ok := tx.ScheduledAction(*in.ResourceId, *in.ScheduledActionName)
		if !ok {
			return notFound("No scheduled action found for service namespace: ecs, resource ID: %s, scalable dimension: %s: %s", *in.ResourceId, in.ScalableDimension, *in.ScheduledActionName)
		}
		tx.Delete(a)
		return nil
	})
}
