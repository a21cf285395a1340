package faults

import "strings"

// pattern is a text in which "*" stands for any characters and "?" for one, as in the policies of AWS. Capital and small
// letters are the same.
type pattern string

func compile(text string) pattern {
	if text == "" {
		text = "*"
	}
	return pattern(strings.ToLower(text))
}

// matches goes through both once; when what follows a "*" doesn't fit, the "*" takes one character more.
func (p pattern) matches(text string) bool {
	t := strings.ToLower(text)
	at, star, from := 0, -1, 0 // in the pattern, of its last "*", of the text where that was tried
	for i := 0; i < len(t); {
		switch {
		case at < len(p) && p[at] == '*':
			star, from = at, i
			at++
		case at < len(p) && (p[at] == '?' || p[at] == t[i]):
			at++
			i++
		case star >= 0:
			from++
			at, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(string(p[at:]), "*") == ""
}

// Matches reports whether a pattern fits a text.
func Matches(text, target string) bool { return compile(target).matches(text) }
