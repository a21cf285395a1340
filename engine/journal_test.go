package engine

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

func someWrites() [][]entry {
	name := func(key string) stored { return stored{"cluster", key} }
	return [][]entry{
		{{name("a"), []byte("1")}, {name("b"), []byte("2")}},
		{{name("a"), nil}},
		{{name("c"), []byte{}}, {name("b"), bytes.Repeat([]byte("long"), 100)}},
	}
}

func TestAJournalThatIsCutOffAnywhereHoldsTheWritesBefore(t *testing.T) {
	t.Parallel()
	var data []byte
	ends := map[int][]entry{0: nil}
	for _, changes := range someWrites() {
		before := ends[len(data)]
		data = append(data, frameOf(changes)...)
		ends[len(data)] = slices.Concat(before, changes)
	}
	whole := 0
	for cut := range len(data) + 1 {
		if _, ok := ends[cut]; ok {
			whole = cut
		}
		got, until, err := readFrames(data[:cut])
		if err != nil || until != whole {
			t.Fatalf("cut at %d: whole until %d, want %d; %v", cut, until, whole, err)
		}
		if diff := cmp.Diff(ends[whole], got, cmp.AllowUnexported(entry{}, stored{})); diff != "" {
			t.Fatalf("cut at %d: %s", cut, diff)
		}
	}
}

func FuzzFrames(f *testing.F) {
	var all []byte
	for _, changes := range someWrites() {
		f.Add(frameOf(changes))
		all = append(all, frameOf(changes)...)
	}
	f.Add(all)
	f.Fuzz(func(t *testing.T, data []byte) {
		changes, whole, err := readFrames(data)
		if err != nil {
			return
		}
		if whole > len(data) {
			t.Fatalf("%d of %d bytes are whole", whole, len(data))
		}
		if len(changes) == 0 {
			return
		}
		again, _, err := readFrames(frameOf(changes))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(changes, again, cmp.AllowUnexported(entry{}, stored{})); diff != "" {
			t.Error(diff)
		}
	})
}

func clusterNamed(name, status string) *state.Cluster {
	return &state.Cluster{Name: state.ClusterName(name), Doc: types.Cluster{Status: aws.String(status)}}
}

// kill lets go of a store as the end of its process does.
func (s *store) kill() {
	s.rest()
	_ = s.release()
}

func TestAStoreHoldsWhatWasCommittedWheneverItWasKilled(t *testing.T) {
	t.Parallel()
	base, tries := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		tries++
		dir := filepath.Join(base, fmt.Sprint(tries))
		want := map[string]string{}
		for range rapid.IntRange(1, 4).Draw(t, "lives") {
			s, err := openStore(dir)
			if err != nil {
				t.Fatal(err)
			}
			s.limit = rapid.Int64Range(1, 300).Draw(t, "limit")
			if diff := cmp.Diff(want, statuses(t, s)); diff != "" {
				t.Fatal(diff)
			}
			for range rapid.IntRange(0, 12).Draw(t, "writes") {
				commitSome(t, s, want)
			}
			if rapid.Bool().Draw(t, "killed") {
				s.kill()
			} else if err := s.close(); err != nil {
				t.Fatal(err)
			} else if left, _ := filepath.Glob(filepath.Join(dir, journalName+"*")); len(left) > 0 {
				t.Fatalf("a store that was closed leaves %q", left)
			}
		}
	})
}

func statuses(t *rapid.T, s *store) map[string]string {
	records, err := s.load()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, r := range records {
		found[r.Key()] = *r.(*state.Cluster).Doc.Status
	}
	return found
}

func commitSome(t *rapid.T, s *store, model map[string]string) {
	next := maps.Clone(model)
	var changes []state.Change
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 3, rapid.ID).Draw(t, "names") {
		c := state.Change{Kind: state.KindCluster, Key: name}
		if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
			delete(next, name)
		} else {
			next[name] = fmt.Sprint(rapid.IntRange(0, 999).Draw(t, "status"))
			c.After = clusterNamed(name, next[name])
		}
		changes = append(changes, c)
	}
	if err := s.commit(changes); err != nil {
		t.Fatal(err)
	}
	clear(model)
	maps.Copy(model, next)
}

// killed leaves a directory with two journals, of which the second was being written.
func killed(t *testing.T) (o Options, journals []string) {
	t.Helper()
	o = options(t, newFake())
	s, err := openStore(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"a", "b", "c"} {
		if i == 2 { // a full journal that the database has not taken over
			if s.now, err = newJournal(o.Dir, 7); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.commit([]state.Change{{Kind: state.KindCluster, Key: name, After: clusterNamed(name, "ACTIVE")}}); err != nil {
			t.Fatal(err)
		}
	}
	s.kill()
	return o, []string{journalPath(o.Dir, 0), journalPath(o.Dir, 7)}
}

func TestJournalsOfAKilledEngineAreReadOrRefused(t *testing.T) {
	t.Parallel()
	cut := func(t *testing.T, path string) {
		info, err := os.Stat(path)
		if err == nil {
			err = os.Truncate(path, info.Size()-1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	spoil := func(t *testing.T, path string) {
		data, err := os.ReadFile(path)
		if err == nil {
			data[len(data)/2]++
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		do   func(t *testing.T, journals []string)
		want []string
		kind fault.Kind
	}{
		"whole":                           {func(*testing.T, []string) {}, []string{"a", "b", "c"}, ""},
		"the last write was not finished": {func(t *testing.T, j []string) { cut(t, j[1]) }, []string{"a", "b"}, ""},
		"an earlier journal is cut off":   {func(t *testing.T, j []string) { cut(t, j[0]) }, nil, fault.Corrupt},
		"a byte is another one":           {func(t *testing.T, j []string) { spoil(t, j[0]) }, nil, fault.Corrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, journals := killed(t)
			tc.do(t, journals)
			for range 2 { // the second time the database has what the journals had, or the same is wrong
				e, err := Open(t.Context(), o)
				if tc.kind != "" {
					if fault.KindOf(err) != tc.kind {
						t.Errorf("got %v", err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for c := range e.DB().Read().Clusters() {
					got = append(got, string(c.Name))
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Error(diff)
				}
				if err := e.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
