package awswire

import (
	"math"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestPlansAreMadeByManyAtOnce(t *testing.T) {
	t.Parallel()
	out := &ecs.DescribeServicesOutput{Services: []ecstypes.Service{{Deployments: []ecstypes.Deployment{{}}}}}
	want, err := (&jsonWriter{}).write(nil, out)
	if err != nil {
		t.Fatal(err)
	}
	var w jsonWriter
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got, err := w.write(nil, out); err != nil || string(got) != string(want) {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
	group.Wait()
}

func TestScalarsAreWrittenAsAWSWritesThem(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 2, 20, 11, 41, 408999999, time.FixedZone("x", 3600))
	for want, got := range map[string][]byte{
		"1783023101.408":                        timeJSON(t, &jsonWriter{}, at.Add(time.Hour)),
		`"-Infinity"`:                           appendFloat(nil, math.Inf(-1), 64),
		`"NaN"`:                                 appendFloat(nil, math.NaN(), 64),
		"0.1":                                   appendFloat(nil, float64(float32(0.1)), 32),
		"1e+21":                                 appendFloat(nil, 1e21, 64),
		"100000":                                appendFloat(nil, 1e5, 64),
		"\"a\\u001b\ufffd<\"":                   appendString(nil, "a\x1b\xff<"),
		`"2026-07-02T20:11:41.408999999+01:00"`: timeJSON(t, &jsonWriter{stored: true}, at),
		`"2026-07-02T19:11:41.408Z"`:            timeJSON(t, &jsonWriter{iso: true}, at),
	} {
		if string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func timeJSON(t *testing.T, w *jsonWriter, at time.Time) []byte {
	t.Helper()
	b, err := w.timePlan(nil)(nil, reflect.ValueOf(at))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
