package descriptor

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/toolutils"
	"github.com/tailscale/hujson"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// Files are the files that a Jsonnet template imports, by their paths from the project's directory, with slashes.
type Files map[string][]byte

// Import is an import of a Jsonnet file.
type Import struct {
	Path     string // from the project's directory, with slashes
	Code     bool   // Jsonnet, which may import more; else text or bytes
	Position fault.Position
}

// Imports returns what a Jsonnet file imports. Problems are imports from outside the project. A file that is no Jsonnet
// imports nothing: what is wrong with it is told when it is expanded.
func Imports(file string, text []byte) ([]Import, fault.Problems) {
	root, _ := jsonnet.SnippetToAST(file, string(text))
	if root == nil {
		return nil, nil
	}
	src := newSource(file, text)
	var all []Import
	var problems fault.Problems
	walk(root, func(n ast.Node) {
		name, code := importOf(n)
		if name == nil {
			return
		}
		pos := placeIn(src, *n.Loc())
		found := path.Join(path.Dir(file), name.Value)
		if path.IsAbs(name.Value) || !insideProject(found) {
			problems.Add(pos, "import by a path from this file, inside the project", "%q is outside of the project", name.Value)
			return
		}
		all = append(all, Import{found, code, pos})
	})
	slices.SortFunc(all, func(a, b Import) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column))
	})
	return all, problems
}

func insideProject(p string) bool { return p != ".." && !strings.HasPrefix(p, "../") && !path.IsAbs(p) }

func importOf(n ast.Node) (name *ast.LiteralString, code bool) {
	switch x := n.(type) {
	case *ast.Import:
		return x.File, true
	case *ast.ImportStr:
		return x.File, false
	case *ast.ImportBin:
		return x.File, false
	}
	return nil, false
}

func walk(n ast.Node, visit func(ast.Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, child := range toolutils.Children(n) {
		walk(child, visit)
	}
}

// placeIn returns the place where a stretch of a file begins. Jsonnet counts columns in bytes.
func placeIn(src *source, at ast.LocationRange) fault.Position {
	return src.position(offsetOf(src.text, at.Begin.Line, at.Begin.Column))
}

// program is a Jsonnet template on its way to a document.
type program struct {
	printer
	template Template
	values   config.Values
	vm       *jsonnet.VM
	sources  map[string]*source // its files, by path
	locator  *locator
}

// expandJsonnet evaluates a template in Jsonnet. Values are its external variables, as text: std.extVar("name"). In texts
// of the result ${name} is expanded as in a JSON string, so that a text says the same in every format.
func expandJsonnet(t Template, values config.Values) (*Document, config.Values, fault.Problems) {
	p := &program{printer: printer{used: config.Values{}}, template: t, values: values, vm: jsonnet.MakeVM(), sources: map[string]*source{}}
	files := importer{}
	add := func(name string, text []byte) {
		files[path.Clean(name)], p.sources[path.Clean(name)] = jsonnet.MakeContentsRaw(text), newSource(name, text)
	}
	for name, text := range t.Imports {
		add(name, text)
	}
	add(t.File, t.Text)
	p.vm.SetTraceOut(io.Discard)
	p.vm.Importer(files)
	for name, value := range values {
		p.vm.ExtVar(name, value.Text)
	}
	root, _, err := p.vm.ImportAST("", t.File)
	if err != nil {
		p.failed(err)
		return nil, p.used, p.problems
	}
	p.locator = &locator{vm: p.vm, place: p.place}
	missing := p.inspect(root)
	text, err := p.vm.Evaluate(root)
	if err != nil {
		p.failed(err, missing...)
		return nil, p.used, p.problems
	}
	tree, err := hujson.Parse([]byte(text))
	if err != nil {
		p.problems.Add(fault.Position{File: t.File, Line: 1, Column: 1}, "", "the result is not JSON: %s", err)
		return nil, p.used, p.problems
	}
	p.value(&tree, cursor{node: root}, p.place(root, fault.Position{File: t.File, Line: 1, Column: 1}), 0)
	return p.document(t), p.used, p.problems
}

// importer finds imports among the files that were read before: from the importing file's directory.
type importer map[string]jsonnet.Contents

func (f importer) Import(from, name string) (jsonnet.Contents, string, error) {
	found := path.Clean(name)
	if from != "" {
		found = path.Join(path.Dir(from), name)
	}
	contents, ok := f[found]
	if !ok {
		return jsonnet.Contents{}, "", fmt.Errorf("cannot read %q", found)
	}
	return contents, found, nil
}

// inspect looks at the program before it runs: which values it uses, and numbers that Jsonnet cannot hold. It returns the
// problems of values that are missing, which is none where the program doesn't come to them.
func (p *program) inspect(root ast.Node) (missing fault.Problems) {
	p.locator.everywhere(root, func(n ast.Node) {
		switch x := n.(type) {
		case *ast.LiteralNumber:
			p.number(x)
		case *ast.Apply:
			p.external(x, &missing)
		}
	})
	return missing
}

// external notes a call of std.extVar. Which values a computed name uses cannot be told, so it may be any.
func (p *program) external(call *ast.Apply, missing *fault.Problems) {
	function, ok := call.Target.(*ast.Index)
	if !ok || len(call.Arguments.Positional) != 1 {
		return
	}
	std, isVar := function.Target.(*ast.Var)
	member, isName := function.Index.(*ast.LiteralString)
	if !isVar || std.Id != "std" || !isName || member.Value != "extVar" {
		return
	}
	name, literal := call.Arguments.Positional[0].Expr.(*ast.LiteralString)
	if !literal {
		maps.Copy(p.used, p.values)
		return
	}
	value, known := p.values[name.Value]
	if known {
		p.used[name.Value] = value
		return
	}
	missing.Add(p.place(call, fault.Position{}), unknownHint(name.Value, p.values), "there is no value for %q", name.Value)
}

// number reports a whole number that would become another one.
func (p *program) number(n *ast.LiteralNumber) {
	const exact = 1 << 53 // IEEE 754 doubles hold every whole number up to here
	f, err := strconv.ParseFloat(n.OriginalString, 64)
	if whole := !strings.ContainsAny(n.OriginalString, ".eE"); whole && err == nil && math.Abs(f) > exact {
		p.problems.Add(p.place(n, fault.Position{}), "put it in quotes if text is meant",
			"%s is larger than a number of Jsonnet can be, which would change it", n.OriginalString)
	}
}

// place returns where a node stands in its file.
func (p *program) place(n ast.Node, otherwise fault.Position) fault.Position {
	return p.at(*n.Loc(), otherwise)
}

func (p *program) at(at ast.LocationRange, otherwise fault.Position) fault.Position {
	src := p.sources[at.FileName]
	if src == nil || !at.IsSet() {
		return otherwise
	}
	return placeIn(src, at)
}

// placed is a mistake that Jsonnet finds in a file before it runs.
type placed interface {
	error
	Loc() ast.LocationRange
}

// failed tells of an error of Jsonnet: at the place of a mistake in a file, or at the innermost place of the project's
// files when one was met in running.
func (p *program) failed(err error, missing ...fault.Problem) {
	pos := fault.Position{File: p.template.File, Line: 1, Column: 1}
	message, _, _ := strings.Cut(err.Error(), "\n")
	if static, ok := errors.AsType[placed](err); ok {
		at := static.Loc()
		pos = p.at(at, pos)
		message = strings.TrimSpace(strings.TrimPrefix(message, at.String()))
	}
	if running, ok := errors.AsType[jsonnet.RuntimeError](err); ok {
		message = running.Msg
		if strings.HasPrefix(message, "Undefined external variable") && len(missing) > 0 {
			p.problems = append(p.problems, missing...) // all at once, not the first that it came to
			return
		}
		for _, frame := range slices.Backward(running.StackTrace) {
			if found := p.at(frame.Loc, fault.Position{}); found.Line > 0 {
				pos = found
				break
			}
		}
	}
	p.problems.Add(pos, "", "%s", message)
}

// value writes a value of the result, with its place in the program: that of the expression that made it, as far as it can
// be followed, else of the nearest around it.
func (p *program) value(v *hujson.Value, c cursor, at fault.Position, depth int) {
	if depth > maxDepth {
		p.full = true
		return
	}
	switch x := v.Value.(type) {
	case *hujson.Object:
		p.mark(at, false)
		p.out.WriteByte('{')
		for i := range x.Members {
			m := &x.Members[i]
			field, nameAt := p.locator.member(c, literal(m.Name.Value), at)
			p.row(i, depth+1)
			p.string(literal(m.Name.Value), nameAt)
			p.out.WriteString(": ")
			p.value(&m.Value, field, p.locator.at(field, nameAt), depth+1)
		}
		p.end('}', len(x.Members), depth)
	case *hujson.Array:
		p.mark(at, false)
		p.out.WriteByte('[')
		for i := range x.Elements {
			element := p.locator.element(c, i)
			p.row(i, depth+1)
			p.value(&x.Elements[i], element, p.locator.at(element, at), depth+1)
		}
		p.end(']', len(x.Elements), depth)
	case hujson.Literal:
		if x.Kind() == '"' {
			p.string(x.String(), at)
			return
		}
		p.mark(at, false)
		p.out.Write(x)
	}
}

// string writes a text of the result with its placeholders expanded.
func (p *program) string(text string, at fault.Position) {
	if !strings.Contains(text, "${") {
		p.mark(at, false)
		p.text(text)
		return
	}
	e := newExpander(at.File, []byte(text), p.values)
	e.place = func(int) fault.Position { return at }
	e.run(inText)
	maps.Copy(p.used, e.used)
	if len(e.problems) == 0 && !utf8.Valid(e.out) {
		e.problem(0, "", "a value in %q is not UTF-8 text", text)
	}
	p.problems = append(p.problems, e.problems...)
	p.mark(at, len(e.problems) > 0)
	if len(e.problems) > 0 {
		p.text("?")
		return
	}
	p.text(string(e.out))
}
