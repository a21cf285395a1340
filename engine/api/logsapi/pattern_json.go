package logsapi

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// jsonPattern reads { $.level = "error" && ($.status >= 500 || $.user.name NOT EXISTS) }. A line that is no JSON document
// doesn't match. [Filter pattern syntax: JSON log events]
func jsonPattern(text string) (func(string) bool, error) {
	s := &scanner{text: text}
	if err := s.expect("{"); err != nil {
		return nil, err
	}
	match, err := s.either(0)
	if err != nil {
		return nil, err
	}
	if err := s.expect("}"); err != nil {
		return nil, err
	}
	if s.blanks(); s.at < len(s.text) {
		return nil, s.wrong("its end")
	}
	return func(line string) bool {
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		var document any
		if decoder.Decode(&document) != nil || decoder.More() {
			return false
		}
		return match(document)
	}, nil
}

// mostNested is how deep parentheses may be.
const mostNested = 50

// either reads conditions of which one must hold; && binds closer than ||.
func (s *scanner) either(depth int) (func(any) bool, error) {
	if depth > mostNested {
		return nil, s.wrong("fewer parentheses")
	}
	var conditions []func(any) bool
	for {
		c, err := s.both(depth)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
		if s.take("||") == "" {
			break
		}
	}
	return func(document any) bool {
		return slices.ContainsFunc(conditions, func(c func(any) bool) bool { return c(document) })
	}, nil
}

// both reads conditions that must all hold.
func (s *scanner) both(depth int) (func(any) bool, error) {
	var conditions []func(any) bool
	for {
		c, err := s.condition(depth)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
		if s.take("&&") == "" {
			break
		}
	}
	return func(document any) bool {
		return !slices.ContainsFunc(conditions, func(c func(any) bool) bool { return !c(document) })
	}, nil
}

// condition reads one condition, or several in parentheses.
func (s *scanner) condition(depth int) (func(any) bool, error) {
	if s.take("(") != "" {
		c, err := s.either(depth + 1)
		if err != nil {
			return nil, err
		}
		return c, s.expect(")")
	}
	path, err := s.selector()
	if err != nil {
		return nil, err
	}
	switch {
	case s.word("IS"):
		return s.is(path)
	case s.word("NOT"):
		if !s.word("EXISTS") {
			return nil, s.wrong("EXISTS")
		}
		return func(document any) bool { return len(path.of(document)) == 0 }, nil
	case s.word("EXISTS"):
		return func(document any) bool { return len(path.of(document)) > 0 }, nil
	}
	match, err := s.comparison()
	if err != nil {
		return nil, err
	}
	return func(document any) bool {
		return slices.ContainsFunc(path.of(document), func(v any) bool {
			text, ok := scalar(v)
			return ok && match(text)
		})
	}, nil
}

// is reads what follows IS.
func (s *scanner) is(path selector) (func(any) bool, error) {
	var wanted any
	switch {
	case s.word("NULL"):
	case s.word("TRUE"):
		wanted = true
	case s.word("FALSE"):
		wanted = false
	default:
		return nil, s.wrong("NULL, TRUE or FALSE")
	}
	return func(document any) bool {
		return slices.ContainsFunc(path.of(document), func(v any) bool {
			_, plain := scalar(v)
			return v == nil && wanted == nil || plain && v == wanted
		})
	}, nil
}

// scalar returns a text or number as a text; other values have none that can be compared.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	default:
		return "", false
	}
}

// selector is a way into a document: names, and positions in lists; -1 is every position.
type selector []any

// selector reads $.user.names[0], $.list[*].id, $.['a name'].
func (s *scanner) selector() (selector, error) {
	var path selector
	if s.take("$") == "" {
		return nil, s.wrong("a selector such as $.name")
	}
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '.':
			s.at++
			if s.at < len(s.text) && s.text[s.at] == '[' {
				continue
			}
			name := s.name()
			if name == "" {
				return nil, s.wrong("a name")
			}
			path = append(path, name)
		case '[':
			step, err := s.bracket()
			if err != nil {
				return nil, err
			}
			path = append(path, step)
		default:
			return path, nil
		}
	}
	return path, nil
}

// bracket reads [0], [*] or ['a name'].
func (s *scanner) bracket() (any, error) {
	s.at++
	s.blanks()
	var step any
	switch {
	case s.at < len(s.text) && (s.text[s.at] == '\'' || s.text[s.at] == '"'):
		name, err := s.until(s.text[s.at])
		if err != nil {
			return nil, err
		}
		step = name
	case s.take("*") != "":
		step = -1
	default:
		n, err := strconv.Atoi(s.name())
		if err != nil || n < 0 {
			return nil, s.wrong("a position, * or a quoted name")
		}
		step = n
	}
	return step, s.expect("]")
}

// of returns what is there: nothing, one value, or, of every position, several.
func (p selector) of(document any) []any {
	found := []any{document}
	for _, step := range p {
		var next []any
		for _, v := range found {
			next = append(next, inside(v, step)...)
		}
		found = next
	}
	return found
}

func inside(v, step any) []any {
	switch step := step.(type) {
	case string:
		if member, ok := v.(map[string]any); ok {
			if v, ok := member[step]; ok {
				return []any{v}
			}
		}
	case int:
		list, ok := v.([]any)
		switch {
		case !ok:
		case step < 0:
			return list
		case step < len(list):
			return list[step : step+1]
		}
	}
	return nil
}
