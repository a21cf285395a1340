package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

func TestTextsNameTheTasksThatWereStarted(t *testing.T) {
	t.Parallel()
	p := &pass{service: &state.Service{ID: web}, plan: Plan{Start: make([]Start, 11)}}
	p.sayStarts(0)
	ids := []state.TaskID{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}
	want := []string{"(service web) has started 11 tasks: (task a) (task b) (task c) (task d) (task e) (task f) (task g)" +
		" (task h) (task i) (task j) (task k)."}
	if diff := cmp.Diff(want, p.plan.Texts(ids)); diff != "" {
		t.Error(diff)
	}
}

func TestFloorIsRoundedUpAndCeilingDown(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ desired, low, high, floor, ceiling int }{
		{4, 25, 200, 1, 8}, {3, 50, 150, 2, 4}, {1, 100, 150, 1, 1}, {1, 1, 100, 1, 1}, {0, 100, 200, 0, 0}, {7, 0, 133, 0, 9},
	} {
		if f, c := Floor(tc.desired, tc.low), Ceiling(tc.desired, tc.high); f != tc.floor || c != tc.ceiling {
			t.Errorf("%d tasks at %d/%d: %d to %d, want %d to %d", tc.desired, tc.low, tc.high, f, c, tc.floor, tc.ceiling)
		}
	}
}

func TestBackOffDoublesUpToItsLimit(t *testing.T) {
	t.Parallel()
	var got []time.Duration
	for rounds := 1; rounds <= 9; rounds++ {
		got = append(got, BackOff(rounds, NewPace(1)).Truncate(time.Second))
	}
	s := time.Second
	want := []time.Duration{15 * s, 30 * s, 60 * s, 120 * s, 240 * s, 480 * s, 960 * s, 27 * 60 * s, 27 * 60 * s}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := BackOff(1<<30, NewPace(20)); got != 81*time.Second {
		t.Errorf("at speed 20: %s", got)
	}
}

func TestSpeedDividesEveryWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.pace = NewPace(20)
	w.behaviour[1] = behaviour{unhealthy: true}
	w.service(1, checkedContainer, grace(400)) // 20 s
	w.run(30 * time.Second)
	if w.tasks != 1 {
		t.Errorf("%d tasks within the grace period", w.tasks)
	}
	w.run(30 * time.Second)
	if w.tasks < 2 {
		t.Error("the task was not replaced after its grace period")
	}
}

func TestUnknownServicesNeedNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if p := Service(w.db.Read(), web, w.now, w.pace); !p.Empty() || !p.Again.IsZero() {
		t.Errorf("%+v", p)
	}
}
