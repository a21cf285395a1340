package cloudwatchapi

import (
	"context"
	"slices"
	"strings"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// PutMetricAlarm creates an alarm, or gives one that is there another configuration, and leaves its state.
func (s *Server) PutMetricAlarm(_ context.Context, in *cw.PutMetricAlarmInput) (*cw.PutMetricAlarmOutput, error) {
	if err := checkAlarm(in); err != nil {
		return nil, err
	}
	return &cw.PutMetricAlarmOutput{}, s.write(func(tx *state.Tx) error {
		now := s.engine.Now()
		a := &state.Alarm{Name: *in.AlarmName, Tags: in.Tags}
		a.Doc = types.MetricAlarm{
			AlarmArn: s.arn(a.Name), ActionsEnabled: new(true), StateValue: types.StateValueInsufficientData,
			StateReason: awsdoc.Text("Unchecked: Initial alarm creation"), StateUpdatedTimestamp: &now, StateTransitionedTimestamp: &now,
		}
		verb := "created"
		if old, ok := tx.Alarm(a.Name); ok {
			verb, a.Tags = "updated", old.Tags // AWS changes the tags of an alarm by TagResource only
			a.Doc.StateValue, a.Doc.StateReason, a.Doc.StateReasonData = old.Doc.StateValue, old.Doc.StateReason, old.Doc.StateReasonData
			a.Doc.StateUpdatedTimestamp, a.Doc.StateTransitionedTimestamp = old.Doc.StateUpdatedTimestamp, old.Doc.StateTransitionedTimestamp
		}
		awsdoc.Assign(&a.Doc, in)
		a.Doc.AlarmConfigurationUpdatedTimestamp = &now
		tx.Put(a)
		s.engine.NoteAlarm(tx, a.Name, types.HistoryItemTypeConfigurationUpdate, `Alarm "`+a.Name+`" `+verb, map[string]any{
			"version": "1.0", "type": strings.ToUpper(verb[:1]) + verb[1:len(verb)-1],
		})
		return nil
	})
}

const (
	day  = 24 * 60 * 60 // seconds
	hour = 60 * 60
)

// checkAlarm refuses what CloudWatch refuses, and what the engine would have to act on and doesn't. [API reference: PutMetricAlarm]
func checkAlarm(in *cw.PutMetricAlarmInput) error {
	switch {
	case in.EvaluationCriteria != nil:
		return notServed("EvaluationCriteria")
	case in.WarmUpConfiguration != nil:
		return notServed("WarmUpConfiguration")
	case in.EvaluationInterval != nil:
		return validation("EvaluationInterval can be specified only with EvaluationCriteria")
	case in.EvaluationPeriods == nil:
		return validation("Required parameter EvaluationPeriods not specified")
	case *in.EvaluationPeriods < 1:
		return validation("Value '%d' at 'evaluationPeriods' failed to satisfy constraint: Member must have value greater than or equal to 1", *in.EvaluationPeriods)
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > *in.EvaluationPeriods):
		return validation("DatapointsToAlarm must be between 1 and EvaluationPeriods")
	case !slices.Contains(in.ComparisonOperator.Values(), in.ComparisonOperator):
		return unknown("comparisonOperator", in.ComparisonOperator, in.ComparisonOperator.Values())
	case in.MetricName == nil && len(in.Metrics) == 0:
		return validation("Exactly one of MetricName, Metrics and EvaluationCriteria must be specified")
	}
	if _, clock := in.EvaluationWindow.(*types.EvaluationWindowMemberWallClockWindow); clock {
		return notServed("EvaluationWindow.WallClockWindow")
	}
	if treat := awsdoc.Or(in.TreatMissingData, "missing"); !slices.Contains([]string{"missing", "ignore", "breaching", "notBreaching"}, treat) {
		return validation("Value %q for TreatMissingData is invalid: use breaching, notBreaching, ignore or missing", treat)
	}
	if err := checkActions(in); err != nil {
		return err
	}
	if in.MetricName != nil {
		return checkMetric(in)
	}
	return checkMath(in)
}

func unknown[T ~string](member string, value T, values []T) error {
	return validation("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: %v", value, member, values)
}

func checkActions(in *cw.PutMetricAlarmInput) error {
	for _, list := range [][]string{in.AlarmActions, in.OKActions, in.InsufficientDataActions} {
		if len(list) > 5 {
			return validation("An alarm has at most 5 actions for each state")
		}
		for _, action := range list {
			if !strings.HasPrefix(action, "arn:") {
				return validation("Invalid arn syntax: %s", action)
			}
		}
	}
	return nil
}

func checkMetric(in *cw.PutMetricAlarmInput) error {
	period := awsdoc.Or(in.Period, 0)
	longest := int32(day)
	if period >= hour {
		longest = 7 * day
	}
	switch {
	case len(in.Metrics) > 0:
		return validation("MetricName must not be specified together with Metrics")
	case in.Namespace == nil:
		return validation("Required parameter Namespace not specified")
	case (in.Statistic == "") == (in.ExtendedStatistic == nil):
		return validation("Exactly one of Statistic and ExtendedStatistic must be specified")
	case in.Statistic != "" && !slices.Contains(in.Statistic.Values(), in.Statistic):
		return unknown("statistic", in.Statistic, in.Statistic.Values())
	case period != 10 && period != 20 && period != 30 && (period < 60 || period%60 != 0):
		return validation("Period must be 10, 20, 30 or a multiple of 60")
	case int64(period)*int64(*in.EvaluationPeriods) > int64(longest):
		return validation("Metrics cannot be checked across more than %d seconds (EvaluationPeriods * Period must be <= %d)", longest, longest)
	case in.Threshold == nil && in.ThresholdMetricId == nil:
		return validation("Required parameter Threshold not specified")
	case len(in.Dimensions) > 30:
		return validation("A metric has at most 30 dimensions")
	}
	return nil
}

func checkMath(in *cw.PutMetricAlarmInput) error {
	if in.Namespace != nil || len(in.Dimensions) > 0 || in.Period != nil || in.Statistic != "" || in.ExtendedStatistic != nil {
		return validation("Namespace, Dimensions, Period, Statistic and ExtendedStatistic must not be specified together with Metrics")
	}
	returned := 0
	for _, q := range in.Metrics {
		if (q.Expression == nil) == (q.MetricStat == nil) {
			return validation("Each of Metrics must have either Expression or MetricStat")
		}
		if awsdoc.Or(q.ReturnData, true) {
			returned++
		}
	}
	if returned != 1 && in.ThresholdMetricId == nil {
		return validation("Exactly one element of the metrics list should return data.")
	}
	return nil
}
