package descriptor

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tailscale/hujson"

	"github.com/slipway-cd/slipway/fault"
)

// view looks at one value of a document. A view of nothing answers every question with the zero value, so that checks
// read without an if for every member that may be missing.
type view struct {
	doc  *Document
	v    *hujson.Value // nil where there is nothing, or null
	at   *hujson.Value // the nearest thing there is, for positions
	path string
}

func (d *Document) view() view { return view{doc: d, v: d.tree, at: d.tree} }

func (w view) exists() bool { return w.v != nil }

// known reports whether there is a value, and not a stand-in for one that is missing.
func (w view) known() bool { return w.v != nil && !w.doc.skip(w.v) }

func (w view) get(name string) view {
	found := view{doc: w.doc, at: w.at, path: join(w.path, name)}
	if w.v == nil {
		return found
	}
	if obj, ok := w.v.Value.(*hujson.Object); ok {
		for i := range obj.Members {
			m := &obj.Members[i]
			if literal(m.Name.Value) == name && m.Value.Value.Kind() != 'n' {
				found.v, found.at = &m.Value, &m.Value
			}
		}
	}
	return found
}

func (w view) list() []view {
	if w.v == nil {
		return nil
	}
	arr, ok := w.v.Value.(*hujson.Array)
	if !ok {
		return nil
	}
	found := make([]view, len(arr.Elements))
	for i := range arr.Elements {
		e := &arr.Elements[i]
		found[i] = view{doc: w.doc, v: e, at: e, path: fmt.Sprintf("%s[%d]", w.path, i)}
	}
	return found
}

// names returns the names of an object's members.
func (w view) names() []string {
	var names []string
	if w.v == nil {
		return nil
	}
	if obj, ok := w.v.Value.(*hujson.Object); ok {
		for i := range obj.Members {
			names = append(names, literal(obj.Members[i].Name.Value))
		}
	}
	return names
}

func (w view) text() string {
	if w.v == nil {
		return ""
	}
	return literal(w.v.Value)
}

// texts returns the texts of a list.
func (w view) texts() []string {
	var texts []string
	for _, e := range w.list() {
		texts = append(texts, e.text())
	}
	return texts
}

// contains reports whether a list has a text.
func (w view) contains(text string) bool { return slices.Contains(w.texts(), text) }

// number returns a whole number, and whether there is one.
func (w view) number() (int64, bool) {
	if w.v == nil {
		return 0, false
	}
	lit, ok := w.v.Value.(hujson.Literal)
	if !ok || lit.Kind() != '0' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(lit), 10, 64)
	return n, err == nil
}

func (w view) boolean(otherwise bool) bool {
	if w.v == nil {
		return otherwise
	}
	switch w.v.Value.Kind() {
	case 't':
		return true
	case 'f':
		return false
	}
	return otherwise
}

// findings collects problems at the places of views.
type findings struct {
	problems fault.Problems
}

func (f *findings) add(w view, hint, format string, args ...any) {
	f.problems.Add(w.doc.pos(w.at.StartOffset), hint, format, args...)
}

// within reports a number outside a range.
func (f *findings) within(w view, least, most int64) {
	if n, ok := w.number(); ok && (n < least || n > most) {
		f.add(w, fmt.Sprintf("AWS takes %d to %d", least, most), "%s is %d", w.path, n)
	}
}

// require reports a member that is missing, and returns it.
func (f *findings) require(w view, name string) view {
	m := w.get(name)
	if !m.exists() || (m.v.Value.Kind() == '"' && m.text() == "") {
		f.add(m, "", "%s is missing", m.path)
		return view{doc: m.doc, at: m.at, path: m.path}
	}
	return m
}
