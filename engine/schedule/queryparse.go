package schedule

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/slipway-cd/slipway/fault"
)

// parser reads an expression:
//
//	or   = and { ("or" | "||") and }
//	and  = not { ("and" | "&&") not }
//	not  = ("not" | "!") not | "(" or ")" | subject operator [ operand | "[" operand { "," operand } "]" ]
//
// An operand that contains blanks or punctuation stands in single or double quotes.
type parser struct {
	words []word
	end   int // where the expression ends
	depth int
}

// word is a name, a value, a bracket, a comma or an operator, and where it stands.
type word struct {
	text   string
	quoted bool
	at     int // bytes before it
}

// is reports whether the word is that sign or keyword; a quoted one is neither.
func (w word) is(text string) bool { return !w.quoted && w.text == text }

// value reports whether the word can be an operand.
func (w word) value() bool {
	return w.quoted || w.text != "" && !strings.ContainsAny(w.text, "()[],")
}

func parseQuery(expression string) (query, error) {
	if len(expression) > queryLimit {
		return nil, fault.New(fault.Invalid, "cannot read an expression of %d characters: %d are allowed", len(expression), queryLimit)
	}
	words, err := split(expression)
	var q query
	p := &parser{words: words, end: len(expression)}
	if err == nil {
		q, err = p.or()
	}
	if err == nil && len(p.words) > 0 {
		err = p.wrong("unexpected %q", p.words[0].text)
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot read the expression %q: %w", expression, err).
			WithHint("supported: attribute:NAME, task:group, ec2InstanceId, agentConnected, agentVersion, registeredAt, runningTasksCount" +
				" with ==, !=, =~, !~, <, <=, >, >=, in, not_in, exists, not_exists; and, or, not, parentheses")
	}
	return q, nil
}

// split returns the words of an expression.
func split(text string) ([]word, error) {
	var words []word
	for at := 0; at < len(text); {
		rest := text[at:]
		if r, size := utf8.DecodeRuneInString(rest); unicode.IsSpace(r) {
			at += size
			continue
		}
		if rest[0] == '\'' || rest[0] == '"' {
			n := strings.IndexByte(rest[1:], rest[0])
			if n < 0 {
				return nil, fault.New(fault.Invalid, "character %d: the quotation has no end", at+1)
			}
			words = append(words, word{rest[1 : n+1], true, at})
			at += n + 2
			continue
		}
		n := wordLength(rest)
		words = append(words, word{rest[:n], false, at})
		at += n
	}
	return words, nil
}

var signs = []string{"==", "!=", "=~", "!~", ">=", "<=", "&&", "||", ">", "<"}

func wordLength(text string) int {
	if strings.ContainsRune("()[],", rune(text[0])) {
		return 1
	}
	for _, operator := range signs {
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

// wrong says what is wrong with the word that is next.
func (p *parser) wrong(format string, args ...any) error {
	at := p.end
	if len(p.words) > 0 {
		at = p.words[0].at
	}
	return fault.New(fault.Invalid, "character %d: "+format, slices.Concat([]any{at + 1}, args)...)
}

func (p *parser) peek() word {
	if len(p.words) == 0 {
		return word{at: p.end}
	}
	return p.words[0]
}

func (p *parser) next() word {
	w := p.peek()
	if len(p.words) > 0 {
		p.words = p.words[1:]
	}
	return w
}

func (p *parser) or() (query, error) {
	left, err := p.and()
	for err == nil && (p.peek().is("or") || p.peek().is("||")) {
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
	for err == nil && (p.peek().is("and") || p.peek().is("&&")) {
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
		return nil, p.wrong("nested deeper than %d", depthLimit)
	}
	defer func() { p.depth-- }()
	switch {
	case p.peek().is("not"), p.peek().is("!"):
		p.next()
		inner, err := p.not()
		return func(f *Fleet, s *site) bool { return !inner(f, s) }, err
	case p.peek().is("("):
		p.next()
		inner, err := p.or()
		if err == nil && !p.peek().is(")") {
			return nil, p.wrong("a parenthesis is not closed")
		}
		p.next()
		return inner, err
	default:
		return p.condition()
	}
}

func (p *parser) condition() (query, error) {
	of, ok := subject(p.peek().text)
	if !ok {
		return nil, p.wrong("unknown subject %q", p.peek().text)
	}
	name := p.next().text
	operator, at := p.peek().text, *p
	p.next()
	operands, err := p.operands(operator)
	if err != nil {
		return nil, err
	}
	if plain, negated := positive(operator); name == "task:group" && (plain == "==" || plain == "equals" || plain == "in") {
		some := anyGroup(operands)
		return func(f *Fleet, s *site) bool { return some(f, s) != negated }, nil
	}
	holds, err := comparison(name, operator, operands)
	if err != nil {
		return nil, at.wrong("%w", err)
	}
	return func(f *Fleet, s *site) bool { return holds(of(f, s)) }, nil
}

func (p *parser) operands(operator string) ([]string, error) {
	switch operator {
	case "exists", "not_exists", "!exists":
		return nil, nil
	case "in", "not_in", "!in":
		return p.list()
	}
	if !p.peek().value() {
		return nil, p.wrong("a value is missing after %q", operator)
	}
	return []string{p.next().text}, nil
}

func (p *parser) list() ([]string, error) {
	if !p.peek().is("[") {
		return nil, p.wrong("a list in brackets is missing")
	}
	p.next()
	var list []string
	for {
		if !p.peek().value() {
			return nil, p.wrong("a value is missing in a list")
		}
		list = append(list, p.next().text)
		switch {
		case p.peek().is(","):
			p.next()
		case p.peek().is("]"):
			p.next()
			return list, nil
		default:
			return nil, p.wrong("a list is not closed")
		}
	}
}
