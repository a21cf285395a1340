package descriptor

import (
	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"

	"github.com/slipway-cd/slipway/fault"
)

// locator finds which expression of a Jsonnet program made a part of its result. It follows what stands there literally:
// objects and lists, their sums, variables, functions of the program, imports, branches. Where a value is computed in
// another way (std.map, comprehensions), the trail ends, and the expression that computes it is the place.
type locator struct {
	vm    *jsonnet.VM
	place func(n ast.Node, otherwise fault.Position) fault.Position
	steps int // how many expressions may still be followed for the question that is asked: programs may be recursive
}

// cursor is an expression with the variables that it sees. Its node is nil where the trail has ended.
type cursor struct {
	node  ast.Node
	scope *scope
}

// scope is the variables of a local, an object or a function, and those around it.
type scope struct {
	binds  map[ast.Identifier]cursor
	parent *scope
}

func (s *scope) find(name ast.Identifier) cursor {
	for ; s != nil; s = s.parent {
		if c, ok := s.binds[name]; ok {
			return c
		}
	}
	return cursor{}
}

// farthest is how many expressions are followed for one question.
const farthest = 1000

// at returns the place of an expression.
func (l *locator) at(c cursor, otherwise fault.Position) fault.Position {
	if c.node == nil {
		return otherwise
	}
	return l.place(c.node, otherwise)
}

// member returns the expression of an object's member, and the place of its name.
func (l *locator) member(c cursor, name string, otherwise fault.Position) (cursor, fault.Position) {
	l.steps = farthest
	return l.field(c, name, otherwise)
}

func (l *locator) field(c cursor, name string, otherwise fault.Position) (cursor, fault.Position) {
	for _, candidate := range l.settle(c) {
		object, ok := candidate.node.(*ast.DesugaredObject)
		if !ok {
			continue
		}
		inner := bind(object.Locals, candidate.scope)
		for _, f := range object.Fields {
			if key, ok := f.Name.(*ast.LiteralString); ok && key.Value == name {
				value := cursor{f.Body, inner}
				return value, l.nameOf(f, l.at(value, otherwise))
			}
		}
	}
	return cursor{}, l.at(c, otherwise)
}

// nameOf returns the place of a field's name. Of a name without quotes Jsonnet keeps the place of the field alone, which
// is the same.
func (l *locator) nameOf(f ast.DesugaredObjectField, otherwise fault.Position) fault.Position {
	field := &ast.LiteralNull{NodeBase: ast.NodeBase{LocRange: f.LocRange}}
	return l.place(f.Name, l.place(field, otherwise))
}

// element returns the expression of a list's element.
func (l *locator) element(c cursor, index int) cursor {
	l.steps = farthest
	for _, candidate := range l.settle(c) {
		if list, ok := candidate.node.(*ast.Array); ok {
			if index < len(list.Elements) {
				return cursor{list.Elements[index].Expr, candidate.scope}
			}
			index -= len(list.Elements) // of a sum of lists this is the first
		}
	}
	return cursor{}
}

// settle follows an expression to the objects and lists that it may be made of: of a sum of objects the later ones first,
// as they win; of a sum of lists in their order.
func (l *locator) settle(c cursor) []cursor {
	if c.node == nil || l.steps == 0 {
		return nil
	}
	l.steps--
	switch x := c.node.(type) {
	case *ast.DesugaredObject, *ast.Array:
		return []cursor{c}
	case *ast.Local:
		return l.settle(cursor{x.Body, bind(x.Binds, c.scope)})
	case *ast.Var:
		return l.settle(c.scope.find(x.Id))
	case *ast.Binary:
		return l.sum(x, c.scope)
	case *ast.Conditional:
		return append(l.settle(cursor{x.BranchTrue, c.scope}), l.settle(cursor{x.BranchFalse, c.scope})...)
	case *ast.Apply:
		return l.call(x, c.scope)
	case *ast.Index:
		if name, ok := x.Index.(*ast.LiteralString); ok {
			found, _ := l.field(cursor{x.Target, c.scope}, name.Value, fault.Position{})
			return l.settle(found)
		}
	case *ast.Import:
		root, _, err := l.vm.ImportAST(x.Loc().FileName, x.File.Value)
		if err == nil {
			return l.settle(cursor{node: root})
		}
	}
	return nil
}

func (l *locator) sum(x *ast.Binary, s *scope) []cursor {
	if x.Op != ast.BopPlus {
		return nil
	}
	first, second := l.settle(cursor{x.Left, s}), l.settle(cursor{x.Right, s})
	if len(second) > 0 {
		if _, list := second[0].node.(*ast.Array); list {
			return append(first, second...)
		}
	}
	return append(second, first...)
}

// call follows a call of a function that the program defines.
func (l *locator) call(x *ast.Apply, s *scope) []cursor {
	target := cursor{x.Target, s}
	for ; l.steps > 0; l.steps-- {
		switch f := target.node.(type) {
		case *ast.Var:
			target = target.scope.find(f.Id)
		case *ast.Index:
			name, ok := f.Index.(*ast.LiteralString)
			if !ok {
				return nil
			}
			target, _ = l.field(cursor{f.Target, target.scope}, name.Value, fault.Position{})
		case *ast.Local:
			target = cursor{f.Body, bind(f.Binds, target.scope)}
		case *ast.Function:
			return l.settle(cursor{f.Body, arguments(f, x, s, target.scope)})
		default:
			return nil
		}
	}
	return nil
}

// arguments is the scope of a function's body: its parameters are the expressions of the call.
func arguments(f *ast.Function, x *ast.Apply, caller, definition *scope) *scope {
	inner := &scope{binds: map[ast.Identifier]cursor{}, parent: definition}
	for i, p := range f.Parameters {
		switch {
		case i < len(x.Arguments.Positional):
			inner.binds[p.Name] = cursor{x.Arguments.Positional[i].Expr, caller}
		case p.DefaultArg != nil:
			inner.binds[p.Name] = cursor{p.DefaultArg, inner}
		}
	}
	for _, a := range x.Arguments.Named {
		inner.binds[a.Name] = cursor{a.Arg, caller}
	}
	return inner
}

func bind(binds ast.LocalBinds, outer *scope) *scope {
	if len(binds) == 0 {
		return outer
	}
	inner := &scope{binds: map[ast.Identifier]cursor{}, parent: outer}
	for _, b := range binds {
		inner.binds[b.Variable] = cursor{b.Body, inner}
	}
	return inner
}

// everywhere visits every expression of a program and of the code that it imports.
func (l *locator) everywhere(root ast.Node, visit func(ast.Node)) {
	seen := map[string]bool{}
	var file func(n ast.Node)
	file = func(n ast.Node) {
		walk(n, func(n ast.Node) {
			visit(n)
			i, ok := n.(*ast.Import)
			if !ok {
				return
			}
			inner, at, err := l.vm.ImportAST(i.Loc().FileName, i.File.Value)
			if err == nil && !seen[at] {
				seen[at] = true
				file(inner)
			}
		})
	}
	file(root)
}
