package version

import (
	"strings"
	"unicode/utf8"

	"github.com/slipway-cd/slipway/fault"
)

// CheckPattern returns an error when no branch could ever match the pattern (the rules of git check-ref-format), or
// when it uses a wildcard that patterns don't have.
func CheckPattern(pattern string) error {
	if why := patternFlaw(pattern); why != "" {
		return fault.New(fault.Invalid, "the branch pattern %q %s", pattern, why).
			WithHint("write a branch's name, or a pattern such as release/*")
	}
	return nil
}

func patternFlaw(p string) string {
	switch {
	case p == "":
		return "is empty"
	case !utf8.ValidString(p):
		return "is not UTF-8"
	case strings.HasPrefix(p, "/") || strings.HasSuffix(p, "/") || strings.Contains(p, "//"):
		return "has an empty part between slashes"
	case strings.HasPrefix(p, "-"):
		return "begins with a dash"
	case strings.HasSuffix(p, "."), strings.HasSuffix(p, ".lock"):
		return "ends as no branch may end"
	case strings.Contains(p, ".."), strings.Contains(p, "@{"):
		return "contains what no branch may contain"
	case strings.Contains(p, "***"):
		return "contains ***"
	}
	for part := range strings.SplitSeq(p, "/") {
		if strings.HasPrefix(part, ".") {
			return "has a part that begins with a dot"
		}
	}
	if i := strings.IndexFunc(p, isNoBranchRune); i >= 0 {
		r, _ := utf8.DecodeRuneInString(p[i:])
		return "contains " + quoteRune(r)
	}
	return ""
}

// isNoBranchRune tells the characters that git forbids in branch names, [ included, * and ? not.
func isNoBranchRune(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:\[`, r)
}

func quoteRune(r rune) string {
	if r == ' ' {
		return "a blank"
	}
	if r < ' ' || r == 0x7f {
		return "a control character"
	}
	return string(r)
}

// MatchPattern reports whether the branch matches the pattern. It takes time proportional to the product of their
// lengths at most, whatever the pattern.
func MatchPattern(pattern, branch string) bool {
	p, b := []rune(pattern), []rune(branch)
	reach := make([]bool, len(b)+1) // reach[j]: the pattern so far matches the first j characters
	reach[0] = true
	for i := 0; i < len(p); i++ {
		star, double := p[i] == '*', false
		if star && i+1 < len(p) && p[i+1] == '*' {
			double = true
			i++
		}
		if star {
			spread(reach, b, double)
		} else {
			advance(reach, b, p[i])
		}
	}
	return reach[len(b)]
}

// spread lets a wildcard take any number of characters, slashes only when it is a double one.
func spread(reach []bool, b []rune, slashes bool) {
	for j, r := range b {
		if reach[j] && (slashes || r != '/') {
			reach[j+1] = true
		}
	}
}

// advance takes exactly one character: c itself, or for ? any but a slash.
func advance(reach []bool, b []rune, c rune) {
	for j := len(b); j > 0; j-- {
		r := b[j-1]
		reach[j] = reach[j-1] && (r == c || c == '?' && r != '/')
	}
	reach[0] = false
}
