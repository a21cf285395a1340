package elbv2api

import (
	"context"
	"slices"
	"strconv"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/balance"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateRule adds a rule to a listener, before its default rule.
func (s *Server) CreateRule(_ context.Context, in *v2.CreateRuleInput) (*v2.CreateRuleOutput, error) {
	if p := awsdoc.Or(in.Priority, 0); p < 1 || p > 50000 {
		return nil, validation("The rule priority must be between 1 and 50000")
	}
	if len(in.Conditions) == 0 {
		return nil, validation("A rule must have at least one condition")
	}
	no := false
	r := &state.Rule{Tags: in.Tags}
	err := s.write(func(tx *state.Tx) error {
		l, err := listener(tx.Snapshot, in.ListenerArn)
		if err != nil {
			return err
		}
		if err := priorityFree(tx.Snapshot, l.ARN, *in.Priority); err != nil {
			return err
		}
		if err := checkRule(tx.Snapshot, l, in.Conditions, in.Transforms, in.Actions); err != nil {
			return err
		}
		r.ARN, r.Listener = s.arn("listener-rule/"+below(l.ARN)+"/"+newID()), l.ARN
		awsdoc.Assign(&r.Doc, in, "Priority")
		r.Doc.Actions, r.Doc.Conditions = inFull(in.Actions), conditionsInFull(in.Conditions)
		r.Doc.RuleArn, r.Doc.IsDefault, r.Doc.Priority = &r.ARN, &no, awsdoc.Text("%d", *in.Priority)
		tx.Put(r)
		attach(tx)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.CreateRuleOutput{Rules: []types.Rule{r.Doc}}, nil
}

// checkRule refuses a rule that could not be followed. Listeners of network load balancers have none but their default.
func checkRule(snap state.Snapshot, l *state.Listener, conditions []types.RuleCondition, transforms []types.RuleTransform, actions []types.Action) error {
	if network(l.Doc.Protocol) {
		return &types.UnsupportedProtocolException{Message: awsdoc.Text("Rules are not supported for listeners with the protocol '%s'", l.Doc.Protocol)}
	}
	for _, c := range conditions {
		if err := balance.CheckCondition(c); err != nil {
			return validation("%s", err)
		}
	}
	if err := balance.CheckTransforms(transforms); err != nil {
		return validation("%s", err)
	}
	return checkActions(snap, l.Balancer, l.Doc.Protocol, actions)
}

func priorityFree(snap state.Snapshot, listener string, priority int32) error {
	for other := range snap.Rules(listener) {
		if awsdoc.Or(other.Doc.Priority, "") == strconv.Itoa(int(priority)) {
			return &types.PriorityInUseException{Message: awsdoc.Text("Priority '%d' is currently in use", priority)}
		}
	}
	return nil
}

// ModifyRule changes conditions or actions of a rule. The default rule changes with its listener.
func (s *Server) ModifyRule(_ context.Context, in *v2.ModifyRuleInput) (*v2.ModifyRuleOutput, error) {
	var changed state.Rule
	err := s.write(func(tx *state.Tx) error {
		r, err := rule(tx.Snapshot, in.RuleArn)
		if err != nil {
			return err
		}
		if awsdoc.Or(r.Doc.IsDefault, false) {
			return &types.OperationNotPermittedException{Message: awsdoc.Text("Default rule '%s' cannot be modified", r.ARN)}
		}
		l, err := listener(tx.Snapshot, &r.Listener)
		if err != nil {
			return err
		}
		changed = *r
		awsdoc.Assign(&changed.Doc, in)
		if awsdoc.Or(in.ResetTransforms, false) {
			changed.Doc.Transforms = nil
		}
		if err := checkRule(tx.Snapshot, l, changed.Doc.Conditions, changed.Doc.Transforms, changed.Doc.Actions); err != nil {
			return err
		}
		changed.Doc.Actions, changed.Doc.Conditions = inFull(changed.Doc.Actions), conditionsInFull(changed.Doc.Conditions)
		tx.Put(&changed)
		attach(tx)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.ModifyRuleOutput{Rules: []types.Rule{changed.Doc}}, nil
}

// DeleteRule removes a rule from its listener.
func (s *Server) DeleteRule(_ context.Context, in *v2.DeleteRuleInput) (*v2.DeleteRuleOutput, error) {
	err := s.write(func(tx *state.Tx) error {
		r, err := rule(tx.Snapshot, in.RuleArn)
		if err != nil {
			return err
		}
		if awsdoc.Or(r.Doc.IsDefault, false) {
			return &types.OperationNotPermittedException{Message: awsdoc.Text("Default rule '%s' cannot be deleted", r.ARN)}
		}
		tx.Delete(r)
		attach(tx)
		return nil
	})
	return &v2.DeleteRuleOutput{}, err
}

// SetRulePriorities gives rules other priorities, all at once.
func (s *Server) SetRulePriorities(_ context.Context, in *v2.SetRulePrioritiesInput) (*v2.SetRulePrioritiesOutput, error) {
	out := &v2.SetRulePrioritiesOutput{}
	err := s.write(func(tx *state.Tx) error {
		for _, p := range in.RulePriorities {
			r, err := rule(tx.Snapshot, p.RuleArn)
			if err != nil {
				return err
			}
			if awsdoc.Or(r.Doc.IsDefault, false) {
				return &types.OperationNotPermittedException{Message: awsdoc.Text("Default rule '%s' cannot be modified", r.ARN)}
			}
			changed := *r
			changed.Doc.Priority = awsdoc.Text("%d", awsdoc.Or(p.Priority, 0))
			tx.Put(&changed)
			out.Rules = append(out.Rules, changed.Doc)
		}
		return oneRuleEach(tx.Snapshot, out.Rules)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// oneRuleEach refuses priorities that two rules of a listener have, or that are none.
func oneRuleEach(snap state.Snapshot, changed []types.Rule) error {
	for _, doc := range changed {
		n, err := strconv.Atoi(*doc.Priority)
		if err != nil || n < 1 || n > 50000 {
			return validation("The rule priority must be between 1 and 50000")
		}
		r, err := rule(snap, doc.RuleArn)
		if err != nil {
			return err
		}
		for other := range snap.Rules(r.Listener) {
			if other.ARN != r.ARN && awsdoc.Or(other.Doc.Priority, "") == *doc.Priority {
				return &types.PriorityInUseException{Message: awsdoc.Text("Priority '%s' is currently in use", *doc.Priority)}
			}
		}
	}
	return nil
}

// DescribeRules describes the rules of a listener in the order of their priorities, the default rule last, or those named.
func (s *Server) DescribeRules(_ context.Context, in *v2.DescribeRulesInput) (*v2.DescribeRulesOutput, error) {
	snap := s.read()
	var rules []*state.Rule
	for _, arn := range in.RuleArns {
		r, err := rule(snap, &arn)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	if len(in.RuleArns) == 0 {
		l, err := listener(snap, in.ListenerArn)
		if err != nil {
			return nil, err
		}
		rules = slices.Collect(snap.Rules(l.ARN))
	}
	byKey, keys := map[string]types.Rule{}, []string{}
	for _, r := range rules {
		key := "default"
		if n, err := strconv.Atoi(awsdoc.Or(r.Doc.Priority, "")); err == nil {
			key = strconv.Itoa(100000 + n) // sorts as a number
		}
		key += r.ARN
		byKey[key], keys = r.Doc, append(keys, key)
	}
	keys, next, err := page(keys, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &v2.DescribeRulesOutput{Rules: []types.Rule{}, NextMarker: next}
	for _, key := range keys {
		out.Rules = append(out.Rules, byKey[key])
	}
	return out, nil
}
