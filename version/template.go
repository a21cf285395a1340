package version

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// Rule gives the branches that match a pattern their tag. In a pattern, * stands for any text without a slash, ** for
// any text, and ? for one character that is no slash.
type Rule struct {
	Pattern string
	Tag     Tag
}

// Template is a project's version template: which branches yield versions, and with which tag.
type Template struct {
	rules []Rule // in the order in which they are tried
}

// Match is what a template says about a branch. A branch that matches nothing is ignored: that is no error.
type Match struct {
	Matched bool
	Tag     Tag    // empty unless Matched
	Pattern string // the pattern that matched
	Reason  string // why, in words: `branch "feature/x" matches none of development, master, so it is ignored`
}

// NewTemplate returns the template of the rules, whatever their order, or an error for a pattern or tag that cannot be.
func NewTemplate(rules ...Rule) (Template, error) {
	seen := map[string]bool{}
	for _, r := range rules {
		if err := CheckPattern(r.Pattern); err != nil {
			return Template{}, err
		}
		if err := CheckTag(string(r.Tag)); err != nil {
			return Template{}, err
		}
		if seen[r.Pattern] {
			return Template{}, fault.New(fault.Invalid, "the branch pattern %q is given twice", r.Pattern)
		}
		seen[r.Pattern] = true
	}
	sorted := slices.Clone(rules)
	slices.SortFunc(sorted, compareRules)
	return Template{rules: sorted}, nil
}

// compareRules puts exact names before patterns, and the longer, more particular pattern before the shorter one.
func compareRules(a, b Rule) int {
	return cmp.Or(
		-compareBool(isExact(a.Pattern), isExact(b.Pattern)),
		-cmp.Compare(len(a.Pattern), len(b.Pattern)),
		strings.Compare(a.Pattern, b.Pattern),
	)
}

func isExact(pattern string) bool { return !strings.ContainsAny(pattern, "*?") }

// Rules returns the rules in the order in which they are tried.
func (t Template) Rules() []Rule { return slices.Clone(t.rules) }

// Match says which tag the branch has, or why it has none.
func (t Template) Match(branch string) Match {
	if branch == "" {
		return Match{Reason: "the working tree is on no branch, so it is ignored"}
	}
	for _, r := range t.rules {
		if MatchPattern(r.Pattern, branch) {
			return Match{Matched: true, Tag: r.Tag, Pattern: r.Pattern, Reason: matchReason(r, branch)}
		}
	}
	return Match{Reason: fmt.Sprintf("branch %q matches none of %s, so it is ignored", branch, t.patterns())}
}

func matchReason(r Rule, branch string) string {
	if r.Pattern == branch {
		return fmt.Sprintf("branch %q has the tag %s", branch, r.Tag)
	}
	return fmt.Sprintf("branch %q matches %q, which has the tag %s", branch, r.Pattern, r.Tag)
}

func (t Template) patterns() string {
	names := make([]string, len(t.rules))
	for i, r := range t.rules {
		names[i] = r.Pattern
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Version returns the version that number has on the branch. It is a version only if the match is one.
func (t Template) Version(number Number, branch string) (Version, Match) {
	m := t.Match(branch)
	if !m.Matched {
		return Version{}, m
	}
	return Version{Number: number, Tag: m.Tag}, m
}
