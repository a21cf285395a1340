package agenda

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var epoch = time.Unix(0, 0)

func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

func TestAddKeepsTheEarlierTimeAndSetTheLast(t *testing.T) {
	t.Parallel()
	var a Agenda[string]
	a.Add("x", at(5))
	a.Add("x", at(9))
	if next, _ := a.Next(); !next.Equal(at(5)) {
		t.Errorf("after Add(9) it is due at %s", next)
	}
	a.Set("x", at(9))
	if next, _ := a.Next(); !next.Equal(at(9)) {
		t.Errorf("after Set(9) it is due at %s", next)
	}
	a.Drop("x")
	a.Drop("x")
	if _, ok := a.Next(); ok || a.Len() != 0 {
		t.Error("it is still on the agenda")
	}
}

func TestDueTakesNoMoreThanItsLimitAndTheEarliestFirst(t *testing.T) {
	t.Parallel()
	var a Agenda[string]
	for i, name := range []string{"c", "a", "b", "later"} {
		a.Add(name, at([]int{3, 1, 1, 9}[i]))
	}
	if diff := cmp.Diff([]string{"a", "b"}, a.Due(at(5), 2)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"c"}, a.Due(at(5), 2)); diff != "" {
		t.Error(diff)
	}
	if a.Due(at(5), 2) != nil {
		t.Error("what is due later was taken")
	}
}

// TestAgendaAnswersAsAMapWould holds it against the plainest thing that does the same.
func TestAgendaAnswersAsAMapWould(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var a Agenda[int]
		plain := map[int]time.Time{}
		key, second := rapid.IntRange(0, 9), rapid.IntRange(0, 20)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				k, s := key.Draw(t, "key"), at(second.Draw(t, "at"))
				a.Add(k, s)
				if old, ok := plain[k]; !ok || s.Before(old) {
					plain[k] = s
				}
			},
			"set": func(t *rapid.T) {
				k, s := key.Draw(t, "key"), at(second.Draw(t, "at"))
				a.Set(k, s)
				plain[k] = s
			},
			"drop": func(t *rapid.T) {
				k := key.Draw(t, "key")
				a.Drop(k)
				delete(plain, k)
			},
			"due": func(t *rapid.T) {
				now := at(second.Draw(t, "now"))
				got := a.Due(now, 100)
				var want []int
				for k, s := range plain {
					if !s.After(now) {
						want = append(want, k)
					}
				}
				for i := 1; i < len(got); i++ {
					if plain[got[i]].Before(plain[got[i-1]]) {
						t.Fatalf("out of order: %v", got)
					}
				}
				for _, k := range want {
					delete(plain, k)
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("due %v, want %v", got, want)
				}
			},
			"": func(t *rapid.T) {
				if a.Len() != len(plain) {
					t.Fatalf("%d entries, want %d", a.Len(), len(plain))
				}
			},
		})
	})
}
