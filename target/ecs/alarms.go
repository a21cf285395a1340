package ecs

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/rollout"
)

// alarmsAtOnce is how many alarms one call of CloudWatch names.
const alarmsAtOnce = 100

// Alarms tells of metric and composite alarms whether they are in ALARM. One that doesn't exist is left out.
func (t *Target) Alarms(ctx context.Context, names []string) (map[string]rollout.Alarm, error) {
	all := map[string]rollout.Alarm{}
	for some := range slices.Chunk(names, alarmsAtOnce) {
		out, err := t.alarms.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{
			AlarmNames: some, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
		})
		if err != nil {
			return nil, t.failed(fmt.Sprintf("look at the alarms %s", quoted(some)), err)
		}
		for _, a := range out.MetricAlarms {
			all[aws.ToString(a.AlarmName)] = rollout.Alarm{Sounds: a.StateValue == types.StateValueAlarm, Why: aws.ToString(a.StateReason)}
		}
		for _, a := range out.CompositeAlarms {
			all[aws.ToString(a.AlarmName)] = rollout.Alarm{Sounds: a.StateValue == types.StateValueAlarm, Why: aws.ToString(a.StateReason)}
		}
	}
	return all, nil
}
