package descriptor

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// Limits of a template: AWS takes task definitions of 64 KiB, and JSON nested a few levels deep.
const (
	maxTemplate = 1 << 20 // bytes
	maxDepth    = 100     // objects and lists inside one another
	maxDefaults = 20      // placeholders inside defaults of placeholders
)

// ExpandText replaces the placeholders of a text that is not JSON, for example an image's repository or a check's URL.
// at is the place of the text's first character. Values are put in as they are.
func ExpandText(text config.Text, values config.Values) (string, error) {
	e := textExpander(text, values)
	return string(e.out), e.problems.Err()
}

// UsedByText returns the values that ExpandText uses of those there are.
func UsedByText(text config.Text, values config.Values) config.Values {
	return textExpander(text, values).used
}

func textExpander(text config.Text, values config.Values) *expander {
	e := newExpander(text.Position.File, []byte(text.Text), values)
	if text.Position.Line > 0 {
		e.place = func(offset int) fault.Position {
			pos := text.Position
			if !strings.ContainsRune(text.Text, '\n') {
				pos.Column += utf8.RuneCountInString(text.Text[:offset])
			}
			return pos
		}
	}
	e.run(inText)
	return e
}

// where is what surrounds the character that the expander looks at.
type where int

const (
	inText   where = iota // plain text, no JSON at all
	inJSON                // JSON outside strings
	inString              // inside a JSON string
)

type expander struct {
	src      *source
	place    func(offset int) fault.Position // of an offset in the text, in the file that people see
	values   config.Values
	out      []byte
	segments segments
	used     config.Values
	problems fault.Problems
	depth    int  // of objects and lists
	deep     bool // depth was more than allowed
}

func newExpander(file string, text []byte, values config.Values) *expander {
	src := newSource(file, text)
	return &expander{src: src, place: src.position, values: values, used: config.Values{}}
}

func (e *expander) problem(offset int, hint, format string, args ...any) {
	e.problems.Add(e.place(offset), hint, format, args...)
}

// copy takes a stretch of the template over as it stands.
func (e *expander) copy(start, end int) {
	if start >= end {
		return
	}
	n := len(e.segments)
	if n == 0 || !e.segments[n-1].copied || e.segments[n-1].in+len(e.out)-e.segments[n-1].out != start {
		e.segments = append(e.segments, segment{out: len(e.out), in: start, copied: true})
	}
	e.out = append(e.out, e.src.text[start:end]...)
}

// put puts text in the place of what begins at the template's offset.
func (e *expander) put(offset int, text []byte, poisoned bool) {
	e.segments = append(e.segments, segment{out: len(e.out), in: offset, poisoned: poisoned})
	e.out = append(e.out, text...)
}

// run expands the whole template.
func (e *expander) run(state where) {
	text := e.src.text
	for i := 0; i < len(text); {
		switch {
		case bytes.HasPrefix(text[i:], []byte("$${")):
			e.put(i, []byte("${"), false)
			i += 3
		case bytes.HasPrefix(text[i:], []byte("${")):
			end := e.placeholder(i, len(text), state, 0)
			if state == inJSON && e.glued(i, end) {
				e.problem(i, "separate it, or put everything in one string",
					"the placeholder %s stands directly beside other text", text[i:end])
			}
			i = end
		default:
			end := next(text, i, state)
			e.copy(i, end)
			state = e.follow(text[i:end], state)
			i = end
		}
	}
}

// next returns the end of the stretch that can be copied: a run of plain characters, an escape, a comment.
func next(text []byte, i int, state where) int {
	c := text[i]
	switch {
	case state == inString && c == '\\':
		return min(i+2, len(text))
	case state == inJSON && bytes.HasPrefix(text[i:], []byte("//")):
		return i + endOf(text[i:], "\n")
	case state == inJSON && bytes.HasPrefix(text[i:], []byte("/*")):
		return i + 2 + endOf(text[i+2:], "*/")
	}
	return i + 1
}

func endOf(text []byte, mark string) int {
	if i := bytes.Index(text, []byte(mark)); i >= 0 {
		return i + len(mark)
	}
	return len(text)
}

// follow returns the state after a copied stretch.
func (e *expander) follow(stretch []byte, state where) where {
	if state == inText || len(stretch) != 1 {
		return state
	}
	switch c := stretch[0]; {
	case c == '"' && state == inString:
		return inJSON
	case c == '"':
		return inString
	case state == inString:
	case c == '{' || c == '[':
		e.depth++
		e.deep = e.deep || e.depth > maxDepth
	case c == '}' || c == ']':
		e.depth--
	}
	return state
}
