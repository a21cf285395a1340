package rollout

import (
	"testing"

	"pgregory.net/rapid"
)

func TestForesee(t *testing.T) {
	t.Parallel()
	small := Need{CPU: 256, Memory: 512}
	fixed := Need{CPU: 256, Memory: 512, Ports: []string{"80/tcp"}}
	room := func(tasks int) Room { return Room{CPU: 256 * tasks, Memory: 512 * tasks} }
	holding := func(old int) Room {
		return Room{CPU: 1024, Memory: 2048, Old: old, Taken: map[string]bool{"80/tcp": old > 0}}
	}
	for name, tc := range map[string]struct {
		play Replacement
		want Forecast
	}{
		"a first deployment finds room":              {Replacement{New: small, Count: 3, Minimum: 100, Maximum: 200, Rooms: []Room{room(2), room(1)}}, Forecast{Placed: 3}},
		"a first deployment finds room for some":     {Replacement{New: small, Count: 3, Minimum: 100, Maximum: 200, Rooms: []Room{room(1), room(1)}}, Forecast{Placed: 2, Lack: "CPU"}},
		"one place more is enough for all, in turns": {Replacement{New: small, Old: small, Count: 3, Minimum: 100, Maximum: 200, Rooms: []Room{{CPU: 256, Memory: 512, Old: 3}}}, Forecast{Placed: 3}},
		"none is left and no old task may stop":      {Replacement{New: small, Old: small, Count: 3, Minimum: 100, Maximum: 200, Rooms: []Room{{CPU: 0, Memory: 512, Old: 3}}}, Forecast{Lack: "CPU"}},
		"none is left, and old tasks go first":       {Replacement{New: small, Old: small, Count: 3, Minimum: 50, Maximum: 100, Rooms: []Room{{Old: 3}}}, Forecast{Placed: 3}},
		"new tasks are larger than what old ones leave": {
			Replacement{New: Need{Memory: 1024}, Old: Need{Memory: 512}, Count: 1, Minimum: 0, Maximum: 100, Rooms: []Room{{Old: 1}}},
			Forecast{Lack: "memory"},
		},
		"old tasks hold the fixed port on every instance": {
			Replacement{New: fixed, Old: fixed, Count: 2, Minimum: 100, Maximum: 200, Rooms: []Room{holding(1), holding(1)}},
			Forecast{Lack: "port 80/tcp"},
		},
		"one instance has the fixed port free": {
			Replacement{New: fixed, Old: fixed, Count: 2, Minimum: 100, Maximum: 200, Rooms: []Room{holding(1), holding(1), holding(0)}},
			Forecast{Placed: 2},
		},
		"neither bound lets a task move":   {Replacement{New: small, Old: small, Count: 1, Minimum: 100, Maximum: 100, Rooms: []Room{{CPU: 999, Memory: 999, Old: 1}}}, Forecast{Squeezed: true}},
		"the maximum is rounded down":      {Replacement{New: small, Old: small, Count: 1, Minimum: 100, Maximum: 150, Rooms: []Room{{CPU: 999, Memory: 999, Old: 1}}}, Forecast{Squeezed: true}},
		"the minimum is rounded up":        {Replacement{New: small, Old: small, Count: 3, Minimum: 67, Maximum: 100, Rooms: []Room{{CPU: 999, Memory: 999, Old: 3}}}, Forecast{Squeezed: true}},
		"each task wants its own instance": {Replacement{New: small, Count: 2, Minimum: 100, Maximum: 200, Apart: true, Rooms: []Room{room(9)}}, Forecast{Placed: 1, Lack: "a machine of its own"}},
		"there are no instances":           {Replacement{New: small, Count: 1, Minimum: 100, Maximum: 200}, Forecast{Lack: "instances"}},
		"nothing is wanted":                {Replacement{Minimum: 100, Maximum: 200}, Forecast{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Foresee(tc.play); got != tc.want {
				t.Errorf("Foresee = %+v, want %+v", got, tc.want)
			}
		})
	}
}

// TestForeseeEndsAndLeavesItsRoomsAlone plays any replacement through: it ends, places no more than is wanted, says why it
// placed fewer, and changes nothing of what it was given.
func TestForeseeEndsAndLeavesItsRoomsAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		need := rapid.Custom(func(t *rapid.T) Need {
			n := Need{CPU: rapid.IntRange(0, 4).Draw(t, "cpu"), Memory: rapid.IntRange(0, 4).Draw(t, "memory")}
			if rapid.Bool().Draw(t, "fixed") {
				n.Ports = []string{"80/tcp"}
			}
			return n
		})
		r := Replacement{
			New: need.Draw(t, "new"), Old: need.Draw(t, "old"), Count: rapid.IntRange(0, 6).Draw(t, "count"),
			Minimum: rapid.IntRange(0, 100).Draw(t, "minimum"), Maximum: rapid.IntRange(100, 200).Draw(t, "maximum"), Apart: rapid.Bool().Draw(t, "apart"),
		}
		for range rapid.IntRange(0, 4).Draw(t, "rooms") {
			r.Rooms = append(r.Rooms, Room{
				CPU: rapid.IntRange(0, 8).Draw(t, "left"), Memory: rapid.IntRange(0, 8).Draw(t, "memory left"),
				Taken: map[string]bool{"80/tcp": rapid.Bool().Draw(t, "taken")}, Old: rapid.IntRange(0, 3).Draw(t, "old tasks"),
			})
		}
		first := Foresee(r)
		if first.Placed > r.Count || (first.Placed == r.Count) != (first.Lack == "" && !first.Squeezed) {
			t.Fatalf("%+v of %+v", first, r)
		}
		if again := Foresee(r); again != first {
			t.Fatalf("%+v, and then %+v", first, again)
		}
	})
}

func TestFindingsAreSortedByWeightAndToldOnce(t *testing.T) {
	t.Parallel()
	sorted := Sorted([]Finding{
		{Kind: NotVerified, Subject: "a", Text: "x"},
		{Kind: Problem, Subject: "b", Text: "x"},
		{Kind: Warning, Subject: "a", Text: "x"},
		{Kind: Problem, Subject: "a", Text: "x"},
		{Kind: Problem, Subject: "b", Text: "x"},
	})
	var got []string
	for _, f := range sorted {
		got = append(got, string(f.Kind)+" "+f.String())
	}
	want := []string{"problem a: x", "problem b: x", "warning a: x", "unchecked a: x"}
	if len(got) != len(want) {
		t.Fatalf("%q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
	if n := len(Problems(sorted)); n != 2 {
		t.Errorf("%d problems", n)
	}
}
