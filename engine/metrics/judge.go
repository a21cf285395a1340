package metrics

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Beyond the periods that an alarm counts, this many older ones are looked at to make up for missing ones. [CloudWatch
// User Guide, "Configuring how CloudWatch alarms treat missing data": an evaluation range of 5 for 3 periods]
const spare = 2

// Verdict is what the data say of an alarm.
type Verdict struct {
	State  types.StateValue
	Reason string
	Values []float64   // of the periods that were looked at, newest first
	Begins []time.Time // of the same periods
}

// Judged reports whether an alarm's state is found from its data: those with a static threshold of one of the standard
// statistics. The state of others changes only when it is set.
func Judged(a types.MetricAlarm) bool {
	return a.MetricName != nil && a.Statistic != "" && a.Threshold != nil && a.Period != nil && a.EvaluationPeriods != nil &&
		symbol(a.ComparisonOperator) != ""
}

// Range is how far back the data go that an alarm is judged by.
func Range(a types.MetricAlarm, period time.Duration) time.Duration {
	return time.Duration(aws.ToInt32(a.EvaluationPeriods)+spare) * period
}

// Judge finds the state of an alarm at the end of a period from the statistics of the periods before; it has one or none
// for each begin. The state that the alarm has stays where the data say nothing. [CloudWatch User Guide, "Configuring how CloudWatch
// alarms treat missing data", both tables]
func Judge(a types.MetricAlarm, end time.Time, period time.Duration, data map[time.Time]float64) Verdict {
	n := int(aws.ToInt32(a.EvaluationPeriods))
	v := Verdict{State: a.StateValue}
	oldestBreach, breaching, fine := 0, 0, 0
	for age := 1; age <= n+spare && len(v.Values) < n; age++ {
		begin := end.Add(-time.Duration(age) * period)
		value, ok := data[begin]
		if !ok {
			continue
		}
		v.Values, v.Begins = append(v.Values, value), append(v.Begins, begin)
		if breaches(a, value) {
			breaching, oldestBreach = breaching+1, age
		} else {
			fine++
		}
	}
	v.State = decide(a, breaching, fine, n-len(v.Values), oldestBreach)
	v.Reason = reason(a, v, breaching, fine)
	return v
}

// decide counts: breaching and fine periods, and those that are missing.
func decide(a types.MetricAlarm, breaching, fine, missing, oldestBreach int) types.StateValue {
	needed := int(aws.ToInt32(a.EvaluationPeriods))
	if m := aws.ToInt32(a.DatapointsToAlarm); m > 0 {
		needed = int(m)
	}
	treat := aws.ToString(a.TreatMissingData)
	if treat == "breaching" {
		breaching += missing
	}
	switch {
	case breaching >= needed:
		return types.StateValueAlarm
	case fine > 0, treat == "breaching", treat == "notBreaching":
		return types.StateValueOk
	case treat == "ignore":
		return a.StateValue
	case breaching == 0:
		return types.StateValueInsufficientData
	case oldestBreach >= needed: // and nothing since that was fine
		return types.StateValueAlarm
	}
	return a.StateValue
}

func breaches(a types.MetricAlarm, value float64) bool {
	threshold := aws.ToFloat64(a.Threshold)
	switch a.ComparisonOperator {
	case types.ComparisonOperatorGreaterThanThreshold:
		return value > threshold
	case types.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return value >= threshold
	case types.ComparisonOperatorLessThanThreshold:
		return value < threshold
	default:
		return value <= threshold
	}
}

// symbol returns AWS's words for a comparison; none for those with anomaly detection.
func symbol(o types.ComparisonOperator) string {
	switch o {
	case types.ComparisonOperatorGreaterThanThreshold:
		return "greater than"
	case types.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return "greater than or equal to"
	case types.ComparisonOperatorLessThanThreshold:
		return "less than"
	case types.ComparisonOperatorLessThanOrEqualToThreshold:
		return "less than or equal to"
	default:
		return ""
	}
}

// reason words a verdict as CloudWatch does: "Threshold Crossed: 1 out of the last 1 datapoints [80.0 (21/11/26 12:00:00)] was
// greater than the threshold (50.0)."
func reason(a types.MetricAlarm, v Verdict, breaching, fine int) string {
	if len(v.Values) == 0 {
		return fmt.Sprintf("Insufficient Data: no datapoints were received for %d periods", aws.ToInt32(a.EvaluationPeriods))
	}
	count, not := breaching, ""
	if v.State != types.StateValueAlarm {
		count, not = fine, "not "
	}
	were := "were"
	if count == 1 {
		were = "was"
	}
	points := make([]string, len(v.Values))
	for i, value := range v.Values {
		points[i] = fmt.Sprintf("%s (%s)", decimal(value), v.Begins[i].Format("02/01/06 15:04:05"))
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints [%s] %s %s%s the threshold (%s).",
		count, len(v.Values), strings.Join(points, ", "), were, not, symbol(a.ComparisonOperator), decimal(aws.ToFloat64(a.Threshold)))
}

// decimal writes a number with a fraction, as Java does.
func decimal(f float64) string {
	s := fmt.Sprint(f)
	if !slices.ContainsFunc([]rune(s), func(r rune) bool { return r == '.' || r == 'e' || r == 'N' || r == 'I' }) {
		s += ".0"
	}
	return s
}
