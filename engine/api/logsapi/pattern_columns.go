package logsapi

import (
	"errors"
	"slices"
	"strings"
)

// column is one of a line's words, with the condition that it must meet; nil: none.
type column struct {
	rest  bool // any number of words, none included
	match func(string) bool
}

// columnPattern reads [ip, user, ..., status_code = 4*, bytes > 1000]: a line must have as many words as there are columns, a
// text in quotes or brackets counting as one; ... stands for any number of words.
// [Filter pattern syntax: Space-delimited log events]
func columnPattern(text string) (func(string) bool, error) {
	s := &scanner{text: text}
	if err := s.expect("["); err != nil {
		return nil, err
	}
	var columns []column
	for {
		c, err := s.column()
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
		if s.take(",") == "" {
			break
		}
	}
	if err := s.expect("]"); err != nil {
		return nil, err
	}
	if s.blanks(); s.at < len(s.text) {
		return nil, s.wrong("its end")
	}
	if several := slices.IndexFunc(columns, func(c column) bool { return c.rest }); several >= 0 &&
		slices.ContainsFunc(columns[several+1:], func(c column) bool { return c.rest }) {
		return nil, errors.New("... is there more than once")
	}
	return func(line string) bool { return matchColumns(columns, words(line)) }, nil
}

// column reads one: a name, a name with conditions, or nothing but conditions' names.
func (s *scanner) column() (column, error) {
	if s.take("...") != "" {
		return column{rest: true}, nil
	}
	name := s.columnName()
	if s.blanks(); s.at < len(s.text) && (s.text[s.at] == ',' || s.text[s.at] == ']') {
		return column{}, nil
	}
	match, err := s.anyOf(name, 0)
	return column{match: match}, err
}

// columnName takes the name before a condition. It may stand within parentheses, too.
func (s *scanner) columnName() string {
	s.blanks()
	return s.name()
}

// anyOf reads conditions of one column, joined by || and &&, the latter binding closer.
func (s *scanner) anyOf(name string, depth int) (func(string) bool, error) {
	var conditions []func(string) bool
	for {
		c, err := s.allOf(name, depth)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
		if s.take("||") == "" {
			break
		}
		name = ""
	}
	return func(word string) bool {
		return slices.ContainsFunc(conditions, func(c func(string) bool) bool { return c(word) })
	}, nil
}

func (s *scanner) allOf(name string, depth int) (func(string) bool, error) {
	var conditions []func(string) bool
	for {
		c, err := s.ofColumn(name, depth)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
		if s.take("&&") == "" {
			break
		}
		name = ""
	}
	return func(word string) bool {
		return !slices.ContainsFunc(conditions, func(c func(string) bool) bool { return !c(word) })
	}, nil
}

func (s *scanner) ofColumn(name string, depth int) (func(string) bool, error) {
	if depth > mostNested {
		return nil, s.wrong("fewer parentheses")
	}
	if name == "" && s.take("(") != "" {
		c, err := s.anyOf(s.columnName(), depth+1)
		if err != nil {
			return nil, err
		}
		return c, s.expect(")")
	}
	if name == "" {
		s.columnName()
	}
	return s.comparison()
}

func matchColumns(columns []column, words []string) bool {
	rest := slices.IndexFunc(columns, func(c column) bool { return c.rest })
	if rest < 0 {
		return len(words) == len(columns) && matchEach(columns, words)
	}
	after := columns[rest+1:]
	return len(words) >= len(columns)-1 && matchEach(columns[:rest], words[:rest]) && matchEach(after, words[len(words)-len(after):])
}

func matchEach(columns []column, words []string) bool {
	for i, c := range columns {
		if c.match != nil && !c.match(words[i]) {
			return false
		}
	}
	return true
}

// words splits a line at blanks; what is in quotes or in brackets is one word, without them.
func words(line string) []string {
	var list []string
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		end := byte(0)
		switch line[0] {
		case '"':
			end = '"'
		case '[':
			end = ']'
		}
		if i := strings.IndexByte(line[1:], end); end != 0 && i >= 0 {
			list = append(list, line[1:1+i])
			line = line[i+2:]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		list, line = append(list, word), rest
	}
	return list
}
