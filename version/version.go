// Package version reads and writes versions of the form major.minor.patch.TAG, whose TAG comes from the branch.
package version

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// Number is the numeric part of a version: semantic versioning's major.minor.patch.
type Number struct {
	Major, Minor, Patch uint64
}

// Tag is the last part of a version, for example RELEASE or MILESTONE: one to 64 of the characters A-Z a-z 0-9 _ and -.
type Tag string

// Release is the tag that the highest of several versions with the same number has.
const Release Tag = "RELEASE"

// Version is a whole version, for example 1.0.15.RELEASE. The zero value is no version.
type Version struct {
	Number Number
	Tag    Tag
}

// maxTag keeps a version within the 128 characters that a container image's tag may have.
const maxTag = 64

// Parse reads major.minor.patch.TAG. What Parse accepts, String writes back unchanged.
func Parse(s string) (Version, error) {
	parts := strings.SplitN(s, ".", 4)
	if len(parts) != 4 {
		return Version{}, invalid(s, "expected major.minor.patch.TAG, for example 1.0.15.RELEASE")
	}
	n, err := ParseNumber(strings.Join(parts[:3], "."))
	if err != nil {
		return Version{}, invalid(s, "expected major.minor.patch.TAG, for example 1.0.15.RELEASE")
	}
	if err := CheckTag(parts[3]); err != nil {
		return Version{}, fault.New(fault.Invalid, "%q is not a version: %w", s, err)
	}
	return Version{Number: n, Tag: Tag(parts[3])}, nil
}

func invalid(s, hint string) error {
	return fault.New(fault.Invalid, "%q is not a version", s).WithHint("%s", hint)
}

// ParseNumber reads major.minor.patch, three decimal numbers without leading zeros.
func ParseNumber(s string) (Number, error) {
	var n Number
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return Number{}, notANumber(s)
	}
	for i, to := range []*uint64{&n.Major, &n.Minor, &n.Patch} {
		v, ok := parseDecimal(parts[i])
		if !ok {
			return Number{}, notANumber(s)
		}
		*to = v
	}
	return n, nil
}

func notANumber(s string) error {
	return fault.New(fault.Invalid, "%q is not a version number", s).
		WithHint("expected major.minor.patch, for example 1.0.15")
}

// parseDecimal reads a decimal number of at most 18 digits, so that adding commits to it cannot overflow.
func parseDecimal(s string) (uint64, bool) {
	if s == "" || len(s) > 18 || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	v, err := strconv.ParseUint(s, 10, 64)
	return v, err == nil
}

// CheckTag returns an error when s cannot be the tag of a version.
func CheckTag(s string) error {
	if s == "" {
		return fault.New(fault.Invalid, "a version's tag is empty").WithHint("write one, for example RELEASE")
	}
	if len(s) > maxTag {
		return fault.New(fault.Invalid, "the tag %q has %d characters", s, len(s)).WithHint("at most %d", maxTag)
	}
	for _, c := range []byte(s) {
		if !isTagByte(c) {
			return fault.New(fault.Invalid, "the tag %q contains %q", s, c).
				WithHint("letters, digits, _ and - are allowed")
		}
	}
	return nil
}

func isTagByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// String writes major.minor.patch.TAG.
func (v Version) String() string { return v.Number.String() + "." + string(v.Tag) }

// IsZero reports whether v is no version at all.
func (v Version) IsZero() bool { return v == Version{} }

// MarshalText writes the version as text, for JSON and flags.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Version) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}

// String writes major.minor.patch.
func (n Number) String() string { return fmt.Sprintf("%d.%d.%d", n.Major, n.Minor, n.Patch) }

// Compare orders versions by number; of the same number RELEASE is the highest, other tags go by their text.
func Compare(a, b Version) int {
	return cmp.Or(
		CompareNumbers(a.Number, b.Number),
		compareBool(a.Tag == Release, b.Tag == Release),
		strings.Compare(string(a.Tag), string(b.Tag)),
	)
}

// CompareNumbers orders numbers by major, then minor, then patch.
func CompareNumbers(a, b Number) int {
	return cmp.Or(cmp.Compare(a.Major, b.Major), cmp.Compare(a.Minor, b.Minor), cmp.Compare(a.Patch, b.Patch))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
