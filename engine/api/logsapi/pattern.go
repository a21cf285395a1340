package logsapi

import (
	"slices"
	"strings"
)

// pattern reads a filter of terms. [CloudWatch Logs: filter pattern syntax for unstructured log events]
func pattern(text string) (func(string) bool, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, nil
	}
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") || strings.HasPrefix(text, "%") {
		return nil, invalid("Filter patterns over JSON, columns and regular expressions are not served by this engine. Use terms.")
	}
	var all, some, none []string
	for _, term := range terms(text) {
		switch term[0] {
		case '-':
			none = append(none, term[1:])
		case '?':
			some = append(some, term[1:])
		default:
			all = append(all, term)
		}
	}
	return func(line string) bool {
		has := func(term string) bool { return strings.Contains(line, term) }
		lacks := func(term string) bool { return !has(term) }
		return !slices.ContainsFunc(all, lacks) && !slices.ContainsFunc(none, has) && (len(some) == 0 || slices.ContainsFunc(some, has))
	}, nil
}

// terms splits at blanks outside of quotes.
func terms(text string) []string {
	var list []string
	var b strings.Builder
	quoted := false
	for _, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ' ' && !quoted:
			if b.Len() > 0 {
				list = append(list, b.String())
			}
			b.Reset()
		default:
			b.WriteRune(r)
		}
	}
	if b.Len() > 0 {
		list = append(list, b.String())
	}
	return list
}
