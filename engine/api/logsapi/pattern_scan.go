package logsapi

import (
	"fmt"
	"strings"
	"unicode"
)

// scanner takes a pattern apart.
type scanner struct {
	text string
	at   int
}

func (s *scanner) blanks() {
	for s.at < len(s.text) && (s.text[s.at] == ' ' || s.text[s.at] == '\t' || s.text[s.at] == '\n' || s.text[s.at] == '\r') {
		s.at++
	}
}

// take takes one of the texts, the first that is there, after blanks.
func (s *scanner) take(texts ...string) string {
	s.blanks()
	for _, t := range texts {
		if strings.HasPrefix(s.text[s.at:], t) {
			s.at += len(t)
			return t
		}
	}
	return ""
}

// word takes a whole word, in any case.
func (s *scanner) word(word string) bool {
	s.blanks()
	rest := s.text[s.at:]
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
		return false
	}
	if len(rest) > len(word) && (isAlphanumeric(rune(rest[len(word)])) || rest[len(word)] == '_') {
		return false
	}
	s.at += len(word)
	return true
}

// expect takes a text that must be there.
func (s *scanner) expect(text string) error {
	if s.take(text) == "" {
		return s.wrong("'" + text + "'")
	}
	return nil
}

// wrong tells what should be where something else is.
func (s *scanner) wrong(expected string) error {
	s.blanks()
	if s.at == len(s.text) {
		return fmt.Errorf("%s is missing at its end", expected)
	}
	return fmt.Errorf("at character %d there is %q, expected %s", s.at+1, s.text[s.at], expected)
}

// operators compare, the longer ones first.
var operators = []string{"!=", "<=", ">=", "=", "<", ">"} //nolint:gochecknoglobals // a constant, but for Go

// comparison reads an operator and a value.
func (s *scanner) comparison() (func(string) bool, error) {
	operator := s.take(operators...)
	if operator == "" {
		return nil, s.wrong("one of = != < <= > >=")
	}
	return s.operand(operator)
}

// operand reads the value to compare with: "quoted", %a regular expression%, or a bare word.
func (s *scanner) operand(operator string) (func(string) bool, error) {
	s.blanks()
	if s.at < len(s.text) && (s.text[s.at] == '"' || s.text[s.at] == '%') {
		by := s.text[s.at]
		value, err := s.until(by)
		if err != nil {
			return nil, err
		}
		if by == '%' {
			return compareExpression(operator, value)
		}
		return compare(operator, value, true)
	}
	from := s.at
	for s.at < len(s.text) && !strings.ContainsRune(" \t\n\r,()]}&|=<>!", rune(s.text[s.at])) {
		s.at++
	}
	if s.at == from {
		return nil, s.wrong("a value")
	}
	return compare(operator, s.text[from:s.at], false)
}

// until takes a text between two of the same character; a backslash before one means that it is part of the text.
func (s *scanner) until(by byte) (string, error) {
	s.at++
	var b strings.Builder
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\\' && s.at+1 < len(s.text) && s.text[s.at+1] == by:
			s.at++
			b.WriteByte(by)
		case c == by:
			s.at++
			return b.String(), nil
		default:
			b.WriteByte(c)
		}
	}
	return "", s.wrong("'" + string(by) + "'")
}

// name takes a name of letters, digits and some signs, "" when there is none.
func (s *scanner) name() string {
	from := s.at
	for i, r := range s.text[from:] {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-@$#:/", r) {
			break
		}
		s.at = from + i + len(string(r))
	}
	return s.text[from:s.at]
}
