package cli

import (
	"bytes"
	"encoding"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/internal/schematest"
	"github.com/slipway-cd/slipway/rollout"
	"github.com/slipway-cd/slipway/traffic"
)

const schemaDirectory = "../docs/reference/schema"

// documentTypes are the documents that commands write with --output json, by the name of their schema.
var documentTypes = []struct {
	name, about string
	document    any
}{
	{"describe", "What slipway describe writes.", description{}},
	{"render", "What slipway render writes.", []renderedDocument{}},
	{"publish", "What slipway publish writes, and slipway deploy on a branch without a version.", published{}},
	{"event", "A line that slipway install, deploy and rollback write while they run.", deploy.Event{}},
	{"plan", "What slipway plan writes, and saves.", savedPlan{}},
	{"status", "What slipway status writes.", deploy.Status{}},
	{"verify", "What slipway verify writes.", deploy.Verification{}},
	{"ways", "What slipway rollback --list writes.", wayList{}},
	{"revisions", "What slipway revisions writes.", deploy.RevisionList{}},
	{"tasks", "What slipway tasks writes.", deploy.TaskList{}},
	{"logline", "A line that slipway logs writes.", rollout.OutputLine{}},
	{"run", "A line that slipway run writes while it runs.", deploy.OnceEvent{}},
	{"engine", "What slipway engine start, status, stop and reset write.", app.EngineStatus{}},
	{"fault", "What slipway engine fault add writes.", faults.Fault{}},
	{"faults", "What slipway engine fault list and clear write.", []faults.Fault{}},
	{"demo", "The last line that slipway demo writes; those before it are events.", demoReport{}},
	{"version", "What slipway version writes.", programVersion{}},
	{"error", "What every command writes in place of a document, or after events, when it fails.", failed{}},
}

// TestTheReferenceHasTheSchemasOfWhatCommandsWrite keeps docs/reference/schema what the types say.
func TestTheReferenceHasTheSchemasOfWhatCommandsWrite(t *testing.T) {
	t.Parallel()
	var names []string
	for _, d := range documentTypes {
		file := filepath.Join(schemaDirectory, d.name+".json")
		names = append(names, file)
		want := schemaFile(t, d.name, d.about, reflect.TypeOf(d.document))
		if *updateReference {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not what the types say: run `go test ./cli -run Reference -update-reference` (%v)", file, err)
		}
	}
	slices.Sort(names)
	if have, err := filepath.Glob(filepath.Join(schemaDirectory, "*")); err != nil || !slices.Equal(have, names) {
		t.Errorf("%s has %q, want %q (%v)", schemaDirectory, have, names, err)
	}
}

// schema is the part of JSON Schema that the documents need. [json-schema.org, draft 2020-12]
type schema struct {
	Dialect     string   `json:"$schema,omitempty"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Ref         string   `json:"$ref,omitempty"`
	Type        string   `json:"type,omitempty"`
	Format      string   `json:"format,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Items       *schema  `json:"items,omitempty"`
	Properties  members  `json:"properties,omitempty"`
	Required    []string `json:"required,omitempty"`
	Additional  *schema  `json:"additionalProperties,omitempty"`
	Defs        members  `json:"$defs,omitempty"`
}

// members are schemas by name, in an order that means something to readers.
type members []member

type member struct {
	name   string
	schema *schema
}

// MarshalJSON writes an object.
func (m members) MarshalJSON() ([]byte, error) {
	b := bytes.NewBufferString("{")
	for i, one := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(one.schema)
		if err != nil {
			return nil, err
		}
		b.WriteString(strconv.Quote(one.name) + ":" + string(text))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func schemaFile(t *testing.T, name, about string, of reflect.Type) []byte {
	t.Helper()
	w := &schemaWriter{t: t, defined: map[reflect.Type]string{}}
	root := *w.of(of)
	if root.Ref != "" { // the document's own type stands at the top
		at := slices.IndexFunc(w.defs, func(m member) bool { return "#/$defs/"+m.name == root.Ref })
		root = *w.defs[at].schema
		w.defs = slices.Delete(w.defs, at, at+1)
	}
	root.Dialect, root.Title, root.Description = "https://json-schema.org/draft/2020-12/schema", name, about
	slices.SortFunc(w.defs, func(a, b member) int { return strings.Compare(a.name, b.name) })
	root.Defs = w.defs
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// schemaWriter derives schemas from types, as encoding/json writes them, and descriptions from their comments.
type schemaWriter struct {
	t       *testing.T
	defs    members
	defined map[reflect.Type]string
}

var textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

func (w *schemaWriter) of(of reflect.Type) *schema {
	switch of {
	case reflect.TypeFor[time.Time]():
		return &schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[time.Duration]():
		return &schema{Type: "integer", Description: "nanoseconds"}
	case reflect.TypeFor[json.RawMessage]():
		return &schema{Type: "object"}
	}
	if of.Implements(textMarshaler) {
		return &schema{Type: "string"}
	}
	switch of.Kind() {
	case reflect.Pointer:
		return w.of(of.Elem())
	case reflect.Struct:
		return w.object(of)
	case reflect.Slice:
		return &schema{Type: "array", Items: w.of(of.Elem())}
	case reflect.Map:
		return &schema{Type: "object", Additional: w.of(of.Elem())}
	case reflect.String:
		return &schema{Type: "string", Enum: source(w.t, of).constants[of.Name()]}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &schema{Type: "integer"}
	case reflect.Float64:
		return &schema{Type: "number"}
	default:
		w.t.Fatalf("no schema for %s", of)
		return nil
	}
}

func (w *schemaWriter) object(of reflect.Type) *schema {
	if name, ok := w.defined[of]; ok {
		return &schema{Ref: "#/$defs/" + name}
	}
	name := strings.ToLower(of.Name()[:1]) + of.Name()[1:]
	if slices.ContainsFunc(w.defs, func(m member) bool { return m.name == name }) {
		name = filepath.Base(of.PkgPath()) + of.Name()
	}
	s := &schema{Type: "object"}
	w.defined[of], w.defs = name, append(w.defs, member{name, s})
	comments := source(w.t, of).comments[of.Name()]
	for f := range of.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		one := *w.of(f.Type)
		if about := comments[f.Name]; about != "" {
			one.Description = strings.TrimSuffix(about+"; "+one.Description, "; ")
		}
		s.Properties = append(s.Properties, member{name, &one})
		if options == "" {
			s.Required = append(s.Required, name)
		}
	}
	return &schema{Ref: "#/$defs/" + name}
}

// sourceOf is what a package's source says that its types don't.
type sourceOf struct {
	comments  map[string]map[string]string // by type and field
	constants map[string][]string          // by type, in the order of the source
}

const module = "github.com/slipway-cd/slipway/"

// source reads the package of a type; of one that isn't ours it knows nothing.
func source(t *testing.T, of reflect.Type) sourceOf {
	t.Helper()
	s := sourceOf{map[string]map[string]string{}, map[string][]string{}}
	room, ours := strings.CutPrefix(of.PkgPath(), module)
	if !ours {
		return s
	}
	files, err := filepath.Glob(filepath.Join("..", room, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no source of %s: %v", of, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, s.note)
	}
	return s
}

func (s sourceOf) note(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.TypeSpec:
		if fields, ok := n.Type.(*ast.StructType); ok {
			s.comments[n.Name.Name] = fieldComments(fields)
		}
	case *ast.ValueSpec:
		of, ok := n.Type.(*ast.Ident)
		if !ok || len(n.Values) != 1 {
			return true
		}
		if value, ok := n.Values[0].(*ast.BasicLit); ok && value.Kind == token.STRING {
			text, _ := strconv.Unquote(value.Value)
			s.constants[of.Name] = append(s.constants[of.Name], text)
		}
	}
	return true
}

// forReaders takes out of comments what they say to those who call the room in Go.
var forReaders = strings.NewReplacer(
	"nil:", "absent:", ", with Past", "", ", with Addresses", "", "with Tasks", "", "with Past", "", "empty unless asked for with Records", "")

func fieldComments(fields *ast.StructType) map[string]string {
	all := map[string]string{}
	for _, f := range fields.Fields.List {
		text := f.Comment.Text()
		if text == "" {
			text = f.Doc.Text()
		}
		for _, name := range f.Names {
			all[name.Name] = forReaders.Replace(strings.Join(strings.Fields(text), " "))
		}
	}
	return all
}

// TestADemosReportIsAsItsSchemaSays needs no demo: it takes the best one and the one that was cut off at once.
func TestADemosReportIsAsItsSchemaSays(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]demoReport{
		"nothing": {},
		"all of it": {
			Runtime: "processes", Wanted: leastRequests, Seconds: 23.4,
			Versions: []demoOutcome{
				{Version: "1.0.15.RELEASE", Outcome: deploy.Proven, Seconds: 1.6},
				{Version: "1.0.17.RELEASE", Outcome: deploy.RolledBack, Seconds: 9.9, Diagnosis: &rollout.Diagnosis{
					Cause: rollout.TargetCheck, Summary: "it gets 503", Evidence: []string{"503"}, Remedy: "look at it",
				}},
			},
			Traffic: traffic.Report{Sent: 2003, Versions: map[string]int{"1.0.15.RELEASE": 292}, P50: time.Millisecond},
		},
	} {
		p, out, _ := testProgram()
		p.output = outputJSON
		if err := (&demonstration{Program: p}).conclude(r); err != nil {
			t.Fatal(err)
		}
		if n, err := schematest.Check(filepath.Join(schemaDirectory, "demo.json"), out); err != nil || n != 1 {
			t.Errorf("%s: %d documents, %v", name, n, err)
		}
	}
}
