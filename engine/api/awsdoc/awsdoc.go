// Package awsdoc moves members between AWS's documents without naming them one by one.
package awsdoc

import "fmt"

// Or returns what p points to, or otherwise when it points to nothing.
func Or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// Text returns a pointer to a formatted text, as AWS's documents hold texts.
func Text(format string, args ...any) *string {
	s := fmt.Sprintf(format, args...)
	return &s
}

// List returns the list, an empty one when it is nil: where AWS always sends a list.
func List[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
