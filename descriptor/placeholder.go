package descriptor

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/suggest"
)

// placeholder expands the ${name} or ${name:-default} at an offset and returns the offset after it.
func (e *expander) placeholder(start, limit int, state where, nesting int) int {
	text := e.src.text[:limit]
	i := start + 2
	for i < limit && isNameByte(text[i]) {
		i++
	}
	name, rest := string(text[start+2:i]), text[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("}")) && config.IsValueName(name):
		e.value(start, name, state)
		return i + 1
	case bytes.HasPrefix(rest, []byte(":-")) && config.IsValueName(name):
		return e.orDefault(start, i+2, limit, name, state, nesting)
	}
	return e.malformed(start, limit, state)
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-'
}

func (e *expander) malformed(start, limit int, state where) int {
	end := start + 2
	for end < limit && !strings.ContainsRune("}\"\n", rune(e.src.text[end])) {
		end++
	}
	if end < limit && e.src.text[end] == '}' {
		end++
		e.problem(start, "a letter, then letters, digits, _, . and -; write $${ for a literal ${",
			"%q is no placeholder", e.src.text[start:end])
	} else {
		e.problem(start, "close it with }, or write $${ for a literal ${", "the placeholder %q has no end", e.src.text[start:end])
	}
	e.missing(start, state)
	return end
}

// value puts a value in the place of a placeholder that has no default.
func (e *expander) value(start int, name string, state where) {
	v, ok := e.values[name]
	if !ok {
		e.problem(start, unknownHint(name, e.values), "there is no value for %q", name)
		e.missing(start, state)
		return
	}
	e.used[name] = v
	e.insert(start, name, v.Text, state)
}

func unknownHint(name string, values config.Values) string {
	if h := suggest.Hint(name, values.Names()); h != "" {
		return h
	}
	return "add it under values in " + config.FileName + ", or with --set " + name + "=…"
}

// orDefault expands ${name:-default}. As in a shell, an empty value counts as none. The default is a part of the
// template, so it may contain placeholders itself, and inside a JSON string it is written as JSON.
func (e *expander) orDefault(start, from, limit int, name string, state where, nesting int) int {
	end, ok := e.closing(from, limit, state)
	if !ok || nesting >= maxDefaults {
		return e.malformed(start, limit, state)
	}
	if v, known := e.values[name]; known && v.Text != "" {
		e.used[name] = v
		e.insert(start, name, v.Text, state)
		return end + 1
	}
	if state == inJSON {
		e.bareDefault(start, from, end, nesting)
		return end + 1
	}
	e.defaultText(from, end, state, nesting)
	return end + 1
}

func (e *expander) defaultText(from, end int, state where, nesting int) {
	text := e.src.text
	for i := from; i < end; {
		switch {
		case bytes.HasPrefix(text[i:end], []byte("$${")):
			e.put(i, []byte("${"), false)
			i += 3
		case bytes.HasPrefix(text[i:end], []byte("${")):
			i = e.placeholder(i, end, state, nesting+1)
		default:
			stop := min(next(text, i, state), end)
			e.copy(i, stop)
			i = stop
		}
	}
}

// bareDefault expands the default of a placeholder that stands outside strings: a placeholder, or a value of JSON.
func (e *expander) bareDefault(start, from, end, nesting int) {
	text := e.src.text[from:end]
	if bytes.HasPrefix(text, []byte("${")) && e.placeholder(from, end, inJSON, nesting+1) == end {
		return
	}
	e.insert(start, "the default", string(text), inJSON)
}

// closing finds the } that ends a default, past the placeholders inside it. A quote ends a JSON string, so it ends the
// search too.
func (e *expander) closing(from, limit int, state where) (int, bool) {
	text, open := e.src.text[:limit], 0
	for i := from; i < limit; i++ {
		switch c := text[i]; {
		case c == '\n' && state != inText, c == '"' && state == inString:
			return 0, false
		case c == '\\' && state == inString:
			i++
		case bytes.HasPrefix(text[i:], []byte("${")):
			open++
			i++
		case c == '}' && open == 0:
			return i, true
		case c == '}':
			open--
		}
	}
	return 0, false
}

// bareValue is what may stand outside strings: JSON's numbers, true, false and null (RFC 8259).
var bareValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$`)
})

// insert writes a value: escaped inside a string, checked outside one.
func (e *expander) insert(start int, name, text string, state where) {
	if state != inText && !utf8.ValidString(text) {
		e.problem(start, "", "the value of %q is not UTF-8 text", name)
		e.missing(start, state)
		return
	}
	switch state {
	case inText:
		e.put(start, []byte(text), false)
	case inString:
		e.put(start, escape(text), false)
	case inJSON:
		e.insertBare(start, name, text)
	}
}

func (e *expander) insertBare(start int, name, text string) {
	if bareValue().MatchString(text) {
		e.put(start, []byte(text), false)
		return
	}
	e.problem(start, "put the placeholder in double quotes if text is meant",
		"%s is %q: outside a string it has to be a number, true, false or null", name, text)
	e.missing(start, inJSON)
}

// glued reports whether a bare placeholder touches a number, a word or another placeholder, so that expansion would
// make one value out of two.
func (e *expander) glued(start, end int) bool {
	text := e.src.text
	return start > 0 && isWordByte(text[start-1]) || end < len(text) && (isWordByte(text[end]) || text[end] == '$')
}

func isWordByte(c byte) bool { return isNameByte(c) || c == '+' || c == '"' }

// missing writes a stand-in for a value that is not there, so that the rest can still be checked.
func (e *expander) missing(offset int, state where) {
	switch state {
	case inJSON:
		e.put(offset, []byte("null"), true)
	case inString:
		e.put(offset, []byte("?"), true)
	case inText:
	}
}

// escape writes text as the inside of a JSON string.
func escape(text string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return nil // a string always encodes
	}
	quoted := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return quoted[1 : len(quoted)-1]
}
