package rollout

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestWhatIsNeededIsNeverRetired(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) RevisionReport {
			r := RevisionReport{Running: rapid.IntRange(0, 4).Draw(t, "running") == 0}
			if rapid.IntRange(0, 2).Draw(t, "proven") == 0 {
				r.Proven = noon
			}
			return r
		}), 0, 12).Draw(t, "revisions")
		for i := range all {
			all[i].ID, all[i].Newest = RevisionID(rune('a'+i)), i == 0
		}
		keep := rapid.IntRange(0, 14).Draw(t, "keep")
		gone := Retire(all, keep)
		for i, r := range all {
			retired := slices.ContainsFunc(gone, func(g RevisionReport) bool { return g.ID == r.ID })
			free := !r.Running && r.Proven.IsZero() && !r.Newest
			if retired != (free && i >= keep) {
				t.Errorf("revision %d of %d, of which %d are kept: retired %t, %+v", i, len(all), keep, retired, r)
			}
		}
	})
}
