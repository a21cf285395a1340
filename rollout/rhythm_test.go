package rollout

import (
	"testing"
	"time"
)

func TestTheRhythmOfASchedulerIsTheGapBetweenItsDecisions(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		at   []float64 // seconds ago, the newest first
		want time.Duration
	}{
		"nothing was ever said":                  {nil, 0},
		"one message":                            {[]float64{5}, 0},
		"a rolling update of ECS":                {[]float64{0, .001, 10.3, 20.4, 20.41, 40.8, 50.2}, 9400 * time.Millisecond},
		"twenty times as fast":                   {[]float64{0, .5, 1.0, 1.001, 2.0, 2.5}, 500 * time.Millisecond},
		"several messages of one decision":       {[]float64{0, .001, .002, 10}, 9998 * time.Millisecond},
		"steady states six hours apart":          {[]float64{0, 21600, 43200}, 0},
		"somebody's doing between two decisions": {[]float64{0, 10, 20, 23, 30, 40, 50, 60}, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen Observed
			for _, ago := range tc.at {
				seen.Events = append(seen.Events, Event{At: noon.Add(-time.Duration(ago * float64(time.Second)))})
			}
			if got := Rhythm(seen).Round(time.Millisecond); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}
