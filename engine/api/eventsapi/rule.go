package eventsapi

import (
	"context"
	"slices"
	"strings"
	"time"

	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/calendar"
	"github.com/slipway-cd/slipway/engine/eventpattern"
	"github.com/slipway-cd/slipway/engine/state"
)

// PutRule creates a rule, or gives one that is there other conditions. Its targets stay.
func (s *Server) PutRule(_ context.Context, in *eb.PutRuleInput) (*eb.PutRuleOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	if err := checkRule(in); err != nil {
		return nil, err
	}
	arn := s.arn("rule/" + *in.Name)
	return &eb.PutRuleOutput{RuleArn: &arn}, s.write(func(tx *state.Tx) error {
		r := &state.EventRule{Name: *in.Name, Tags: in.Tags}
		if old, ok := tx.EventRule(r.Name); ok {
			r.Tags, r.Targets = old.Tags, old.Targets // AWS changes the tags of a rule by TagResource only
		}
		r.Doc = types.Rule{State: types.RuleStateEnabled}
		awsdoc.Assign(&r.Doc, in)
		r.Doc.Arn, r.Doc.EventBusName = &arn, awsdoc.Text(defaultBus)
		tx.Put(r)
		return nil
	})
}

func checkRule(in *eb.PutRuleInput) error {
	if err := checkName(in.Name); err != nil {
		return err
	}
	pattern, schedule := awsdoc.Or(in.EventPattern, ""), awsdoc.Or(in.ScheduleExpression, "")
	if pattern == "" && schedule == "" {
		return validation("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if pattern != "" {
		if _, err := eventpattern.Parse(pattern); err != nil {
			return &types.InvalidEventPatternException{Message: awsdoc.Text("Event pattern is not valid. Reason: %v", err)}
		}
	}
	if schedule != "" {
		if _, err := calendar.Parse(schedule, time.UTC); err != nil || strings.HasPrefix(schedule, "at(") {
			return validation("Parameter ScheduleExpression is not valid.")
		}
	}
	if !slices.Contains([]types.RuleState{"", types.RuleStateEnabled, types.RuleStateDisabled}, in.State) {
		return validation("The state %s of a rule is not served by this engine: use ENABLED or DISABLED.", in.State)
	}
	return nil
}

// DeleteRule deletes a rule that has no targets. One that is not there is deleted already.
func (s *Server) DeleteRule(_ context.Context, in *eb.DeleteRuleInput) (*eb.DeleteRuleOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	return &eb.DeleteRuleOutput{}, s.write(func(tx *state.Tx) error {
		r, ok := tx.EventRule(*in.Name)
		if !ok {
			return nil
		}
		if len(r.Targets) > 0 {
			return validation("Rule can't be deleted since it has targets.")
		}
		tx.Delete(r)
		return nil
	})
}

// DescribeRule describes a rule.
func (s *Server) DescribeRule(_ context.Context, in *eb.DescribeRuleInput) (*eb.DescribeRuleOutput, error) {
	r, err := s.rule(s.read(), in.EventBusName, in.Name)
	if err != nil {
		return nil, err
	}
	out := &eb.DescribeRuleOutput{CreatedBy: awsdoc.Text("%s", s.engine.Identity().Account)}
	awsdoc.Assign(out, &r.Doc)
	return out, nil
}

// ListRules lists rules by name.
func (s *Server) ListRules(_ context.Context, in *eb.ListRulesInput) (*eb.ListRulesOutput, error) {
	if err := s.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	snap := s.read()
	var names []string
	for r := range snap.EventRules() {
		if strings.HasPrefix(r.Name, awsdoc.Or(in.NamePrefix, "")) {
			names = append(names, r.Name)
		}
	}
	names, next, err := page(names, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eb.ListRulesOutput{Rules: []types.Rule{}, NextToken: next}
	for _, name := range names {
		r, _ := snap.EventRule(name)
		out.Rules = append(out.Rules, r.Doc)
	}
	return out, nil
}

// EnableRule has a rule send events.
func (s *Server) EnableRule(_ context.Context, in *eb.EnableRuleInput) (*eb.EnableRuleOutput, error) {
	return &eb.EnableRuleOutput{}, s.change(in.EventBusName, in.Name, func(r *state.EventRule) { r.Doc.State = types.RuleStateEnabled })
}

// DisableRule has a rule send nothing.
func (s *Server) DisableRule(_ context.Context, in *eb.DisableRuleInput) (*eb.DisableRuleOutput, error) {
	return &eb.DisableRuleOutput{}, s.change(in.EventBusName, in.Name, func(r *state.EventRule) { r.Doc.State = types.RuleStateDisabled })
}

func (s *Server) change(bus, name *string, change func(*state.EventRule)) error {
	return s.write(func(tx *state.Tx) error {
		r, err := s.rule(tx.Snapshot, bus, name)
		if err != nil {
			return err
		}
		changed := *r
		change(&changed)
		tx.Put(&changed)
		return nil
	})
}
