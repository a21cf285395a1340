package fault

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a user's file. Line and Column count from 1, columns in characters; 0 means unknown.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns file:line:column, leaving out what is unknown.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// Problem is one mistake in a user's file: where it is, what was found or expected, and what to do.
type Problem struct {
	Position Position `json:"position"`
	Message  string   `json:"message"` // what was found, and what was expected
	Hint     string   `json:"hint,omitempty"`
}

// String returns the problem on one line: position, message, and the hint in parentheses.
func (p Problem) String() string {
	s := p.Message
	if pos := p.Position.String(); pos != "" {
		s = pos + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Problems are all the mistakes found in a user's files. As an error it has the kind Invalid.
type Problems []Problem

// Error returns every problem on a line of its own.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Add appends a problem at a position.
func (ps *Problems) Add(pos Position, hint, format string, args ...any) {
	*ps = append(*ps, Problem{Position: pos, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// Err returns the problems, sorted by position, as an error, or nil when there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Position.File, b.Position.File),
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
		)
	})
	return sorted
}
