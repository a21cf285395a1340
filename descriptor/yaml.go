package descriptor

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// expandYAML reads a template in YAML. The placeholders are hidden from the parser, which would take their braces for its
// own, and expanded in what it found: a value never becomes a part of the YAML.
//
// A scalar without quotes is a number, true, false or null when it is written as JSON writes these (true, false and null
// also as YAML 1.2 does), and so is a placeholder that stands alone without quotes, by its value. Everything else is the
// text as it stands: 010, 0x1F, 1_000, on and 2026-01-01 mean different things in different versions of YAML, so they
// mean nothing here but themselves, and the check of the descriptor's types tells where a number or true was expected.
func expandYAML(t Template, values config.Values) (*Document, config.Values, fault.Problems) {
	h, flaw := hide(t)
	if flaw != nil {
		return nil, nil, flaw
	}
	tree, problems := config.ReadYAML(t.File, h.text)
	if problems.Err() != nil {
		for i := range problems {
			problems[i].Message = h.reveal(problems[i].Message).text
		}
		return nil, nil, problems
	}
	y := &yamlPrinter{printer: printer{used: config.Values{}}, hidden: h, values: values}
	if tree.Kind != config.Mapping {
		y.problems.Add(tree.Position, "", "expected a mapping of names to values")
		return nil, y.used, y.problems
	}
	y.value(tree, 0)
	if y.full || y.deep {
		y.problems.Add(tree.Position, "", "the file is larger than a descriptor can be: %d bytes, and %d levels", maxTemplate, maxDepth)
		return nil, y.used, y.problems
	}
	return y.document(t), y.used, y.problems
}

// Characters for private use stand for what is hidden: one for the $ of each placeholder, by its number, and one for every
// other character of it. Each is one character, as what it stands for, so that columns stay true.
const (
	hiddenStart = 0xF0000
	hiddenOther = 0x100000
	mostHidden  = 0xFFFD
)

// hidden is a text whose placeholders a parser doesn't see.
type hidden struct {
	text   []byte
	places []fault.Position // of the placeholders, by their numbers
}

func hide(t Template) (*hidden, fault.Problems) {
	src, h := newSource(t.File, t.Text), &hidden{}
	var problems fault.Problems
	for i := 0; i < len(t.Text); {
		r, n := utf8.DecodeRune(t.Text[i:])
		end := hiddenEnd(t.Text, i)
		switch {
		case r >= hiddenStart:
			problems.Add(src.position(i), "", "the private-use character %U cannot stand in a template", r)
		case end > i && len(h.places) <= mostHidden:
			h.text = utf8.AppendRune(h.text, rune(hiddenStart+len(h.places)))
			h.places = append(h.places, src.position(i))
			for _, c := range string(t.Text[i+1 : end]) {
				if c < utf8.RuneSelf && c != '\\' {
					c += hiddenOther
				}
				h.text = utf8.AppendRune(h.text, c)
			}
			i = end
			continue
		default:
			h.text = append(h.text, t.Text[i:i+n]...)
		}
		i += n
	}
	return h, problems
}

// hiddenEnd returns the end of the placeholder that begins at an offset, of its first two characters when no end can be seen,
// and the offset when none begins there. A default ends on its line and before a double quote; what is no placeholder ends
// before any quote or comma.
func hiddenEnd(text []byte, start int) int {
	if !bytes.HasPrefix(text[start:], []byte("${")) {
		return start
	}
	i := start + 2
	for i < len(text) && isNameByte(text[i]) {
		i++
	}
	stop := "\n\"',"
	if bytes.HasPrefix(text[i:], []byte(":-")) {
		stop = "\n\""
	}
	open := 0
	for ; i < len(text) && strings.IndexByte(stop, text[i]) < 0; i++ {
		switch {
		case bytes.HasPrefix(text[i:], []byte("${")):
			open++
		case text[i] == '}' && open == 0:
			return i + 1
		case text[i] == '}':
			open--
		}
	}
	return start + 2
}

// revealed is a text as it was before it was hidden, with the places of its placeholders.
type revealed struct {
	text   string
	starts []int // offsets, ascending
	places []fault.Position
}

func (h *hidden) reveal(text string) revealed {
	var b strings.Builder
	var r revealed
	for _, c := range text {
		switch {
		case c >= hiddenOther:
			c -= hiddenOther
		case c >= hiddenStart && int(c-hiddenStart) < len(h.places):
			r.starts, r.places = append(r.starts, b.Len()), append(r.places, h.places[c-hiddenStart])
			c = '$'
		}
		b.WriteRune(c)
	}
	r.text = b.String()
	return r
}

// place returns the place of an offset: that of the placeholder that begins there or before it.
func (r revealed) place(otherwise fault.Position) func(int) fault.Position {
	return func(offset int) fault.Position {
		i := sort.SearchInts(r.starts, offset+1)
		if i == 0 {
			return otherwise
		}
		pos := r.places[i-1]
		pos.Column += utf8.RuneCountInString(r.text[r.starts[i-1]:min(offset, len(r.text))])
		return pos
	}
}

// yamlPrinter writes a YAML tree as JSON, with its placeholders expanded.
type yamlPrinter struct {
	printer
	hidden *hidden
	values config.Values
	deep   bool
}

func (y *yamlPrinter) value(v *config.Tree, depth int) {
	y.deep = y.deep || depth > maxDepth
	if y.deep || y.full {
		return
	}
	switch v.Kind {
	case config.Mapping:
		y.mark(v.Position, false)
		y.out.WriteByte('{')
		for i, m := range v.Members {
			y.row(i, depth+1)
			y.name(m.Name)
			y.out.WriteString(": ")
			y.value(m.Value, depth+1)
		}
		y.end('}', len(v.Members), depth)
	case config.List:
		y.mark(v.Position, false)
		y.out.WriteByte('[')
		for i, e := range v.Elements {
			y.row(i, depth+1)
			y.value(e, depth+1)
		}
		y.end(']', len(v.Elements), depth)
	case config.Scalar:
		y.scalar(v)
	}
}

func (y *yamlPrinter) name(v *config.Tree) {
	text, _, ok := y.expand(v)
	y.mark(v.Position, !ok)
	y.text(text)
}

func (y *yamlPrinter) scalar(v *config.Tree) {
	text, whole, ok := y.expand(v)
	y.mark(v.Position, !ok)
	boolean, isBoolean := v.Boolean()
	switch {
	case !ok && whole && v.Plain:
		y.out.WriteString("null")
	case v.IsNull():
		y.out.WriteString("null")
	case isBoolean && boolean:
		y.out.WriteString("true")
	case isBoolean:
		y.out.WriteString("false")
	case v.Plain && (whole || text == v.Text) && bareValue().MatchString(text):
		y.out.WriteString(text)
	default:
		y.text(text)
	}
}

// expand returns the text of a scalar with the values in place, whether it is a placeholder and nothing else, and whether
// all is well with it.
func (y *yamlPrinter) expand(v *config.Tree) (text string, whole, ok bool) {
	r := y.hidden.reveal(v.Text)
	if !strings.Contains(r.text, "${") {
		return r.text, false, true
	}
	e := newExpander(v.Position.File, []byte(r.text), y.values)
	e.place = r.place(v.Position)
	whole = strings.HasPrefix(r.text, "${") && hiddenEnd([]byte(r.text), 0) == len(r.text)
	e.run(inText)
	for name, value := range e.used {
		y.used[name] = value
		if !utf8.ValidString(value.Text) {
			e.problem(0, "", "the value of %q is not UTF-8 text", name)
		}
	}
	y.problems = append(y.problems, e.problems...)
	if len(e.problems) > 0 {
		return "?", whole, false
	}
	return string(e.out), whole, true
}
