package schedule

import (
	"strings"
	"unicode"

	"github.com/slipway-cd/slipway/fault"
)

// parser reads an expression:
//
//	or   = and { ("or" | "||") and }
//	and  = not { ("and" | "&&") not }
//	not  = ("not" | "!") not | "(" or ")" | subject operator [ operand | "[" operand { "," operand } "]" ]
type parser struct {
	words []string
	depth int
}

func parseQuery(expression string) (query, error) {
	if len(expression) > queryLimit {
		return nil, fault.New(fault.Invalid, "cannot read an expression of %d characters: %d are allowed", len(expression), queryLimit)
	}
	p := &parser{words: split(expression)}
	q, err := p.or()
	if err == nil && len(p.words) > 0 {
		err = fault.New(fault.Invalid, "unexpected %q", p.words[0])
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot read the expression %q: %w", expression, err).
			WithHint("supported: attribute:NAME, ec2InstanceId, agentConnected, agentVersion, runningTasksCount with" +
				" ==, !=, =~, !~, <, <=, >, >=, in, not_in, exists, not_exists; and, or, not, parentheses")
	}
	return q, nil
}

// split returns the words of an expression: names and values, brackets, commas, operators.
func split(text string) []string {
	var words []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		n := wordLength(text)
		words = append(words, text[:n])
		text = text[n:]
	}
	return words
}

func wordLength(text string) int {
	if strings.ContainsRune("()[],", rune(text[0])) {
		return 1
	}
	for _, operator := range []string{"==", "!=", "=~", "!~", ">=", "<=", "&&", "||", ">", "<"} {
		if strings.HasPrefix(text, operator) {
			return len(operator)
		}
	}
	if text[0] == '!' && !strings.HasPrefix(text, "!in") && !strings.HasPrefix(text, "!exists") {
		return 1
	}
	for i, r := range text {
		if i > 0 && (unicode.IsSpace(r) || strings.ContainsRune("()[],=!<>&|~", r)) {
			return i
		}
	}
	return len(text)
}

func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *parser) next() string {
	w := p.peek()
	if len(p.words) > 0 {
		p.words = p.words[1:]
	}
	return w
}

func (p *parser) or() (query, error) {
	left, err := p.and()
	for err == nil && (p.peek() == "or" || p.peek() == "||") {
		p.next()
		var right query
		a := left
		right, err = p.and()
		left = func(f *Fleet, s *site) bool { return a(f, s) || right(f, s) }
	}
	return left, err
}

func (p *parser) and() (query, error) {
	left, err := p.not()
	for err == nil && (p.peek() == "and" || p.peek() == "&&") {
		p.next()
		var right query
		a := left
		right, err = p.not()
		left = func(f *Fleet, s *site) bool { return a(f, s) && right(f, s) }
	}
	return left, err
}

func (p *parser) not() (query, error) {
	if p.depth++; p.depth > depthLimit {
		return nil, fault.New(fault.Invalid, "nested deeper than %d", depthLimit)
	}
	defer func() { p.depth-- }()
	switch p.peek() {
	case "not", "!":
		p.next()
		inner, err := p.not()
		return func(f *Fleet, s *site) bool { return !inner(f, s) }, err
	case "(":
		p.next()
		inner, err := p.or()
		if err == nil && p.next() != ")" {
			err = fault.New(fault.Invalid, "a parenthesis is not closed")
		}
		return inner, err
	default:
		return p.condition()
	}
}

func (p *parser) condition() (query, error) {
	name := p.next()
	operator := p.next()
	if name == "task:group" {
		return p.taskGroup(operator)
	}
	of, ok := subject(name)
	if !ok {
		return nil, fault.New(fault.Invalid, "unknown subject %q", name)
	}
	operands, err := p.operands(operator)
	if err != nil {
		return nil, err
	}
	holds, err := comparison(operator, operands)
	return func(f *Fleet, s *site) bool { return holds(of(f, s)) }, err
}

// taskGroup is about the tasks that are on an instance: it has one of that group, or none.
func (p *parser) taskGroup(operator string) (query, error) {
	operands, err := p.operands(operator)
	if err != nil {
		return nil, err
	}
	switch operator {
	case "==", "equals":
		return func(f *Fleet, s *site) bool { return f.group(operands[0]).instances[s.ID] > 0 }, nil
	case "!=", "not_equals":
		return func(f *Fleet, s *site) bool { return f.group(operands[0]).instances[s.ID] == 0 }, nil
	default:
		return nil, fault.New(fault.Invalid, "task:group cannot be compared by %q", operator)
	}
}

func (p *parser) operands(operator string) ([]string, error) {
	switch operator {
	case "exists", "not_exists", "!exists":
		return nil, nil
	case "in", "not_in", "!in":
		return p.list()
	}
	w := p.next()
	if w == "" || strings.ContainsAny(w, "()[],") {
		return nil, fault.New(fault.Invalid, "a value is missing after %q", operator)
	}
	return []string{w}, nil
}

func (p *parser) list() ([]string, error) {
	if p.next() != "[" {
		return nil, fault.New(fault.Invalid, "a list in brackets is missing")
	}
	var list []string
	for {
		w := p.next()
		if w == "" || strings.ContainsAny(w, "()[],") {
			return nil, fault.New(fault.Invalid, "a value is missing in a list")
		}
		list = append(list, w)
		switch p.next() {
		case ",":
		case "]":
			return list, nil
		default:
			return nil, fault.New(fault.Invalid, "a list is not closed")
		}
	}
}
