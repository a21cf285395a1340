package descriptor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/tailscale/hujson"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// Template is a descriptor's template, as it was read from a file. The file's name says in which format it is written.
type Template struct {
	Kind    Kind
	File    string // as problems call it
	Text    []byte
	Imports Files // what a Jsonnet template imports, directly or not
}

// Document is a descriptor: a template with its values in place. Body is standard JSON and ends as the template ends.
type Document struct {
	Kind Kind
	File string        // the template's
	Body []byte        // what is published: JSON; of a JSON template laid out as that, without comments
	Used config.Values // the values that the template used, and from where they came

	tree *hujson.Value
	pos  func(offset int) fault.Position // of an offset in the tree: where it comes from in the template
	skip func(v *hujson.Value) bool      // whether a value stands for something that is missing
}

// Expand puts the values in place and parses the result. All problems are reported at once. The document is nil when
// there is no JSON to look at any further.
func Expand(t Template, values config.Values) (*Document, fault.Problems) {
	doc, _, problems := expand(t, values)
	return doc, problems
}

// Used returns the values that a template uses, of those that there are; also of a template that has problems, as far as
// can be seen. It may use others with other values.
func Used(t Template, values config.Values) config.Values {
	_, used, _ := expand(t, values)
	return used
}

func expand(t Template, values config.Values) (*Document, config.Values, fault.Problems) {
	if flaw, at := textFlaw(t.Text); flaw != "" {
		var problems fault.Problems
		problems.Add(newSource(t.File, t.Text).position(at), "", "%s", flaw)
		return nil, nil, problems
	}
	switch FormatOf(t.File) {
	case YAML:
		return expandYAML(t, values)
	case Jsonnet:
		return expandJsonnet(t, values)
	case JSON:
	}
	return expandJSON(t, values)
}

func expandJSON(t Template, values config.Values) (*Document, config.Values, fault.Problems) {
	e := newExpander(t.File, t.Text, values)
	e.run(inJSON)
	if e.deep {
		e.problem(0, "", "objects and lists are nested more than %d deep", maxDepth)
		return nil, e.used, e.problems
	}
	tree, err := hujson.Parse(e.out)
	if err != nil {
		offset, message := syntax(e.out, err)
		e.problem(e.segments.origin(offset), "", "the %s is not JSON after expansion: %s", t.Kind.Words(), message)
		return nil, e.used, e.problems
	}
	return &Document{
		Kind: t.Kind, File: t.File, Body: standard(&tree), Used: e.used, tree: &tree,
		pos:  func(offset int) fault.Position { return e.src.position(e.segments.origin(offset)) },
		skip: func(v *hujson.Value) bool { return e.segments.poisoned(v.StartOffset, v.EndOffset) },
	}, e.used, e.problems
}

// Read parses a descriptor that was published before, or JSON that AWS sent. file is how problems call it.
func Read(kind Kind, file string, body []byte) (*Document, error) {
	src := newSource(file, body)
	var problems fault.Problems
	if flaw, at := textFlaw(body); flaw != "" {
		problems.Add(src.position(at), "", "%s", flaw)
		return nil, problems.Err()
	}
	counter := newExpander(file, body, nil)
	counter.measure()
	if counter.deep {
		problems.Add(src.position(0), "", "objects and lists are nested more than %d deep", maxDepth)
		return nil, problems.Err()
	}
	tree, err := hujson.Parse(bytes.Clone(body))
	if err != nil {
		offset, message := syntax(body, err)
		problems.Add(src.position(offset), "", "the %s is not JSON: %s", kind.Words(), message)
		return nil, problems.Err()
	}
	return &Document{
		Kind: kind, File: file, Body: standard(&tree), Used: config.Values{}, tree: &tree,
		pos:  src.position,
		skip: func(*hujson.Value) bool { return false },
	}, nil
}

// measure finds out how deep the text is nested, without expanding it.
func (e *expander) measure() {
	state := inJSON
	for i := 0; i < len(e.src.text); {
		end := next(e.src.text, i, state)
		state = e.follow(e.src.text[i:end], state)
		i = end
	}
}

func textFlaw(text []byte) (flaw string, offset int) {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return "the file is empty", 0
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return "the file begins with a byte order mark: save it as UTF-8 without one", 0
	case len(text) > maxTemplate:
		return fmt.Sprintf("the file has %d bytes, more than a descriptor can have", len(text)), 0
	case utf8.Valid(text):
		return "", 0
	}
	for offset < len(text) {
		r, n := utf8.DecodeRune(text[offset:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		offset += n
	}
	return "the file is not UTF-8 text", offset
}

// syntax takes the JSON parser's error apart: `hujson: line 3, column 7: invalid character …`, columns in bytes.
func syntax(text []byte, err error) (offset int, message string) {
	var line, column int
	if _, scanErr := fmt.Sscanf(err.Error(), "hujson: line %d, column %d:", &line, &column); scanErr != nil {
		return 0, err.Error()
	}
	offset = offsetOf(text, line, column)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return offset, "it ends too early: a bracket, quote or comment is not closed"
	}
	message = err.Error()
	if inner := errors.Unwrap(err); inner != nil {
		message = inner.Error()
	}
	return offset, message
}

// standard returns the document without comments and trailing commas, and without the blanks that these leave behind
// at the ends of lines.
func standard(tree *hujson.Value) []byte {
	if tree.IsStandard() {
		return tree.Pack()
	}
	plain := tree.Clone()
	plain.Standardize()
	lines := bytes.Split(plain.Pack(), []byte("\n"))
	kept := lines[:0]
	for _, line := range lines {
		trimmed := bytes.TrimRight(line, " \t\r")
		if len(trimmed) > 0 {
			kept = append(kept, trimmed)
		}
	}
	return append(bytes.Join(kept, []byte("\n")), '\n')
}
