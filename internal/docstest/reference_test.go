package docstest

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/deploy"
)

func TestEveryMemberOfEventsIsDescribed(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, v := range []any{deploy.Event{}, deploy.Status{}} {
		members(reflect.TypeOf(v), names, map[reflect.Type]bool{})
	}
	for _, nested := range []string{"url", "status", "body"} { // of a check, and written so
		delete(names, nested)
		names["check."+nested] = true
	}
	names["status"] = true // of a task and of what was seen
	read(t, "docs/reference/events.md").needs(t, "member", slices.Sorted(maps.Keys(names)))
}

// members collects the JSON names of a type and of all that is in it.
func members(of reflect.Type, names map[string]bool, seen map[reflect.Type]bool) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || seen[of] || !strings.Contains(of.PkgPath(), "slipway") {
		return
	}
	seen[of] = true
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		names[name] = true
		members(f.Type, names, seen)
	}
}

// TestEveryMemberOfDocumentsIsDescribed looks at the schemas that have no page of their own.
func TestEveryMemberOfDocumentsIsDescribed(t *testing.T) {
	t.Parallel()
	whole := read(t, "docs/reference/output.md")
	for _, name := range []string{"describe", "render", "publish", "tasks", "logline", "engine", "demo", "version"} {
		_, section, found := strings.Cut(whole.text, "\n## "+name+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found {
			t.Errorf("%s has no section %q", whole.path, name)
		}
		for _, member := range schemaMembers(t, name) {
			// It may stand behind the name of the list or object that it is in, and before those of its own members.
			if !regexp.MustCompile("`([A-Za-z]+(\\[\\])?\\.)*" + member + "(`|\\[\\]\\.|\\.)").MatchString(section) {
				t.Errorf("%s, %s: the member %q is not described", whole.path, name, member)
			}
		}
	}
}

// schemaMembers returns the members of all objects in a schema, but for a diagnosis, which is described with the events.
func schemaMembers(t *testing.T, name string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "docs/reference/schema", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]any `json:"properties"`
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(content, &schema); err != nil {
		t.Fatal(err)
	}
	names := slices.Collect(maps.Keys(schema.Properties))
	for of, nested := range schema.Defs {
		if of != "diagnosis" {
			names = slices.AppendSeq(names, maps.Keys(nested.Properties))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestEveryKindOfEventAndOutcomeIsDescribed(t *testing.T) {
	t.Parallel()
	read(t, "docs/reference/events.md").needs(t, "kind of event", constants(t, "deploy", "EventType"))
	read(t, "docs/reference/events.md").needs(t, "kind of step", constants(t, "rollout", "StepKind"))
	read(t, "docs/reference/exit-codes.md").needs(t, "outcome", constants(t, "deploy", "Outcome"))
	read(t, "docs/reference/exit-codes.md").needs(t, "kind of error", constants(t, "fault", "Kind"))
}

func TestEveryCauseIsDescribed(t *testing.T) {
	t.Parallel()
	p := read(t, "docs/how-to/read-a-diagnosis.md")
	for _, cause := range constants(t, "rollout", "Cause") {
		if !strings.Contains(p.text, "| "+cause+" |") && !strings.Contains(p.text, "`"+cause+"`") {
			t.Errorf("%s does not describe the cause %q", p.path, cause)
		}
	}
}

func TestEveryBuiltInValueIsDescribed(t *testing.T) {
	t.Parallel()
	read(t, "docs/reference/values.md").needs(t, "value", config.BuiltInNames())
}

// constants returns the texts of a package's constants of one type.
func constants(t *testing.T, room, of string) []string {
	t.Helper()
	var found []string
	for _, file := range sources(t, room) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			if name, ok := spec.Type.(*ast.Ident); ok && name.Name == of {
				if s := text(t, spec.Values[0]); s != "" {
					found = append(found, s)
				}
			}
			return true
		})
	}
	if len(found) == 0 {
		t.Fatalf("room %s has no constants of the type %s", room, of)
	}
	return found
}

// sources parses a room's files, tests left out.
func sources(t *testing.T, room string) []*ast.File {
	t.Helper()
	var files []*ast.File
	names, err := filepath.Glob(filepath.Join(root, room, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

var call = regexp.MustCompile(`\.(?:ecs|elb|elbv2|logs)\.([A-Z]\w+)\(|\bNew([A-Z]\w+)Paginator\(`)

// TestEveryCallThatNeedsARightIsNamed holds the list of rights against the calls that the target makes.
func TestEveryCallThatNeedsARightIsNamed(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join(root, "target/ecs/*.go"))
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]bool{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(content), -1) {
			calls[m[1]+m[2]] = true
		}
	}
	read(t, "docs/how-to/deploy-from-ci.md").needs(t, "call", slices.Sorted(maps.Keys(calls)))
}
