package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// The tables of the CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": 0 is fine, X breaches,
// - is missing; the newest is last. R retains the state, which is OK here.
func TestAlarmsTreatMissingDataAsTheUserGuideSays(t *testing.T) {
	t.Parallel()
	treatments := []string{"missing", "ignore", "breaching", "notBreaching"}
	states := map[byte]types.StateValue{'A': "ALARM", 'O': "OK", 'I': "INSUFFICIENT_DATA", 'R': "OK"}
	for _, row := range []struct {
		needed int32
		data   string
		want   string // one letter for each treatment
	}{
		{3, "0-X-X", "OOOO"},
		{3, "0----", "OOOO"},
		{3, "-----", "IRAO"},
		{3, "0XX-X", "AAAA"},
		{3, "--X--", "ARAO"},
		{2, "0-X-X", "AAAA"},
		{2, "00X0X", "AAAA"},
		{2, "0-X--", "OOAO"},
		{2, "----0", "OOAO"},
		{2, "---X-", "ARAO"},
		{3, "----X", "RRAO"}, // too early to tell
	} {
		for i, treat := range treatments {
			a := alarm(3, row.needed, treat)
			data := map[time.Time]float64{}
			for at, c := range row.data {
				if c != '-' {
					data[noon.Add(time.Duration(at-len(row.data))*time.Minute)] = map[rune]float64{'0': 1, 'X': 9}[c]
				}
			}
			if got := Judge(a, noon, time.Minute, data); got.State != states[row.want[i]] {
				t.Errorf("%d of 3, %s, %s: %s (%s)", row.needed, row.data, treat, got.State, got.Reason)
			}
		}
	}
}

func alarm(periods, needed int32, treat string) types.MetricAlarm {
	return types.MetricAlarm{
		MetricName: aws.String("m"), Statistic: "Average", Period: aws.Int32(60), EvaluationPeriods: &periods, DatapointsToAlarm: &needed,
		Threshold: aws.Float64(5), ComparisonOperator: "GreaterThanThreshold", TreatMissingData: &treat, StateValue: "OK",
	}
}

func TestTheReasonNamesValuesAndThreshold(t *testing.T) {
	t.Parallel()
	v := Judge(alarm(2, 2, ""), noon, time.Minute, map[time.Time]float64{noon.Add(-time.Minute): 9, noon.Add(-2 * time.Minute): 7.5})
	const want = "Threshold Crossed: 2 out of the last 2 datapoints [9.0 (21/11/26 11:59:00), 7.5 (21/11/26 11:58:00)] were greater than the threshold (5.0)."
	if v.Reason != want {
		t.Error(v.Reason)
	}
}

func TestEachComparisonBreachesOnItsSide(t *testing.T) {
	t.Parallel()
	for operator, want := range map[types.ComparisonOperator]string{
		"GreaterThanThreshold": "6", "GreaterThanOrEqualToThreshold": "5 6", "LessThanThreshold": "4", "LessThanOrEqualToThreshold": "4 5",
	} {
		a := alarm(1, 1, "")
		a.ComparisonOperator = operator
		var got []string
		for _, value := range []float64{4, 5, 6} {
			if breaches(a, value) {
				got = append(got, fmt.Sprint(value))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", operator, got, want)
		}
	}
}

func TestOnlyStaticThresholdsOfStandardStatisticsAreJudged(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*types.MetricAlarm){
		"percentile": func(a *types.MetricAlarm) { a.Statistic, a.ExtendedStatistic = "", aws.String("p90") },
		"math":       func(a *types.MetricAlarm) { a.MetricName = nil },
		"anomaly":    func(a *types.MetricAlarm) { a.ComparisonOperator = "GreaterThanUpperThreshold" },
	} {
		a := alarm(1, 1, "")
		if !Judged(a) {
			t.Fatal("a plain alarm is not judged")
		}
		if change(&a); Judged(a) {
			t.Errorf("%s is judged", name)
		}
	}
}

// However points come in, the periods hold all of them once, in order.
func TestPeriodsHoldEveryPointOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.SliceOfN(rapid.IntRange(0, 600), 0, 50).Draw(t, "seconds")
		period := time.Duration(rapid.IntRange(1, 120).Draw(t, "period")) * time.Second
		var store Store
		for _, s := range seconds {
			store.Put("s", Point{At: noon.Add(time.Duration(s) * time.Second), Count: 1, Sum: float64(s), Min: float64(s), Max: float64(s)})
		}
		count, sum := 0.0, 0.0
		last := time.Time{}
		for begin, p := range store.Periods("s", noon, noon.Add(time.Hour), period, "") {
			if !begin.After(last) || !Floor(begin, period).Equal(begin) {
				t.Fatalf("%s after %s", begin, last)
			}
			if p.Min < begin.Sub(noon).Seconds() || p.Max >= begin.Sub(noon).Seconds()+period.Seconds() {
				t.Fatalf("the period at %s holds %v to %v", begin, p.Min, p.Max)
			}
			last, count, sum = begin, count+p.Count, sum+p.Sum
		}
		want := 0.0
		for _, s := range seconds {
			want += float64(s)
		}
		if int(count) != len(seconds) || sum != want {
			t.Fatalf("%v points, sum %v, want %d and %v", count, sum, len(seconds), want)
		}
	})
}

func TestTheStoreIsBounded(t *testing.T) {
	t.Parallel()
	var store Store
	for i := range maxPoints + 10 {
		store.Put("s", Point{At: noon.Add(time.Duration(i) * time.Second), Count: 1})
	}
	if n := len(maps.Collect(store.Periods("s", noon, noon.Add(time.Hour), time.Second, ""))); n != maxPoints {
		t.Errorf("%d points", n)
	}
	for i := range MaxSeries - 1 {
		store.Put(SeriesOf("n", fmt.Sprint(i), nil), Point{At: noon, Count: 1})
	}
	if store.Put("one more", Point{At: noon, Count: 1}) || !store.Put("s", Point{At: noon, Count: 1}) {
		t.Error("the bound of series is not kept")
	}
}

func TestASeriesIsNamedByItsDimensionsInAnyOrder(t *testing.T) {
	t.Parallel()
	d := []types.Dimension{{Name: aws.String("b"), Value: aws.String("2")}, {Name: aws.String("a"), Value: aws.String("1")}}
	first := SeriesOf("n", "m", d)
	slices.Reverse(d)
	if SeriesOf("n", "m", d) != first {
		t.Error("the order matters")
	}
	m := first.Metric()
	if *m.Namespace != "n" || *m.MetricName != "m" || len(m.Dimensions) != 2 || *m.Dimensions[0].Name != "a" {
		t.Errorf("%+v", m)
	}
}
