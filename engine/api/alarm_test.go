package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/engine/state"
)

// config is how clients of further services reach the house.
func (h *house) config() aws.Config {
	return aws.Config{
		BaseEndpoint: aws.String(h.server.URL), Region: "us-east-1", HTTPClient: &http.Client{Transport: h.last},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), RetryMaxAttempts: 1,
	}
}

// alarms is a house with a client of CloudWatch, which speaks RPC v2 CBOR.
type alarms struct {
	*house
	*cloudwatch.Client
}

func alarmsOf(h *house) alarms { return alarms{h, cloudwatch.NewFromConfig(h.config())} }

// alarm is one that a load balancer's errors would raise.
func alarm(name string) *cloudwatch.PutMetricAlarmInput {
	return &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HTTPCode_Target_5XX_Count"),
		Statistic: "Sum", Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(5),
		ComparisonOperator: "GreaterThanThreshold", TreatMissingData: aws.String("notBreaching"),
	}
}

func (a alarms) put(in *cloudwatch.PutMetricAlarmInput) {
	a.Helper()
	if _, err := a.PutMetricAlarm(a.Context(), in); err != nil {
		a.Fatal(err)
	}
}

func (a alarms) set(name string, value cwtypes.StateValue) {
	a.Helper()
	if _, err := a.SetAlarmState(a.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: &name, StateValue: value, StateReason: aws.String("by hand")}); err != nil {
		a.Fatal(err)
	}
}

// describe returns the names and states of what the request matches: "web:ALARM".
func (a alarms) describe(in *cloudwatch.DescribeAlarmsInput) string {
	a.Helper()
	out, err := a.DescribeAlarms(a.Context(), in)
	if err != nil {
		a.Fatal(err)
	}
	var found []string
	for _, m := range out.MetricAlarms {
		found = append(found, *m.AlarmName+":"+string(m.StateValue))
	}
	return strings.Join(found, " ")
}

func TestAnAlarmFromPutToDelete(t *testing.T) {
	t.Parallel()
	a := alarmsOf(newStillHouse(t))
	a.put(alarm("web-errors"))
	a.set("web-errors", "ALARM")
	in := alarm("web-errors")
	in.Threshold = aws.Float64(10)
	a.put(in) // another configuration leaves the state
	out, err := a.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"web-errors", "nobody"}})
	must(a.house, out, err)
	m := out.MetricAlarms[0]
	if len(out.MetricAlarms) != 1 || m.StateValue != "ALARM" || *m.StateReason != "by hand" || *m.Threshold != 10 || !*m.ActionsEnabled ||
		*m.AlarmArn != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:web-errors" || m.StateTransitionedTimestamp == nil {
		t.Errorf("%s", a.last.answer())
	}
	_, err = a.DisableAlarmActions(t.Context(), &cloudwatch.DisableAlarmActionsInput{AlarmNames: []string{"web-errors", "nobody"}})
	must(a.house, 0, err)
	if now, _ := a.DB().Read().Alarm("web-errors"); *now.Doc.ActionsEnabled {
		t.Error("the actions are enabled")
	}
	_, err = a.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"web-errors", "nobody"}})
	if _, ok := errors.AsType[*cwtypes.ResourceNotFound](err); !ok {
		t.Errorf("%v", err)
	}
	_, err = a.DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"web-errors"}})
	must(a.house, 0, err)
	history, err := a.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("web-errors"), ScanBy: "TimestampAscending"})
	must(a.house, 0, err)
	var told []string
	for _, item := range history.AlarmHistoryItems {
		told = append(told, *item.HistorySummary)
	}
	if got := strings.Join(told, "; "); got != `Alarm "web-errors" created; Alarm updated from INSUFFICIENT_DATA to ALARM; Alarm "web-errors" updated; Alarm "web-errors" deleted` {
		t.Error(got)
	}
}

func TestAlarmsAreFoundByPrefixStateActionAndPage(t *testing.T) {
	t.Parallel()
	a := alarmsOf(newStillHouse(t))
	for _, name := range []string{"api-1", "api-2", "web-1"} {
		in := alarm(name)
		if name == "web-1" {
			in.OKActions = []string{"arn:aws:sns:us-east-1:000000000000:ops"}
		}
		a.put(in)
	}
	a.set("api-2", "OK")
	for want, in := range map[string]*cloudwatch.DescribeAlarmsInput{
		"api-1:INSUFFICIENT_DATA api-2:OK": {AlarmNamePrefix: aws.String("api-")},
		"api-2:OK":                         {StateValue: "OK"},
		"web-1:INSUFFICIENT_DATA":          {ActionPrefix: aws.String("arn:aws:sns:")},
		"":                                 {AlarmTypes: []cwtypes.AlarmType{"CompositeAlarm"}},
	} {
		if got := a.describe(in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	pages, names := cloudwatch.NewDescribeAlarmsPaginator(a.Client, &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(2)}), 0
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		must(a.house, out, err)
		names += len(out.MetricAlarms)
	}
	if names != 3 {
		t.Errorf("%d alarms on all pages", names)
	}
}

func TestAlarmsThatCloudWatchRefusesAreRefused(t *testing.T) {
	t.Parallel()
	a := alarmsOf(newStillHouse(t))
	for want, change := range map[string]func(*cloudwatch.PutMetricAlarmInput){
		"Period must be 10, 20, 30 or a multiple of 60":    func(in *cloudwatch.PutMetricAlarmInput) { in.Period = aws.Int32(45) },
		"Exactly one of Statistic and ExtendedStatistic":   func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = "" },
		"Member must satisfy enum value set: [SampleCount": func(in *cloudwatch.PutMetricAlarmInput) { in.Statistic = "Median" },
		"at 'comparisonOperator'":                          func(in *cloudwatch.PutMetricAlarmInput) { in.ComparisonOperator = "Above" },
		"DatapointsToAlarm must be between 1 and":          func(in *cloudwatch.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) },
		"Required parameter Namespace not specified":       func(in *cloudwatch.PutMetricAlarmInput) { in.Namespace = nil },
		"Required parameter Threshold not specified":       func(in *cloudwatch.PutMetricAlarmInput) { in.Threshold = nil },
		"Exactly one of MetricName, Metrics":               func(in *cloudwatch.PutMetricAlarmInput) { in.MetricName = nil },
		"Invalid arn syntax: ops":                          func(in *cloudwatch.PutMetricAlarmInput) { in.AlarmActions = []string{"ops"} },
		`Value "never" for TreatMissingData`:               func(in *cloudwatch.PutMetricAlarmInput) { in.TreatMissingData = aws.String("never") },
		"EvaluationPeriods * Period must be <= 86400":      func(in *cloudwatch.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) },
		"WarmUpConfiguration is not served by this engine": func(in *cloudwatch.PutMetricAlarmInput) {
			in.WarmUpConfiguration = &cwtypes.WarmUpConfiguration{WarmUpPeriodDurationInMinutes: aws.Int32(1)}
		},
		"EvaluationCriteria is not served by this engine": func(in *cloudwatch.PutMetricAlarmInput) {
			in.EvaluationCriteria = &cwtypes.EvaluationCriteriaMemberPromQLCriteria{Value: cwtypes.AlarmPromQLCriteria{Query: aws.String("up")}}
		},
		"EvaluationWindow.WallClockWindow is not served by this engine": func(in *cloudwatch.PutMetricAlarmInput) {
			in.EvaluationWindow = &cwtypes.EvaluationWindowMemberWallClockWindow{}
		},
		"Namespace, Dimensions, Period, Statistic and ExtendedStatistic": func(in *cloudwatch.PutMetricAlarmInput) {
			in.MetricName, in.Metrics = nil, []cwtypes.MetricDataQuery{{Id: aws.String("m"), Expression: aws.String("1")}}
		},
	} {
		in := alarm("x")
		change(in)
		_, err := a.PutMetricAlarm(t.Context(), in)
		if refusal, ok := errors.AsType[smithy.APIError](err); !ok || refusal.ErrorCode() != "ValidationError" || !strings.Contains(refusal.ErrorMessage(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, err := a.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("nobody"), StateValue: "OK", StateReason: aws.String("")})
	if _, ok := errors.AsType[*cwtypes.ResourceNotFound](err); !ok {
		t.Errorf("%v", err)
	}
}

// An alarm follows what clients put, at the end of its period: 60 ms at this speed.
func TestAnAlarmFollowsItsMetric(t *testing.T) {
	t.Parallel()
	a := alarmsOf(newHouse(t))
	in := alarm("web-errors")
	a.put(in)
	in.MetricName, in.AlarmName = aws.String("another"), aws.String("unmeasured")
	a.put(in)
	a.set("unmeasured", "ALARM")
	errorsSeen := func(n float64) {
		_, err := a.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/ApplicationELB"), MetricData: []cwtypes.MetricDatum{
			{MetricName: aws.String("HTTPCode_Target_5XX_Count"), Value: &n, Unit: "Count"},
		}})
		must(a.house, 0, err)
	}
	errorsSeen(9)
	a.until("the alarm is raised", func(snap state.Snapshot) bool {
		now, ok := snap.Alarm("web-errors")
		return ok && now.Alarming() && strings.Contains(*now.Doc.StateReason, "[9.0 (") && strings.Contains(*now.Doc.StateReasonData, `"recentDatapoints":[9]`)
	})
	a.until("it is over", func(snap state.Snapshot) bool { // the periods after it have no errors
		now, _ := snap.Alarm("web-errors")
		return now.Doc.StateValue == cwtypes.StateValueOk
	})
	if now, _ := a.DB().Read().Alarm("unmeasured"); !now.Alarming() {
		t.Error("an alarm that has no data doesn't stay as it was set")
	}
}

func TestMetricsAreReadAsTheyWerePut(t *testing.T) {
	t.Parallel()
	a := alarmsOf(newStillHouse(t))
	noon := time.Now().UTC().Truncate(time.Hour).Add(-2 * time.Hour)
	dimensions := []cwtypes.Dimension{{Name: aws.String("Service"), Value: aws.String("web")}}
	_, err := a.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("app"), MetricData: []cwtypes.MetricDatum{
		{MetricName: aws.String("latency"), Dimensions: dimensions, Timestamp: aws.Time(noon), Values: []float64{1, 3}, Counts: []float64{3, 1}},
		{MetricName: aws.String("latency"), Dimensions: dimensions, Timestamp: aws.Time(noon.Add(time.Minute)), StatisticValues: &cwtypes.StatisticSet{
			SampleCount: aws.Float64(2), Sum: aws.Float64(8), Minimum: aws.Float64(2), Maximum: aws.Float64(6),
		}},
	}})
	must(a.house, 0, err)
	statistics, err := a.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("app"), MetricName: aws.String("latency"), Dimensions: dimensions, Period: aws.Int32(60),
		StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), Statistics: []cwtypes.Statistic{"Average", "Maximum", "SampleCount"},
	})
	must(a.house, 0, err)
	if d := statistics.Datapoints; len(d) != 2 || *d[0].Average != 1.5 || *d[0].SampleCount != 4 || *d[1].Maximum != 6 || d[0].Sum != nil {
		t.Errorf("%+v", d)
	}
	data, err := a.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Hour)), MetricDataQueries: []cwtypes.MetricDataQuery{{Id: aws.String("m"), MetricStat: &cwtypes.MetricStat{
			Metric: &cwtypes.Metric{Namespace: aws.String("app"), MetricName: aws.String("latency"), Dimensions: dimensions}, Period: aws.Int32(60), Stat: aws.String("Sum"),
		}}},
	})
	must(a.house, 0, err)
	if r := data.MetricDataResults; len(r) != 1 || len(r[0].Values) != 2 || r[0].Values[0] != 8 || r[0].Values[1] != 6 {
		t.Errorf("%+v", r)
	}
	listed, err := a.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Dimensions: []cwtypes.DimensionFilter{{Name: aws.String("Service")}}})
	must(a.house, 0, err)
	if len(listed.Metrics) != 1 || *listed.Metrics[0].MetricName != "latency" {
		t.Errorf("%+v", listed.Metrics)
	}
	_, err = a.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("app"), MetricData: []cwtypes.MetricDatum{{MetricName: aws.String("old"), Value: aws.Float64(1), Timestamp: aws.Time(noon.AddDate(-1, 0, 0))}}})
	if _, ok := errors.AsType[*cwtypes.InvalidParameterValueException](err); !ok {
		t.Errorf("%v", err)
	}
}

func TestAlarmsHaveTags(t *testing.T) {
	t.Parallel()
	a := alarmsOf(newStillHouse(t))
	in := alarm("x")
	in.Tags = []cwtypes.Tag{{Key: aws.String("team"), Value: aws.String("a")}}
	a.put(in)
	arn := aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:x")
	_, err := a.TagResource(t.Context(), &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: []cwtypes.Tag{{Key: aws.String("stage"), Value: aws.String("qa")}}})
	must(a.house, 0, err)
	_, err = a.UntagResource(t.Context(), &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"team"}})
	must(a.house, 0, err)
	out, err := a.ListTagsForResource(t.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: arn})
	if must(a.house, out, err); len(out.Tags) != 1 || *out.Tags[0].Key != "stage" {
		t.Errorf("%+v", out.Tags)
	}
	_, err = a.TagResource(t.Context(), &cloudwatch.TagResourceInput{ResourceARN: aws.String("arn:x"), Tags: []cwtypes.Tag{}})
	if _, ok := errors.AsType[*cwtypes.ResourceNotFoundException](err); !ok {
		t.Errorf("%v", err)
	}
}

// The AWS CLI of Debian 12 speaks Query to CloudWatch.
func TestAWSCLIWatchesAlarms(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.aws("cloudwatch", "put-metric-alarm", "--alarm-name", "web-errors", "--namespace", "app", "--metric-name", "errors", "--statistic", "Sum",
		"--period", "60", "--evaluation-periods", "1", "--threshold", "5", "--comparison-operator", "GreaterThanThreshold",
		"--dimensions", "Name=Service,Value=web")
	h.aws("cloudwatch", "set-alarm-state", "--alarm-name", "web-errors", "--state-value", "ALARM", "--state-reason", "by hand")
	out := h.aws("cloudwatch", "describe-alarms")
	h.printsAll(out, "MetricAlarms.0", "AlarmArn", "OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions", "StateUpdatedTimestamp", "ActionsEnabled")
	if value(h, out, "MetricAlarms.0.StateValue") != "ALARM" {
		t.Error(out)
	}
	if out, err := h.cli("cloudwatch", "set-alarm-state", "--alarm-name", "x", "--state-value", "OK", "--state-reason", ""); err == nil || !strings.Contains(out, "(ResourceNotFound)") {
		t.Errorf("%v %s", err, out)
	}
}
