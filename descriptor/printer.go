package descriptor

import (
	"bytes"
	"sort"
	"strings"

	"github.com/tailscale/hujson"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// printer writes a document of another format as indented JSON, and marks where each of its values comes from.
type printer struct {
	out      bytes.Buffer
	marks    marks
	used     config.Values
	problems fault.Problems
	full     bool // it had more to write than a descriptor can have
}

// mark says from where a stretch of the JSON comes, up to the next mark.
type mark struct {
	out      int // the offset in the JSON at which it begins
	from     fault.Position
	poisoned bool // whether it stands for a value that is missing or wrong
}

// marks are in the order of the JSON.
type marks []mark

func (ms marks) position(offset int) fault.Position {
	i := sort.Search(len(ms), func(i int) bool { return ms[i].out > offset })
	if i == 0 {
		return fault.Position{}
	}
	return ms[i-1].from
}

func (ms marks) poisoned(start, end int) bool {
	for i := sort.Search(len(ms), func(i int) bool { return ms[i].out >= start }); i < len(ms) && ms[i].out < end; i++ {
		if ms[i].poisoned {
			return true
		}
	}
	return false
}

func (p *printer) mark(from fault.Position, poisoned bool) {
	p.marks = append(p.marks, mark{p.out.Len(), from, poisoned})
	p.full = p.full || p.out.Len() > maxTemplate
}

func (p *printer) text(text string) {
	p.out.WriteByte('"')
	p.out.Write(escape(text))
	p.out.WriteByte('"')
}

// row begins the line of an element of an object or list.
func (p *printer) row(i, depth int) {
	if i > 0 {
		p.out.WriteByte(',')
	}
	p.out.WriteString("\n" + strings.Repeat("  ", depth))
}

// end closes an object or list of n elements.
func (p *printer) end(bracket byte, n, depth int) {
	if n > 0 {
		p.out.WriteString("\n" + strings.Repeat("  ", depth))
	}
	p.out.WriteByte(bracket)
}

// document parses what was written.
func (p *printer) document(t Template) *Document {
	p.out.WriteByte('\n')
	tree, err := hujson.Parse(p.out.Bytes())
	if err != nil {
		p.problems.Add(fault.Position{File: t.File, Line: 1, Column: 1}, "", "the %s is not JSON after expansion: %s", t.Kind.Words(), err)
		return nil
	}
	return &Document{
		Kind: t.Kind, File: t.File, Body: tree.Pack(), Used: p.used, tree: &tree,
		pos:  p.marks.position,
		skip: func(v *hujson.Value) bool { return p.marks.poisoned(v.StartOffset, v.EndOffset) },
	}
}
