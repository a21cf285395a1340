package cloudwatchapi

import (
	"context"
	"math"
	"slices"
	"time"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/metrics"
)

func invalid(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: awsdoc.Text(format, args...)}
}

// PutMetricData keeps data points. Unlike with AWS, those of AWS's own namespaces can be put: nobody else would.
func (s *Server) PutMetricData(_ context.Context, in *cw.PutMetricDataInput) (*cw.PutMetricDataOutput, error) {
	switch {
	case len(in.EntityMetricData) > 0:
		return nil, notServed("EntityMetricData")
	case len(in.MetricData) == 0:
		return nil, &types.MissingRequiredParameterException{Message: awsdoc.Text("The parameter MetricData is required.")}
	case len(in.MetricData) > 1000:
		return nil, invalid("The parameter MetricData has more than 1000 members.")
	}
	now := s.engine.Now()
	points := make([]metrics.Point, 0, len(in.MetricData))
	series := make([]metrics.Series, 0, len(in.MetricData))
	for _, d := range in.MetricData { // all or nothing
		all, err := pointsOf(d, now)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			points, series = append(points, p), append(series, metrics.SeriesOf(*in.Namespace, *d.MetricName, d.Dimensions))
		}
	}
	for i, p := range points {
		if !s.engine.Metrics().Put(series[i], p) {
			return nil, &types.LimitExceededException{Message: awsdoc.Text("This engine keeps at most %d metrics.", metrics.MaxSeries)}
		}
	}
	return &cw.PutMetricDataOutput{}, nil
}

func pointsOf(d types.MetricDatum, now time.Time) ([]metrics.Point, error) {
	at := awsdoc.Or(d.Timestamp, now)
	if at.Before(now.Add(-14*24*time.Hour)) || at.After(now.Add(2*time.Hour)) {
		return nil, invalid("The parameter MetricData.member.Timestamp must specify a time within the past two weeks.")
	}
	if len(d.Dimensions) > 30 {
		return nil, invalid("A metric has at most 30 dimensions.")
	}
	values, counts := d.Values, d.Counts
	if d.Value != nil {
		values = append(slices.Clone(values), *d.Value)
	}
	if set := d.StatisticValues; set != nil {
		if len(values) > 0 {
			return nil, &types.InvalidParameterCombinationException{Message: awsdoc.Text("StatisticValues must not be specified together with Value or Values.")}
		}
		return []metrics.Point{{At: at, Count: *set.SampleCount, Sum: *set.Sum, Min: *set.Minimum, Max: *set.Maximum, Unit: d.Unit}}, nil
	}
	if len(values) == 0 || len(values) > 150 || len(counts) > 0 && len(counts) != len(values) {
		return nil, &types.InvalidParameterCombinationException{Message: awsdoc.Text("A datum has Value, 1 to 150 Values with as many Counts or none, or StatisticValues.")}
	}
	points := make([]metrics.Point, len(values))
	for i, v := range values {
		count := 1.0
		if len(counts) > 0 {
			count = counts[i]
		}
		if math.IsNaN(v) || math.IsInf(v, 0) || math.IsNaN(count) || count <= 0 || math.IsInf(count, 0) {
			return nil, invalid("The value %v for parameter MetricData.member.Value is invalid.", v)
		}
		points[i] = metrics.Point{At: at, Count: count, Sum: v * count, Min: v, Max: v, Unit: d.Unit}
	}
	return points, nil
}

// GetMetricStatistics returns statistics of one metric by period, oldest first.
func (s *Server) GetMetricStatistics(_ context.Context, in *cw.GetMetricStatisticsInput) (*cw.GetMetricStatisticsOutput, error) {
	period := time.Duration(awsdoc.Or(in.Period, 0)) * time.Second
	switch {
	case len(in.ExtendedStatistics) > 0:
		return nil, notServed("ExtendedStatistics")
	case len(in.Statistics) == 0:
		return nil, &types.MissingRequiredParameterException{Message: awsdoc.Text("The parameter Statistics is required.")}
	case period <= 0:
		return nil, invalid("The parameter Period must be greater than 0.")
	case !in.StartTime.Before(*in.EndTime):
		return nil, invalid("The parameter StartTime must be less than the parameter EndTime.")
	case in.EndTime.Sub(*in.StartTime)/period > 1440:
		return nil, &types.InvalidParameterCombinationException{Message: awsdoc.Text("You have requested more datapoints than the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.")}
	}
	out := &cw.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []types.Datapoint{}}
	series := metrics.SeriesOf(*in.Namespace, *in.MetricName, in.Dimensions)
	for begin, p := range s.engine.Metrics().Periods(series, *in.StartTime, *in.EndTime, period, in.Unit) {
		d := types.Datapoint{Timestamp: &begin, Unit: unitOf(p)}
		for _, want := range in.Statistics {
			value := p.Statistic(want)
			switch want {
			case types.StatisticSampleCount:
				d.SampleCount = &value
			case types.StatisticAverage:
				d.Average = &value
			case types.StatisticSum:
				d.Sum = &value
			case types.StatisticMinimum:
				d.Minimum = &value
			case types.StatisticMaximum:
				d.Maximum = &value
			default:
				return nil, invalid("The value %s for parameter Statistics is invalid.", want)
			}
		}
		out.Datapoints = append(out.Datapoints, d)
	}
	return out, nil
}

func unitOf(p metrics.Point) types.StandardUnit {
	if p.Unit == "" {
		return types.StandardUnitNone
	}
	return p.Unit
}

// GetMetricData returns one statistic of each metric by period, newest first unless told otherwise.
func (s *Server) GetMetricData(_ context.Context, in *cw.GetMetricDataInput) (*cw.GetMetricDataOutput, error) {
	switch {
	case in.NextToken != nil: // there is but one page
		return nil, &types.InvalidNextToken{Message: awsdoc.Text("Invalid nextToken")}
	case !in.StartTime.Before(*in.EndTime):
		return nil, validation("The parameter StartTime must be less than the parameter EndTime.")
	case len(in.MetricDataQueries) > 500:
		return nil, validation("At most 500 queries can be made at once")
	}
	out := &cw.GetMetricDataOutput{MetricDataResults: []types.MetricDataResult{}}
	for _, q := range in.MetricDataQueries {
		r, err := s.metricData(in, q)
		if err != nil {
			return nil, err
		}
		if awsdoc.Or(q.ReturnData, true) {
			out.MetricDataResults = append(out.MetricDataResults, r)
		}
	}
	return out, nil
}

func (s *Server) metricData(in *cw.GetMetricDataInput, q types.MetricDataQuery) (types.MetricDataResult, error) {
	r := types.MetricDataResult{Id: q.Id, Label: q.Label, StatusCode: types.StatusCodeComplete}
	if q.MetricStat == nil {
		return r, notServed("MetricDataQueries.Expression")
	}
	m, stat := q.MetricStat, types.Statistic(*q.MetricStat.Stat)
	switch {
	case !slices.Contains(stat.Values(), stat):
		return r, validation("The statistic %s is not served by this engine: use one of %v", stat, stat.Values())
	case *m.Period < 1:
		return r, validation("The parameter Period must be greater than 0.")
	}
	if r.Label == nil {
		r.Label = m.Metric.MetricName
	}
	series := metrics.SeriesOf(awsdoc.Or(m.Metric.Namespace, ""), awsdoc.Or(m.Metric.MetricName, ""), m.Metric.Dimensions)
	period := time.Duration(*m.Period) * time.Second
	for begin, p := range s.engine.Metrics().Periods(series, *in.StartTime, *in.EndTime, period, m.Unit) {
		r.Timestamps, r.Values = append(r.Timestamps, begin), append(r.Values, p.Statistic(stat))
	}
	if in.ScanBy != types.ScanByTimestampAscending {
		slices.Reverse(r.Timestamps)
		slices.Reverse(r.Values)
	}
	return r, nil
}

// ListMetrics names the metrics of which there are data.
func (s *Server) ListMetrics(_ context.Context, in *cw.ListMetricsInput) (*cw.ListMetricsOutput, error) {
	var keys []string
	for _, series := range s.engine.Metrics().Series() {
		if fits(series.Metric(), in) {
			keys = append(keys, string(series))
		}
	}
	keys, next, err := page(keys, awsdoc.Ascending, in.NextToken, nil, 500, 500)
	if err != nil {
		return nil, err
	}
	out := &cw.ListMetricsOutput{NextToken: next, Metrics: []types.Metric{}}
	for _, key := range keys {
		out.Metrics = append(out.Metrics, metrics.Series(key).Metric())
	}
	return out, nil
}

func fits(m types.Metric, in *cw.ListMetricsInput) bool {
	return (in.Namespace == nil || *in.Namespace == *m.Namespace) && (in.MetricName == nil || *in.MetricName == *m.MetricName) &&
		!slices.ContainsFunc(in.Dimensions, func(f types.DimensionFilter) bool {
			return !slices.ContainsFunc(m.Dimensions, func(d types.Dimension) bool {
				return *d.Name == *f.Name && (f.Value == nil || *f.Value == *d.Value)
			})
		})
}

func sameDimensions(a, b []types.Dimension) bool {
	return metrics.SeriesOf("", "", a) == metrics.SeriesOf("", "", b)
}
