package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// room is what the files of one directory import.
type room struct {
	imports map[string]string // import path → file that imports it, test files left out
	tests   map[string]string // the same, of test files alone
	clock   []string          // places where the clock is read or a context made, test files left out
}

// house parses every Go file of the module itself, so that a cached result of another tool cannot hide an arrow.
func house(t *testing.T) map[string]*room {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	rooms := map[string]*room{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, path, d.Name())
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		name, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		return add(rooms, filepath.ToSlash(name), path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rooms
}

func skip(root, path, name string) error {
	nested := path != root
	if nested {
		_, err := os.Stat(filepath.Join(path, "go.mod"))
		nested = err == nil // a module of its own
	}
	if name == "testdata" || nested || (strings.HasPrefix(name, ".") && path != root) {
		return filepath.SkipDir
	}
	return nil
}

func add(rooms map[string]*room, name, path string) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ImportsOnly)
	if err != nil {
		return err
	}
	r := rooms[name]
	if r == nil {
		r = &room{imports: map[string]string{}, tests: map[string]string{}}
		rooms[name] = r
	}
	into := r.imports
	if strings.HasSuffix(path, "_test.go") {
		into = r.tests
	} else {
		for _, call := range []string{"time.Now(", "time.Since(", "context.Background("} {
			if strings.Contains(string(src), call) {
				r.clock = append(r.clock, filepath.Base(path)+" uses "+call)
			}
		}
	}
	for _, i := range file.Imports {
		into[strings.Trim(i.Path.Value, `"`)] = filepath.Base(path)
	}
	return nil
}

func TestEveryRoomHasALevel(t *testing.T) {
	t.Parallel()
	rooms := house(t)
	for name := range rooms {
		if strings.HasPrefix(name, "internal/") || strings.HasPrefix(name, "examples/") || name == "acceptance" || name == "bench" || name == "conformance" {
			continue // they look at the house from outside
		}
		if _, ok := level[name]; !ok {
			t.Errorf("room %s has no level: place it in rooms.go and in docs/ARCHITECTURE.md", name)
		}
	}
	for name := range level {
		if rooms[name] == nil {
			t.Errorf("room %s has a level but no files: no empty rooms", name)
		}
	}
}

func TestArrowsPointDownwards(t *testing.T) {
	t.Parallel()
	for name, r := range house(t) {
		from, ok := level[name]
		if !ok {
			continue
		}
		for path, file := range r.imports {
			to, ours := strings.CutPrefix(path, module)
			if !ours {
				continue
			}
			if level[to] >= from {
				t.Errorf("%s/%s imports %s, which is on the same level or above", name, file, to)
			}
		}
	}
}

func TestForbiddenArrowsDoNotExistEvenIndirectly(t *testing.T) {
	t.Parallel()
	rooms := house(t)
	for from, targets := range never {
		for name := range rooms {
			if !within(name, from) {
				continue
			}
			for reached, way := range reach(rooms, name) {
				for _, to := range targets {
					if within(reached, to) {
						t.Errorf("%s reaches %s: %s", name, reached, strings.Join(way, " → "))
					}
				}
			}
		}
	}
}

func within(name, room string) bool { return name == room || strings.HasPrefix(name, room+"/") }

// reach returns every room that name imports, directly or not, with the way to it.
func reach(rooms map[string]*room, name string) map[string][]string {
	ways := map[string][]string{}
	todo := [][]string{{name}}
	for len(todo) > 0 {
		way := todo[0]
		todo = todo[1:]
		r := rooms[way[len(way)-1]]
		if r == nil {
			continue
		}
		for path := range r.imports {
			to, ours := strings.CutPrefix(path, module)
			if !ours || ways[to] != nil {
				continue
			}
			ways[to] = append(slices.Clone(way), to)
			todo = append(todo, ways[to])
		}
	}
	return ways
}

func TestPureRoomsTouchNothingOutside(t *testing.T) {
	t.Parallel()
	rooms := house(t)
	for _, name := range pure {
		r := rooms[name]
		if r == nil {
			continue
		}
		for path, file := range r.imports {
			if impure[path] && (path != "context" || !waits[name]) {
				t.Errorf("%s/%s imports %s, but %s is a pure room", name, file, path, name)
			}
		}
		for _, use := range r.clock {
			t.Errorf("%s/%s, but %s is a pure room", name, use, name)
		}
	}
}

func TestClientOfTheServerImportsNothingOfOurs(t *testing.T) {
	t.Parallel()
	if r := house(t)["client"]; r != nil {
		for path, file := range r.imports {
			if strings.HasPrefix(path, module) {
				t.Errorf("client/%s imports %s", file, path)
			}
		}
	}
}
