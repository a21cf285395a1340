// Package suggest finds the name that a user probably meant.
package suggest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// longest is the length in bytes above which a name is not looked for: no name of ours or of AWS is that long, and the
// distance costs the product of two lengths.
const longest = 128

// Nearest returns the candidate most like name, or "" when none is like it. Letter case counts less than letters; of
// equally near candidates the first in sorted order wins, so the answer does not depend on their order.
func Nearest(name string, candidates []string) string {
	if name == "" || len(name) > longest {
		return ""
	}
	best, bestDistance := "", 1+utf8.RuneCountInString(name)/3
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if len(c) > longest {
			continue
		}
		if strings.EqualFold(c, name) {
			return c
		}
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = c, d
		}
	}
	return best
}

// Hint returns `did you mean "x"?` for the candidate nearest to name, and "" when none is near.
func Hint(name string, candidates []string) string {
	if n := Nearest(name, candidates); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	return ""
}

// HintOrList is Hint, and where nothing is near it lists the candidates: `one of a, b, c`.
func HintOrList(name string, candidates []string) string {
	if h := Hint(name, candidates); h != "" {
		return h
	}
	if len(candidates) == 0 {
		return ""
	}
	return "one of " + strings.Join(slices.Sorted(slices.Values(candidates)), ", ")
}

// distance is the number of letters to insert, delete, replace or swap with their neighbour to turn a into b (optimal
// string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, above := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range above {
		above[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(t)]
}
