package emit

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/state"
)

// ofAlarm tells that an alarm's state has changed. [CloudWatch User Guide, "Alarm events and EventBridge"]
func (m *Emitter) ofAlarm(before, a *state.Alarm) []bus.Event {
	if before == nil || before.Doc.StateValue == a.Doc.StateValue {
		return nil
	}
	events := m.event("CloudWatch Alarm State Change", aws.ToString(a.Doc.AlarmArn), aws.ToTime(a.Doc.StateUpdatedTimestamp), map[string]any{
		"alarmName": a.Name, "state": alarmState(a.Doc), "previousState": alarmState(before.Doc), "configuration": configuration(a.Doc),
	})
	for i := range events {
		events[i].Source = "aws.cloudwatch"
	}
	return events
}

func alarmState(a types.MetricAlarm) map[string]any {
	s := map[string]any{
		"value": a.StateValue, "reason": aws.ToString(a.StateReason),
		"timestamp": aws.ToTime(a.StateUpdatedTimestamp).Format("2006-01-02T15:04:05.000+0000"),
	}
	if a.StateReasonData != nil {
		s["reasonData"] = *a.StateReasonData
	}
	return s
}

func configuration(a types.MetricAlarm) map[string]any {
	c := map[string]any{"metrics": []any{}}
	if a.AlarmDescription != nil {
		c["description"] = *a.AlarmDescription
	}
	if a.MetricName == nil {
		return c
	}
	dimensions := map[string]string{}
	for _, d := range a.Dimensions {
		dimensions[aws.ToString(d.Name)] = aws.ToString(d.Value)
	}
	stat := string(a.Statistic)
	if stat == "" {
		stat = aws.ToString(a.ExtendedStatistic)
	}
	c["metrics"] = []any{map[string]any{"id": "m1", "returnData": true, "metricStat": map[string]any{
		"metric": map[string]any{"namespace": aws.ToString(a.Namespace), "name": *a.MetricName, "dimensions": dimensions},
		"period": aws.ToInt32(a.Period), "stat": stat,
	}}}
	return c
}
