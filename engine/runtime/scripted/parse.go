package scripted

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slipway-cd/slipway/fault"
)

// Parse reads a script. Every mistake is reported, with its line and column.
func Parse(text string) (*Script, error) {
	p := &parser{script: &Script{}}
	for number, line := range strings.Split(text, "\n") {
		p.line(number+1, strings.TrimSuffix(line, "\r"))
	}
	if err := p.problems.Err(); err != nil {
		return nil, err
	}
	p.script.sort()
	return p.script, nil
}

// token is a word, a quoted text, or the end of a statement (an empty word).
type token struct {
	text   string
	quoted bool
	column int
}

type parser struct {
	script   *Script
	problems fault.Problems
	row      int
	tokens   []token // that are left of the line
	end      int     // column of the line's end
}

func (p *parser) line(number int, text string) {
	p.row, p.end = number, utf8.RuneCountInString(text)+1
	p.tokens = p.split(text)
	for len(p.tokens) > 0 {
		before := len(p.problems)
		if p.peek().text != ";" || p.peek().quoted {
			p.statement()
		}
		if t := p.peek(); len(p.problems) == before && len(p.tokens) > 0 && (t.text != ";" || t.quoted) {
			p.wrong(t, "expected the end of the statement, a semicolon")
		}
		p.skip()
	}
}

// split cuts a line into tokens.
func (p *parser) split(line string) []token {
	var tokens []token
	for rest := line; rest != ""; {
		column := utf8.RuneCountInString(line[:len(line)-len(rest)]) + 1
		switch rest[0] {
		case ' ', '\t':
			rest = rest[1:]
		case ';':
			tokens, rest = append(tokens, token{text: ";", column: column}), rest[1:]
		case '"':
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				p.problems.Add(p.at(column), `close the text with a quotation mark; write \" for one inside`, "found a text without an end")
				return tokens
			}
			text, _ := strconv.Unquote(quoted)
			tokens, rest = append(tokens, token{text: text, quoted: true, column: column}), rest[len(quoted):]
		default:
			n := strings.IndexAny(rest, " \t;\"")
			if n < 0 {
				n = len(rest)
			}
			tokens, rest = append(tokens, token{text: rest[:n], column: column}), rest[n:]
		}
	}
	return tokens
}

func (p *parser) at(column int) fault.Position {
	return fault.Position{File: Label, Line: p.row, Column: column}
}

func (p *parser) peek() token {
	if len(p.tokens) == 0 {
		return token{column: p.end}
	}
	return p.tokens[0]
}

func (p *parser) next() token {
	t := p.peek()
	if len(p.tokens) > 0 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// skip goes on behind the statement.
func (p *parser) skip() {
	for len(p.tokens) > 0 {
		if t := p.next(); t.text == ";" && !t.quoted {
			return
		}
	}
}

func (p *parser) wrong(t token, format string, args ...any) {
	found := fmt.Sprintf("found %q: ", t.text)
	if t.text == "" || t.text == ";" && !t.quoted {
		found = "found the end of the statement: "
	}
	p.problems.Add(p.at(t.column), "", "%s%s", found, fmt.Sprintf(format, args...))
}

// word takes the next token if it is this word.
func (p *parser) word(word string) bool {
	if t := p.peek(); t.text != word || t.quoted {
		return false
	}
	p.next()
	return true
}

func (p *parser) quoted() string {
	t := p.next()
	if !t.quoted {
		p.wrong(t, "expected a text in quotation marks")
	}
	return t.text
}

// longest is how long something may take: more is a slip of the pen, and would overflow.
const longest = 10 * 365 * 24 * time.Hour

func (p *parser) duration() time.Duration {
	t := p.next()
	d, err := time.ParseDuration(t.text)
	if err != nil || t.quoted || d < 0 || d > longest {
		p.wrong(t, `expected a duration such as "30s" or "1m30s"`)
		return 0
	}
	return d
}

// maybe takes a duration if one comes next.
func (p *parser) maybe() time.Duration {
	if t := p.peek(); !t.quoted && t.text != "" && t.text[0] >= '0' && t.text[0] <= '9' {
		return p.duration()
	}
	return 0
}

func (p *parser) after() time.Duration {
	if p.word("after") {
		return p.duration()
	}
	return 0
}

func (p *parser) number(least, most int, what string) int {
	t := p.next()
	n, err := strconv.Atoi(t.text)
	if err != nil || t.quoted || n < least || n > most {
		p.wrong(t, "expected %s from %d to %d", what, least, most)
	}
	return n
}
