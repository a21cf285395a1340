package logsapi

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// pattern reads a filter of any kind: terms, %a regular expression%, { conditions over JSON }, [ columns ]. It returns nil for
// one that every line matches. [CloudWatch Logs: Filter pattern syntax]
func pattern(text string) (func(string) bool, error) {
	text = strings.TrimSpace(text)
	if len(text) > 1024 { // [API reference: FilterLogEvents, filterPattern]
		return nil, invalid("Invalid filter pattern: it has more than 1024 characters")
	}
	var match func(string) bool
	var err error
	switch {
	case text == "":
		return nil, nil
	case text[0] == '{':
		match, err = jsonPattern(text)
	case text[0] == '[':
		match, err = columnPattern(text)
	default:
		match, err = termPattern(text)
	}
	if err != nil {
		return nil, invalid("Invalid filter pattern: %s", err)
	}
	return match, nil
}

// termPattern reads terms: all of those without a sign must be there, one of those after ?, none of those after -.
func termPattern(text string) (func(string) bool, error) {
	var all, some, none []func(string) bool
	for _, term := range terms(text) {
		list := &all
		switch {
		case len(term) > 1 && term[0] == '-':
			list, term = &none, term[1:]
		case len(term) > 1 && term[0] == '?':
			list, term = &some, term[1:]
		}
		has, err := contains(term)
		if err != nil {
			return nil, err
		}
		*list = append(*list, has)
	}
	return func(line string) bool {
		has := func(match func(string) bool) bool { return match(line) }
		lacks := func(match func(string) bool) bool { return !match(line) }
		return !slices.ContainsFunc(all, lacks) && !slices.ContainsFunc(none, has) && (len(some) == 0 || slices.ContainsFunc(some, has))
	}, nil
}

// contains looks for a text, or for what matches %a regular expression%.
func contains(term string) (func(string) bool, error) {
	if expression, ok := delimited(term, '%'); ok {
		re, err := expressionOf(expression)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	return func(line string) bool { return strings.Contains(line, term) }, nil
}

// delimited returns what is between two of the same character.
func delimited(s string, by byte) (string, bool) {
	if len(s) < 2 || s[0] != by || s[len(s)-1] != by {
		return s, false
	}
	return s[1 : len(s)-1], true
}

// expressionOf compiles a regular expression of those that there are in filter patterns.
// [Filter pattern syntax: Supported regular expressions syntax]
func expressionOf(s string) (*regexp.Regexp, error) {
	const symbols, operators = `:_#=@/;,- `, `^$?[]{}|\*+.`
	for _, r := range s {
		if !isAlphanumeric(r) && !strings.ContainsRune(symbols+operators, r) {
			return nil, fmt.Errorf("%q is not supported in regular expressions", r)
		}
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, fmt.Errorf("%%%s%% is no regular expression: %w", s, errors.Unwrap(err))
	}
	return re, nil
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// terms splits at blanks outside of quotes and regular expressions. Quotes are taken off.
func terms(text string) []string {
	var list []string
	var b strings.Builder
	var inside rune
	for _, r := range text {
		switch {
		case r == '"' && inside != '%':
			inside = toggled(inside, r)
		case r == '%' && inside != '"':
			inside = toggled(inside, r)
			b.WriteRune(r)
		case r == ' ' && inside == 0:
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

func toggled(inside, by rune) rune {
	if inside == by {
		return 0
	}
	return by
}
