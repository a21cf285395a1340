package cloudwatchapi

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// SetAlarmState puts an alarm in a state until its data say otherwise.
func (s *Server) SetAlarmState(_ context.Context, in *cw.SetAlarmStateInput) (*cw.SetAlarmStateOutput, error) {
	if !slices.Contains(in.StateValue.Values(), in.StateValue) {
		return nil, unknown("stateValue", in.StateValue, in.StateValue.Values())
	}
	data := awsdoc.Or(in.StateReasonData, "")
	if data != "" && !json.Valid([]byte(data)) {
		return nil, &types.InvalidFormatFault{Message: awsdoc.Text("StateReasonData is not valid JSON")}
	}
	return &cw.SetAlarmStateOutput{}, s.write(func(tx *state.Tx) error {
		a, ok := tx.Alarm(awsdoc.Or(in.AlarmName, ""))
		if !ok {
			return &types.ResourceNotFound{Message: awsdoc.Text("Alarm %s does not exist", awsdoc.Or(in.AlarmName, ""))}
		}
		s.engine.SetAlarm(tx, a, in.StateValue, awsdoc.Or(in.StateReason, ""), data)
		return nil
	})
}

// DeleteAlarms deletes all of the alarms, or none when one of them is not there.
func (s *Server) DeleteAlarms(_ context.Context, in *cw.DeleteAlarmsInput) (*cw.DeleteAlarmsOutput, error) {
	if len(in.AlarmNames) > 100 {
		return nil, validation("At most 100 alarms can be deleted at once")
	}
	return &cw.DeleteAlarmsOutput{}, s.write(func(tx *state.Tx) error {
		for _, name := range in.AlarmNames {
			a, ok := tx.Alarm(name)
			if !ok {
				return &types.ResourceNotFound{Message: awsdoc.Text("Alarm %s does not exist", name)}
			}
			tx.Delete(a)
			s.engine.NoteAlarm(tx, name, types.HistoryItemTypeConfigurationUpdate, `Alarm "`+name+`" deleted`, map[string]any{
				"version": "1.0", "type": "Delete",
			})
		}
		return nil
	})
}

// EnableAlarmActions has the alarms do something again when their state changes.
func (s *Server) EnableAlarmActions(_ context.Context, in *cw.EnableAlarmActionsInput) (*cw.EnableAlarmActionsOutput, error) {
	return &cw.EnableAlarmActionsOutput{}, s.setActions(in.AlarmNames, true)
}

// DisableAlarmActions has the alarms do nothing when their state changes.
func (s *Server) DisableAlarmActions(_ context.Context, in *cw.DisableAlarmActionsInput) (*cw.DisableAlarmActionsOutput, error) {
	return &cw.DisableAlarmActionsOutput{}, s.setActions(in.AlarmNames, false)
}

// setActions passes over names that are not there, as AWS does.
func (s *Server) setActions(names []string, enabled bool) error {
	return s.write(func(tx *state.Tx) error {
		for _, name := range names {
			if a, ok := tx.Alarm(name); ok && *a.Doc.ActionsEnabled != enabled {
				changed := *a
				changed.Doc.ActionsEnabled = &enabled
				tx.Put(&changed)
			}
		}
		return nil
	})
}

// DescribeAlarms describes alarms by name, by the beginning of their names, by state or action, or all.
func (s *Server) DescribeAlarms(_ context.Context, in *cw.DescribeAlarmsInput) (*cw.DescribeAlarmsOutput, error) {
	switch {
	case in.AlarmNamePrefix != nil && len(in.AlarmNames) > 0:
		return nil, validation("AlarmNamePrefix must not be specified together with AlarmNames")
	case len(in.AlarmNames) > 100:
		return nil, validation("At most 100 alarms can be described by name")
	case in.ChildrenOfAlarmName != nil:
		return nil, notServed("ChildrenOfAlarmName")
	case in.ParentsOfAlarmName != nil:
		return nil, notServed("ParentsOfAlarmName")
	}
	snap := s.read()
	var names []string
	if len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, types.AlarmTypeMetricAlarm) {
		for a := range candidates(snap, in.AlarmNames) {
			if matches(a.Doc, in) {
				names = append(names, a.Name)
			}
		}
	}
	names, next, err := page(names, awsdoc.Ascending, in.NextToken, in.MaxRecords, 50, 100)
	if err != nil {
		return nil, err
	}
	out := &cw.DescribeAlarmsOutput{NextToken: next, MetricAlarms: []types.MetricAlarm{}}
	for _, name := range names {
		if a, ok := snap.Alarm(name); ok {
			out.MetricAlarms = append(out.MetricAlarms, a.Doc)
		}
	}
	return out, nil
}

// candidates yields the alarms with these names, or all when there are none.
func candidates(snap state.Snapshot, names []string) func(func(*state.Alarm) bool) {
	if len(names) == 0 {
		return snap.Alarms()
	}
	return func(yield func(*state.Alarm) bool) {
		for _, name := range names {
			if a, ok := snap.Alarm(name); ok && !yield(a) {
				return
			}
		}
	}
}

func matches(a types.MetricAlarm, in *cw.DescribeAlarmsInput) bool {
	prefix := awsdoc.Or(in.ActionPrefix, "")
	acts := func(list []string) bool {
		return slices.ContainsFunc(list, func(arn string) bool { return strings.HasPrefix(arn, prefix) })
	}
	return strings.HasPrefix(*a.AlarmName, awsdoc.Or(in.AlarmNamePrefix, "")) &&
		(in.StateValue == "" || in.StateValue == a.StateValue) &&
		(prefix == "" || acts(a.AlarmActions) || acts(a.OKActions) || acts(a.InsufficientDataActions))
}

// DescribeAlarmsForMetric describes the alarms on one metric.
func (s *Server) DescribeAlarmsForMetric(_ context.Context, in *cw.DescribeAlarmsForMetricInput) (*cw.DescribeAlarmsForMetricOutput, error) {
	out := &cw.DescribeAlarmsForMetricOutput{MetricAlarms: []types.MetricAlarm{}}
	for a := range s.read().Alarms() {
		d := a.Doc
		if awsdoc.Or(d.MetricName, "") == awsdoc.Or(in.MetricName, "") && awsdoc.Or(d.Namespace, "") == awsdoc.Or(in.Namespace, "") &&
			sameDimensions(d.Dimensions, in.Dimensions) && (in.Statistic == "" || in.Statistic == d.Statistic) &&
			(in.ExtendedStatistic == nil || *in.ExtendedStatistic == awsdoc.Or(d.ExtendedStatistic, "")) &&
			(in.Period == nil || *in.Period == awsdoc.Or(d.Period, 0)) && (in.Unit == "" || in.Unit == d.Unit) {
			out.MetricAlarms = append(out.MetricAlarms, d)
		}
	}
	return out, nil
}
