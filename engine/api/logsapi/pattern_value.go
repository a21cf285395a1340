package logsapi

import (
	"fmt"
	"strconv"
	"strings"
)

// compare returns the comparison of a text with a value. Numbers are compared as numbers unless the value is quoted; * in a
// value stands for any characters. [Filter pattern syntax: JSON log events, "String comparisons", "Numeric comparisons"]
func compare(operator, value string, quoted bool) (func(string) bool, error) {
	number, err := strconv.ParseFloat(value, 64)
	isNumber := err == nil && !quoted
	switch operator {
	case "=", "!=":
		equal := func(s string) bool {
			if isNumber {
				if n, err := strconv.ParseFloat(s, 64); err == nil {
					return n == number
				}
			}
			return s == value
		}
		if strings.Contains(value, "*") {
			equal = func(s string) bool { return stars(value, s) }
		}
		if operator == "!=" {
			return func(s string) bool { return !equal(s) }, nil
		}
		return equal, nil
	}
	if !isNumber {
		return nil, fmt.Errorf("%q is no number, which %s needs", value, operator)
	}
	return func(s string) bool {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return false
		}
		switch operator {
		case "<":
			return n < number
		case "<=":
			return n <= number
		case ">":
			return n > number
		default:
			return n >= number
		}
	}, nil
}

func compareExpression(operator, expression string) (func(string) bool, error) {
	re, err := expressionOf(expression)
	switch {
	case err != nil:
		return nil, err
	case operator == "=":
		return re.MatchString, nil
	case operator == "!=":
		return func(s string) bool { return !re.MatchString(s) }, nil
	default:
		return nil, fmt.Errorf("a regular expression can be compared with = and != only, not with %s", operator)
	}
}

// stars reports whether a text matches a pattern in which * stands for any characters.
func stars(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
