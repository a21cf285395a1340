package docstest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// row is a room's row of the table.
var row = regexp.MustCompile(`(?m)^\| [0-9]+ \| \[\x60([^\x60]+)\x60\]`)

// TestTheMapHasEveryRoom holds the table of rooms against the levels that archtest enforces.
func TestTheMapHasEveryRoom(t *testing.T) {
	t.Parallel()
	p := read(t, "docs/ARCHITECTURE.md")
	levels, pure := rooms(t)
	for name, level := range levels {
		begin := fmt.Sprintf("| %s | [`%s`](../%s) | ", level, name, name)
		if pure[name] {
			begin = fmt.Sprintf("| %s | [`%s`](../%s) * | ", level, name, name)
		}
		if !strings.Contains(p.text, begin) {
			t.Errorf("%s has no row that begins %q", p.path, begin)
		}
	}
	for _, m := range row.FindAllStringSubmatch(p.text, -1) {
		if levels[m[1]] == "" {
			t.Errorf("%s has a row for %q, which is no room", p.path, m[1])
		}
	}
}

// rooms reads the levels, and which rooms are pure, from archtest's source.
func rooms(t *testing.T) (levels map[string]string, pure map[string]bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "internal/archtest/rooms.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	levels, pure = map[string]string{}, map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.CompositeLit)
		if !ok {
			return true
		}
		for _, e := range literal.Elts {
			switch entry := e.(type) {
			case *ast.KeyValueExpr:
				if spec.Names[0].Name == "level" {
					levels[text(t, entry.Key)] = entry.Value.(*ast.BasicLit).Value
				}
			case *ast.BasicLit:
				if spec.Names[0].Name == "pure" {
					pure[text(t, entry)] = true
				}
			}
		}
		return true
	})
	if len(levels) == 0 || len(pure) == 0 {
		t.Fatal("archtest names no rooms")
	}
	return levels, pure
}

func text(t *testing.T, e ast.Expr) string {
	t.Helper()
	s, err := strconv.Unquote(e.(*ast.BasicLit).Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
