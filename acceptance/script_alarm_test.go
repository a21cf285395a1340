package acceptance

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// alarm NAME STATE [REASON]
//
// sets an alarm on the script's engine to a state, and makes it if there is none of the name.
func setAlarm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: alarm NAME STATE [REASON]")
	}
	ctx, reason := context.Background(), "set by a script"
	if len(args) == 3 {
		reason = args[2]
	}
	client := cloudwatch.NewFromConfig(engineConfig(ts, ""))
	_, err := client.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: &args[0], Namespace: aws.String("Web"), MetricName: aws.String("Errors"), Statistic: types.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	})
	ts.Check(err)
	_, err = client.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: &args[0], StateValue: types.StateValue(args[1]), StateReason: &reason})
	ts.Check(err)
}
