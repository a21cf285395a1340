package version

import (
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// FromFile reads the number from the content of a version file: one line, blanks around it and a leading v allowed.
func FromFile(content []byte) (Number, error) {
	s := strings.TrimSpace(strings.TrimPrefix(string(content), "\ufeff"))
	if s == "" {
		return Number{}, fault.New(fault.Invalid, "the version file is empty").
			WithHint("write major.minor.patch into it, for example 1.0.15")
	}
	return ParseNumber(strings.TrimPrefix(s, "v"))
}

// FromDescribe reads the number from what `git describe --tags --long --match PATTERN` prints: TAG-COMMITS-gHASH.
//
// The tag without the pattern's text before its first wildcard is major.minor.patch or major.minor. The commits made
// since the tag are added to the patch number (0 when the tag is major.minor), so that two commits never have the
// same version: v1.2.3-4-gabc1234 is 1.2.7, v1.2-4-gabc1234 is 1.2.4.
func FromDescribe(pattern, text string) (Number, error) {
	tag, commits, ok := cutDescribe(strings.TrimSpace(text))
	if !ok {
		return Number{}, fault.New(fault.Invalid, "cannot read %q as the output of git describe --long", text).
			WithHint("expected tag-commits-ghash, for example v1.0.15-0-g1a2b3c4")
	}
	n, err := FromGitTag(pattern, tag)
	if err != nil {
		return Number{}, err
	}
	n.Patch += commits
	return n, nil
}

// FromGitTag reads the number from a git tag that matches the pattern.
func FromGitTag(pattern, tag string) (Number, error) {
	prefix, _, _ := strings.Cut(pattern, "*")
	s := strings.TrimPrefix(strings.TrimPrefix(tag, prefix), "v")
	if strings.Count(s, ".") == 1 {
		s += ".0"
	}
	n, err := ParseNumber(s)
	if err != nil {
		return Number{}, fault.New(fault.Invalid, "the git tag %q is not a version number", tag).
			WithHint("expected %s1.2.3 or %s1.2, or make the pattern %q match fewer tags", prefix, prefix, pattern)
	}
	return n, nil
}

// cutDescribe cuts TAG-COMMITS-gHASH from the right, because a tag may contain dashes itself.
func cutDescribe(s string) (tag string, commits uint64, ok bool) {
	i := strings.LastIndex(s, "-g")
	if i < 0 || !isHash(s[i+2:]) {
		return "", 0, false
	}
	j := strings.LastIndexByte(s[:i], '-')
	if j <= 0 {
		return "", 0, false
	}
	commits, ok = parseDecimal(s[j+1 : i])
	return s[:j], commits, ok
}

func isHash(s string) bool {
	return len(s) >= 4 && strings.Trim(s, "0123456789abcdef") == ""
}
