// Package awsdoc moves members between AWS's documents without naming them one by one.
package awsdoc

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

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

// Page cuts one page out of keys, sorted by order: at most size of them, after the one that the token names. The token
// is opaque to clients and stays true when keys come and go between two pages; ok is false when it is none of ours.
func Page(keys []string, order func(a, b string) int, token *string, size int) (cut []string, next *string, ok bool) {
	slices.SortFunc(keys, order)
	if t := Or(token, ""); t != "" {
		last, err := base64.RawURLEncoding.DecodeString(t)
		if err != nil {
			return nil, nil, false
		}
		at, found := slices.BinarySearchFunc(keys, string(last), order)
		if found {
			at++
		}
		keys = keys[at:]
	}
	if len(keys) <= size {
		return keys, nil, true
	}
	cut = keys[:size]
	return cut, Text("%s", base64.RawURLEncoding.EncodeToString([]byte(cut[size-1]))), true
}

// Ascending is the order of keys that most lists have.
func Ascending(a, b string) int { return strings.Compare(a, b) }

// Descending is the order of lists that begin with the newest.
func Descending(a, b string) int { return strings.Compare(b, a) }
