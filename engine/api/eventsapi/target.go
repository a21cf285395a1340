package eventsapi

import (
	"context"
	"reflect"
	"slices"

	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/state"
)

// maxTargets is how many targets a rule has at most. [EventBridge quotas]
const maxTargets = 5

// PutTargets adds targets to a rule, or changes those that are there. Those that nothing can be sent to are told as failed.
func (s *Server) PutTargets(_ context.Context, in *eb.PutTargetsInput) (*eb.PutTargetsOutput, error) {
	for _, t := range in.Targets {
		if err := checkTarget(t); err != nil {
			return nil, err
		}
	}
	out := &eb.PutTargetsOutput{FailedEntries: []types.PutTargetsResultEntry{}}
	err := s.write(func(tx *state.Tx) error {
		r, err := s.rule(tx.Snapshot, in.EventBusName, in.Rule)
		if err != nil {
			return err
		}
		changed := *r
		changed.Targets = slices.Clone(r.Targets)
		for _, t := range in.Targets {
			if err := s.bus.Reaches(t); err != nil {
				out.FailedEntries = append(out.FailedEntries, types.PutTargetsResultEntry{
					TargetId: t.Id, ErrorCode: awsdoc.Text("ResourceNotFoundException"), ErrorMessage: awsdoc.Text("%v", err),
				})
				continue
			}
			changed.Targets = append(slices.DeleteFunc(changed.Targets, func(old types.Target) bool { return *old.Id == *t.Id }), t)
		}
		if len(changed.Targets) > maxTargets {
			return &types.LimitExceededException{Message: awsdoc.Text("The requested resource exceeds the maximum number allowed.")}
		}
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.FailedEntryCount = int32(len(out.FailedEntries))
	return out, nil
}

// served are the members of a target that mean something here.
var served = []string{"Arn", "Id", "HttpParameters", "Input", "InputPath", "InputTransformer", "RetryPolicy", "RoleArn"}

func checkTarget(t types.Target) error {
	v := reflect.ValueOf(t)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() && !slices.Contains(served, f.Name) {
			return validation("%s of target %s is not served by this engine.", f.Name, awsdoc.Or(t.Id, ""))
		}
	}
	if err := bus.CheckInput(t); err != nil {
		return validation("Parameter(s) of target %s are not valid. Reason: %v.", awsdoc.Or(t.Id, ""), err)
	}
	return nil
}

// RemoveTargets takes targets from a rule.
func (s *Server) RemoveTargets(_ context.Context, in *eb.RemoveTargetsInput) (*eb.RemoveTargetsOutput, error) {
	out := &eb.RemoveTargetsOutput{FailedEntries: []types.RemoveTargetsResultEntry{}}
	err := s.change(in.EventBusName, in.Rule, func(r *state.EventRule) {
		r.Targets = slices.DeleteFunc(slices.Clone(r.Targets), func(t types.Target) bool { return slices.Contains(in.Ids, *t.Id) })
	})
	return out, err
}

// ListTargetsByRule lists the targets of a rule.
func (s *Server) ListTargetsByRule(_ context.Context, in *eb.ListTargetsByRuleInput) (*eb.ListTargetsByRuleOutput, error) {
	r, err := s.rule(s.read(), in.EventBusName, in.Rule)
	if err != nil {
		return nil, err
	}
	byID := map[string]types.Target{}
	var ids []string
	for _, t := range r.Targets {
		ids, byID[*t.Id] = append(ids, *t.Id), t
	}
	ids, next, err := page(ids, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eb.ListTargetsByRuleOutput{Targets: []types.Target{}, NextToken: next}
	for _, id := range ids {
		out.Targets = append(out.Targets, byID[id])
	}
	return out, nil
}

// ListRuleNamesByTarget lists the rules that send to a target.
func (s *Server) ListRuleNamesByTarget(_ context.Context, in *eb.ListRuleNamesByTargetInput) (*eb.ListRuleNamesByTargetOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	var names []string
	for r := range s.read().EventRules() {
		if slices.ContainsFunc(r.Targets, func(t types.Target) bool { return *t.Arn == *in.TargetArn }) {
			names = append(names, r.Name)
		}
	}
	names, next, err := page(names, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	return &eb.ListRuleNamesByTargetOutput{RuleNames: awsdoc.List(names), NextToken: next}, nil
}
