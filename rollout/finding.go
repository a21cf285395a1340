package rollout

import (
	"cmp"
	"slices"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
)

// FindingKind says how much a finding weighs.
type FindingKind string

// The kinds of findings. Only a problem keeps a rollout from beginning: it makes it certain to fail.
const (
	Problem     FindingKind = "problem"
	Warning     FindingKind = "warning"   // it may fail, or what is seen now may have passed by then
	NotVerified FindingKind = "unchecked" // nobody could say, or was allowed to
)

// Finding is one thing that was found out before a rollout began, or that could not be.
type Finding struct {
	Kind     FindingKind     `json:"kind"`
	Subject  string          `json:"subject"` // what it is about: image 127.0.0.1:4566/web:1.0.0
	Text     string          `json:"text"`    // what is the matter with it
	Hint     string          `json:"hint,omitempty"`
	Document descriptor.Kind `json:"document,omitempty"` // that asks for it; absent where the service that runs does
	Path     string          `json:"path,omitempty"`     // of the member in it
	Position *fault.Position `json:"position,omitempty"` // of the member in a user's file
}

// String returns the finding on one line, without its hint.
func (f Finding) String() string {
	if f.Subject == "" {
		return f.Text
	}
	return f.Subject + ": " + f.Text
}

// Problems returns those findings that are problems.
func Problems(all []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Kind != Problem })
}

func (f Finding) place() fault.Position {
	if f.Position == nil {
		return fault.Position{}
	}
	return *f.Position
}

// Sorted returns findings in the order in which they are told, each once: problems first, then by document and place, then by
// what they are about.
func Sorted(all []Finding) []Finding {
	weight := map[FindingKind]int{Problem: 0, Warning: 1, NotVerified: 2}
	order := map[descriptor.Kind]int{"": len(descriptor.Kinds())}
	for i, kind := range descriptor.Kinds() {
		order[kind] = i
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(weight[a.Kind], weight[b.Kind]), cmp.Compare(order[a.Document], order[b.Document]),
			cmp.Compare(a.place().Line, b.place().Line), cmp.Compare(a.place().Column, b.place().Column), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Text, b.Text), cmp.Compare(a.Path, b.Path),
		)
	})
	return slices.CompactFunc(sorted, func(a, b Finding) bool {
		return a.Kind == b.Kind && a.Subject == b.Subject && a.Text == b.Text
	})
}
