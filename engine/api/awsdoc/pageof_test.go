package awsdoc_test

import (
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// pages goes through all pages of a list.
func pages(t *rapid.T, page func(token *string) ([]string, *string, bool)) (all [][]string) {
	var token *string
	for {
		cut, next, ok := page(token)
		if !ok {
			t.Fatalf("the token %q is refused", awsdoc.Or(token, ""))
		}
		all = append(all, cut)
		if token = next; token == nil {
			return all
		}
	}
}

func TestPagesOfASortedSequenceAreThoseOfItsList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.StringMatching("[a-c]{1,3}"), rapid.ID).Draw(t, "keys")
		slices.Sort(keys)
		size := rapid.IntRange(1, 5).Draw(t, "size")
		asked := 0
		from := func(after string) iter.Seq[string] {
			return func(yield func(string) bool) {
				asked = 0
				for _, key := range keys {
					if key <= after {
						continue
					}
					if asked++; !yield(key) {
						return
					}
				}
			}
		}
		want := pages(t, func(token *string) ([]string, *string, bool) {
			return awsdoc.Page(slices.Clone(keys), awsdoc.Ascending, token, size)
		})
		got := pages(t, func(token *string) ([]string, *string, bool) {
			cut, next, ok := awsdoc.PageOf(from, token, size)
			if asked > size+1 {
				t.Fatalf("%d keys were asked for, for a page of %d", asked, size)
			}
			return cut, next, ok
		})
		if diff := cmp.Diff(slices.Concat(want...), slices.Concat(got...)); diff != "" || len(want) != len(got) {
			t.Error(diff)
		}
	})
	foreign := "bm9uZSBvZiBvdXJz"
	if _, _, ok := awsdoc.PageOf(func(string) iter.Seq[string] { return slices.Values([]string{"a"}) }, &foreign, 1); ok {
		t.Error("a token that was not given out here is taken")
	}
}
