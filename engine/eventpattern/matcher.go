package eventpattern

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// parseMatcher reads one element of a list in a pattern: a value, or an object with one comparison.
func parseMatcher(item any) (matcher, error) {
	object, ok := item.(map[string]any)
	if !ok {
		if _, isList := item.([]any); isList {
			return matcher{}, errors.New("a list within a list is not allowed")
		}
		return matcher{value: func(v any) bool { return v == item }}, nil
	}
	if len(object) != 1 {
		return matcher{}, errors.New("a comparison has exactly one name")
	}
	for name, argument := range object {
		if name == "exists" {
			return parseExists(argument)
		}
		test, err := parseComparison(name, argument)
		if err != nil {
			return matcher{}, fmt.Errorf("%s: %w", name, err)
		}
		return matcher{value: test}, nil
	}
	return matcher{}, nil
}

func parseExists(argument any) (matcher, error) {
	exists, ok := argument.(bool)
	if !ok {
		return matcher{}, errors.New("exists: must be true or false")
	}
	if !exists {
		return matcher{absent: true}, nil
	}
	return matcher{value: func(any) bool { return true }}, nil
}

func parseComparison(name string, argument any) (func(any) bool, error) {
	switch name {
	case "prefix", "suffix":
		return parseAffix(name, argument)
	case "equals-ignore-case":
		return textTest(argument, strings.EqualFold)
	case "wildcard":
		return parseWildcard(argument)
	case "numeric":
		return parseNumeric(argument)
	case "cidr":
		return parseCIDR(argument)
	case "anything-but":
		return parseAnythingBut(argument)
	}
	return nil, errors.New("is no comparison: use prefix, suffix, equals-ignore-case, wildcard, numeric, cidr, anything-but or exists")
}

// textTest makes a test of texts from one that is given the value and the argument.
func textTest(argument any, test func(value, argument string) bool) (func(any) bool, error) {
	text, ok := argument.(string)
	if !ok {
		return nil, errors.New("must be a text")
	}
	return func(v any) bool {
		s, ok := v.(string)
		return ok && test(s, text)
	}, nil
}

// parseAffix reads {"prefix": "a"} and {"prefix": {"equals-ignore-case": "a"}}.
func parseAffix(name string, argument any) (func(any) bool, error) {
	fold := func(s string) string { return s }
	if object, ok := argument.(map[string]any); ok && len(object) == 1 {
		argument, fold = object["equals-ignore-case"], strings.ToLower
	}
	has := strings.HasPrefix
	if name == "suffix" {
		has = strings.HasSuffix
	}
	if argument == "" {
		return nil, errors.New("must not be empty")
	}
	return textTest(argument, func(v, a string) bool { return has(fold(v), fold(a)) })
}

// parseWildcard reads texts in which * stands for any characters, \* for a star and \\ for a backslash.
func parseWildcard(argument any) (func(any) bool, error) {
	text, ok := argument.(string)
	if !ok {
		return nil, errors.New("must be a text")
	}
	parts := []string{""}
	last := func() *string { return &parts[len(parts)-1] }
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '*' || text[i+1] == '\\'):
			i++
			*last() += text[i : i+1]
		case text[i] == '\\':
			return nil, errors.New("a backslash stands only before a star or a backslash")
		case text[i] == '*' && i > 0 && text[i-1] == '*' && *last() == "" && len(parts) > 1:
			return nil, errors.New("two stars in a row are not allowed")
		case text[i] == '*':
			parts = append(parts, "")
		default:
			*last() += text[i : i+1]
		}
	}
	return textTest("", func(v, _ string) bool { return globs(parts, v) })
}

// globs tells whether a text consists of the parts, with anything between two of them.
func globs(parts []string, text string) bool {
	if len(parts) == 1 {
		return text == parts[0]
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}

// The bounds of numbers in patterns. [EventBridge User Guide, "Numeric matching"]
const maxNumber = 5e9

// parseNumeric reads ["=", 1], [">", 0, "<=", 5].
func parseNumeric(argument any) (func(any) bool, error) {
	list, _ := argument.([]any)
	if len(list) != 2 && len(list) != 4 {
		return nil, errors.New("must be a list of one or two comparisons, as [\">\", 0, \"<=\", 5]")
	}
	var tests []func(float64) bool
	for pair := range slices.Chunk(list, 2) {
		operator, _ := pair[0].(string)
		bound, ok := pair[1].(float64)
		if !ok || bound < -maxNumber || bound > maxNumber {
			return nil, fmt.Errorf("%v is no number from -5e9 to 5e9", pair[1])
		}
		test, err := compare(operator, bound)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return func(v any) bool {
		n, ok := v.(float64)
		return ok && !slices.ContainsFunc(tests, func(test func(float64) bool) bool { return !test(n) })
	}, nil
}

func compare(operator string, bound float64) (func(float64) bool, error) {
	switch operator {
	case "=":
		return func(n float64) bool { return n == bound }, nil
	case "<":
		return func(n float64) bool { return n < bound }, nil
	case "<=":
		return func(n float64) bool { return n <= bound }, nil
	case ">":
		return func(n float64) bool { return n > bound }, nil
	case ">=":
		return func(n float64) bool { return n >= bound }, nil
	}
	return nil, fmt.Errorf("%q is none of =, <, <=, > and >=", operator)
}

func parseCIDR(argument any) (func(any) bool, error) {
	text, _ := argument.(string)
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, fmt.Errorf("%v is no network, as 10.0.0.0/24", argument)
	}
	return func(v any) bool {
		s, _ := v.(string)
		address, err := netip.ParseAddr(s)
		return err == nil && network.Contains(address)
	}, nil
}

// parseAnythingBut reads a value, a list of values, or a comparison with a text or a list of texts; the field must have a
// value that none of them matches.
func parseAnythingBut(argument any) (func(any) bool, error) {
	name := ""
	if object, ok := argument.(map[string]any); ok {
		if len(object) != 1 {
			return nil, errors.New("a comparison has exactly one name")
		}
		for name, argument = range object {
			if !slices.Contains([]string{"prefix", "suffix", "equals-ignore-case", "wildcard"}, name) {
				return nil, fmt.Errorf("%s: is no comparison here: use prefix, suffix, equals-ignore-case or wildcard", name)
			}
		}
	}
	list, ok := argument.([]any)
	if !ok {
		list = []any{argument}
	}
	if len(list) == 0 {
		return nil, errors.New("must not be empty")
	}
	var excluded []func(any) bool
	for _, item := range list {
		test, err := parseExcluded(name, item)
		if err != nil {
			return nil, err
		}
		excluded = append(excluded, test)
	}
	return func(v any) bool {
		return !slices.ContainsFunc(excluded, func(test func(any) bool) bool { return test(v) })
	}, nil
}

func parseExcluded(name string, item any) (func(any) bool, error) {
	if name != "" {
		return parseComparison(name, item)
	}
	switch item.(type) {
	case string, float64, bool:
		return func(v any) bool { return v == item }, nil
	}
	return nil, errors.New("excludes texts and numbers only")
}
