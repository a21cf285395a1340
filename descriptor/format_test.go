package descriptor

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/config"
)

// rendered renders one task definition template, and returns its body, or its problems.
func rendered(file, text string, v config.Values, imports Files) (body string, problems []string) {
	docs, err := Render([]Template{{Kind: TaskDefinition, File: file, Text: []byte(text), Imports: imports}}, v, Options{})
	if err != nil {
		return "", lines(err)
	}
	return string(docs[0].Body), nil
}

// The same task definition in three formats.
const (
	inJSON3 = `// the web
{"family": "${family}",
 "containerDefinitions": [
   {"name": "c", "image": "i:${tag}", "memory": ${memory}, "essential": true,
    "environment": [{"name": "ACCOUNT", "value": "012345678901"}, {"name": "TAG", "value": "v${tag}"}]},
 ]}`
	inYAML3 = `# the web: ${nothing}
family: ${family}
containerDefinitions:
  - name: c
    image: i:${tag}
    memory: ${memory}
    essential: true
    environment: [{name: ACCOUNT, value: 012345678901}, {name: TAG, value: "v${tag}"}]
`
	inJsonnet3 = `// the web
local env(vars) = [{ name: k, value: vars[k] } for k in std.objectFields(vars)];
{
  family: std.extVar('family'),
  containerDefinitions: [{
    name: 'c', image: 'i:' + std.extVar('tag'), memory: std.parseInt(std.extVar('memory')), essential: true,
    environment: env({ ACCOUNT: '012345678901', TAG: 'v${tag}' }),
  }],
}
`
)

func TestAllFormatsSayTheSame(t *testing.T) {
	t.Parallel()
	v := values("family", "web", "tag", "1.0", "memory", "256")
	for file, text := range map[string]string{
		"t.json": inJSON3, "t.jsonc": inJSON3, "t": inJSON3, "t.yaml": inYAML3, "t.YML": inYAML3, "t.jsonnet": inJsonnet3,
	} {
		body, problems := rendered(file, text, v, nil)
		if problems != nil {
			t.Errorf("%s: %v", file, problems)
			continue
		}
		want := decode(t, []byte(`{"family":"web","containerDefinitions":[{"name":"c","image":"i:1.0","memory":256,"essential":true,
			"environment":[{"name":"ACCOUNT","value":"012345678901"},{"name":"TAG","value":"v1.0"}]}]}`))
		if diff := cmp.Diff(want, decode(t, []byte(body))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		if strings.Contains(body, "//") || !strings.HasSuffix(body, "}\n") && file == "t.yaml" {
			t.Errorf("%s: not canonical:\n%s", file, body)
		}
	}
}

func TestYAMLScalarsNeverChangeTheirMeaningSilently(t *testing.T) {
	t.Parallel()
	for scalar, want := range map[string]string{
		"010": `"010"`, "0o10": `"0o10"`, "0x1F": `"0x1F"`, "1_000": `"1_000"`, "+1": `"+1"`, ".5": `".5"`, "1.": `"1."`,
		"on": `"on"`, "yes": `"yes"`, "NO": `"NO"`, "y": `"y"`, "22:22": `"22:22"`, "2026-01-01": `"2026-01-01"`,
		".inf": `".inf"`, ".NaN": `".NaN"`, "012345678901": `"012345678901"`, "1e3": "1e3",
		"123456789012345678901234567890": "123456789012345678901234567890", "1.10": "1.10", "-0": "-0",
		"true": "true", "True": "true", "FALSE": "false", "~": "null", "": "null", "Null": "null",
		`"010"`: `"010"`, `'true'`: `"true"`, `"~"`: `"~"`, "!!str 10": `"10"`, `!!int "10"`: "10", "a b": `"a b"`,
		`"a\tb"`: `"a\tb"`, "'it''s'": `"it's"`, "|\n  two\n  lines\n": `"two\nlines\n"`, "<>&": `"<>&"`,
		"${n}": "7", `"${n}"`: `"7"`, "${n}${n}": `"77"`, "v${n}": `"v7"`, "${s}": `"a\"b:[c]"`, "${z}": `"010"`, "${none:-5}": "5",
		"${none:-${n}}": "7", "${none:-a: b}": `"a: b"`, "$${n}": `"${n}"`, `"$${n}"`: `"${n}"`, "[${n}, {a: ${s}}]": `[7,{"a":"a\"b:[c]"}]`,
		"${t}": "true", "{${n}: ${n}}": `{"7":7}`, "*x": `{"k":[1]}`, "{<<: *x, l: 2}": `{"l":2,"k":[1]}`, "{<<: [*x, {k: 3, m: 4}]}": `{"k":[1],"m":4}`,
	} {
		text := "anchor: &x {k: [1]}\nvalue: " + scalar + "\n"
		doc, problems := Expand(Template{Kind: TaskDefinition, File: "t.yaml", Text: []byte(text)},
			values("n", "7", "s", `a"b:[c]`, "z", "010", "t", "true"))
		if len(problems) > 0 {
			t.Errorf("%s: %v", scalar, problems)
			continue
		}
		var found struct{ Value json.RawMessage }
		if err := json.Unmarshal(doc.Body, &found); err != nil {
			t.Errorf("%s: %v\n%s", scalar, err, doc.Body)
			continue
		}
		compact := strings.NewReplacer("\n", "", "  ", "", ": ", ":").Replace(string(found.Value))
		if strings.HasPrefix(want, `"`) {
			compact = string(found.Value)
		}
		if compact != want {
			t.Errorf("%s is %s, want %s", scalar, compact, want)
		}
	}
}

func TestPositionsAreTrueInYAML(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"syntax": {"family: [a\ncontainerDefinitions: b\n", []string{"t.yaml:2:21: the file is not YAML: while parsing a flow sequence: did not find expected ',' or ']'"}},
		"members": {"family: web\ncontainerDefinitions:\n  - name: c\n    image: i\n    memroy: 5\n    portMappings:\n      - {containerPort: 80, portocol: tcp}\n", []string{
			`t.yaml:5:5: containerDefinitions[0].memroy: a task definition has no such member (did you mean "memory"?)`,
			`t.yaml:7:29: containerDefinitions[0].portMappings[0].portocol: a task definition has no such member (did you mean "protocol"?)`,
		}},
		"types": {"family: 1\ncontainerDefinitions:\n  - {name: c, image: i, memory: 010, essential: on}\ncpu: 256\n", []string{
			`t.yaml:1:9: family: expected text, found the number 1 (put it in double quotes)`,
			`t.yaml:3:33: containerDefinitions[0].memory: expected a number, found the text "010" (write 10, if that is meant)`,
			`t.yaml:3:49: containerDefinitions[0].essential: expected true or false, found the text "on" (write true)`,
			`t.yaml:4:6: cpu: expected text, found the number 256 (put it in double quotes)`,
		}},
		"values": {"# ${x}\nfamily: ${famly}\nüü: \"é ${n}\nx ${y}\"\ncontainerDefinitions: [{name: '${', image: ${a b}, memory: ${m}}]\n", []string{
			`t.yaml:2:9: there is no value for "famly" (did you mean "family"?)`,
			`t.yaml:3:1: üü: a task definition has no such member (remove it, or set passUnknown: true if AWS has added it lately)`,
			`t.yaml:3:8: there is no value for "n" (add it under values in slipway.yaml, or with --set n=…)`,
			`t.yaml:4:3: there is no value for "y" (add it under values in slipway.yaml, or with --set y=…)`,
			`t.yaml:5:32: the placeholder "${" has no end (close it with }, or write $${ for a literal ${)`,
			`t.yaml:5:44: "${a b}" is no placeholder (a letter, then letters, digits, _, . and -; write $${ for a literal ${)`,
			`t.yaml:5:60: there is no value for "m" (add it under values in slipway.yaml, or with --set m=…)`,
		}},
		"twice":    {"family: a\nfamily: b\ncontainerDefinitions: [{name: c, image: i, memory: 5}]\n", []string{`t.yaml:2:1: family is given twice`}},
		"tags":     {"family: !Ref a\ncontainerDefinitions: !!binary aGk=\n", []string{`t.yaml:1:9: the tag !Ref means nothing here (write the value itself)`, `t.yaml:2:23: the tag !!binary means nothing here (write the value itself)`}},
		"circle":   {"a: &a\n  b: *a\n", []string{`t.yaml:2:6: the alias *a stands inside of what it names`}},
		"list":     {"- family: a\n", []string{`t.yaml:1:1: expected a mapping of names to values`}},
		"two":      {"family: a\n---\nfamily: b\n", []string{`t.yaml:2:1: the file has a second document (keep one)`}},
		"private":  {"family: \U000F0000\n", []string{`t.yaml:1:9: the private-use character U+F0000 cannot stand in a template`}},
		"meaning":  {"family: web\ncontainerDefinitions:\n  - name: c\n    image: i\n    memory: 5\n", []string{`t.yaml:5:13: containerDefinitions[0].memory is 5 (AWS takes 6 MiB and more)`}},
		"no value": {"family:\ncontainerDefinitions: [{name: c, image: i, memory: 6}]\n", []string{`t.yaml:1:1: family is missing`}},
	} {
		if _, got := rendered("t.yaml", c.text, values("family", "web"), nil); cmp.Diff(c.want, got) != "" {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(c.want, got))
		}
	}
}

func TestYAMLThatGrowsWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		n, m := string(rune('0'+i)), string(rune('1'+i))
		b.WriteString("a" + m + ": &a" + m + " [" + strings.Repeat("*a"+n+", ", 8) + "*a" + n + "]\n")
	}
	_, problems := rendered("t.yaml", b.String(), nil, nil)
	if len(problems) != 1 || !strings.Contains(problems[0], "t.yaml:1:1: ") {
		t.Errorf("%v", problems)
	}
}

func TestPositionsAreTrueInJsonnet(t *testing.T) {
	t.Parallel()
	lib := Files{"lib/c.libsonnet": []byte("{\n  container(name):: {\n    name: name,\n    memroy: 5,\n  },\n  limit: 5,\n}\n"), "lib/x.txt": []byte("i")}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"syntax": {"{\n  family: 'a'\n  cpu: 'b',\n}", []string{`t.jsonnet:3:3: Expected a comma before next field`}},
		"static": {"{\n  family: a,\n}", []string{`t.jsonnet:2:11: Unknown variable: a`}},
		"run":    {"local f(x) = x.y;\n{\n  family: f({}),\n}", []string{`t.jsonnet:1:14: Field does not exist: y`}},
		"members": {"{\n  family: 'web',\n  containerDefinitions: [\n    { name: 'c', image: 'i', memroy: 5 },\n  ] + [{ name: 'd',\n    image: 1 }],\n}", []string{
			`t.jsonnet:4:30: containerDefinitions[0].memroy: a task definition has no such member (did you mean "memory"?)`,
			`t.jsonnet:6:12: containerDefinitions[1].image: expected text, found the number 1 (put it in double quotes)`,
		}},
		"import": {"local lib = import 'lib/c.libsonnet';\n{\n  family: 'web',\n  containerDefinitions: [lib.container('c') + {\n    image: importstr 'lib/x.txt', cpu: '1' }],\n}", []string{
			`lib/c.libsonnet:4:5: containerDefinitions[0].memroy: a task definition has no such member (did you mean "memory"?)`,
			`t.jsonnet:5:40: containerDefinitions[0].cpu: expected a number, found the text "1" (write 1 without the quotes)`,
		}},
		"values": {"{\n  family: std.extVar('famly'),\n  cpu: std.extVar('x'),\n  memory: 'é${none}',\n}", []string{
			`t.jsonnet:2:11: there is no value for "famly" (did you mean "family"?)`,
			`t.jsonnet:3:8: there is no value for "x" (add it under values in slipway.yaml, or with --set x=…)`,
		}},
		"placeholder": {"/* ü */ { family: 'web', memory:\n'é${none}', containerDefinitions: [] }", []string{
			`t.jsonnet:2:1: there is no value for "none" (add it under values in slipway.yaml, or with --set none=…)`,
		}},
		"number": {"{ family: 'web', containerDefinitions: [{ name: 'c', image: 'i', memory: 12345678901234567890 }] }", []string{
			`t.jsonnet:1:74: 12345678901234567890 is larger than a number of Jsonnet can be, which would change it (put it in quotes if text is meant)`,
			`t.jsonnet:1:74: containerDefinitions[0].memory: expected a whole number from -2147483648 to 2147483647, found 12345678901234567168`,
		}},
		"computed": {"{\n  family: 'web',\n  containerDefinitions: std.map(function(n) {\n    name: n, image: 'i', memory: 5 }, ['c']),\n}", []string{
			`t.jsonnet:3:25: containerDefinitions[0].memory is 5 (AWS takes 6 MiB and more)`,
		}},
		"recursive": {"local f(n) = if n == 0 then [] else f(n - 1);\nlocal a = { b: a.b };\n{\n  family: 1, volumes: f(3), containerDefinitions: if false then a.b else [{ name: 'c', image: 'i', memory: 6 }],\n}", []string{
			`t.jsonnet:4:11: family: expected text, found the number 1 (put it in double quotes)`,
		}},
		"nothing is imported that was not read": {"import 'other.jsonnet'", []string{`t.jsonnet:1:1: cannot read "other.jsonnet"`}},
	} {
		if _, got := rendered("t.jsonnet", c.text, values("family", "web"), lib); cmp.Diff(c.want, got) != "" {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(c.want, got))
		}
	}
}

func TestImportsStayInsideTheProject(t *testing.T) {
	t.Parallel()
	found, problems := Imports("deploy/t.jsonnet", []byte("local a = import '../lib/a.libsonnet';\n[importstr 'b.txt', import '/etc/passwd', importbin '../../x', a]"))
	if diff := cmp.Diff([]string{"lib/a.libsonnet", "deploy/b.txt"}, []string{found[0].Path, found[1].Path}); diff != "" || !found[0].Code || found[1].Code {
		t.Errorf("%s %+v", diff, found)
	}
	want := []string{
		`deploy/t.jsonnet:2:21: "/etc/passwd" is outside of the project (import by a path from this file, inside the project)`,
		`deploy/t.jsonnet:2:43: "../../x" is outside of the project (import by a path from this file, inside the project)`,
	}
	if diff := cmp.Diff(want, lines(problems.Err())); diff != "" {
		t.Error(diff)
	}
}

func TestUsedValuesAreKnownInEveryFormat(t *testing.T) {
	t.Parallel()
	all := values("a", "1", "b", "2", "c", "3", "d", "4")
	for file, text := range map[string]string{
		"t.json":    `{"x": "${a}", "y": ${b}, "z": "${c:-${d}}"}`,
		"t.yaml":    "x: ${a}\ny: ${b}\nz: ${c:-${d}}\n",
		"t.jsonnet": "{ x: '${a}', y: std.extVar('b'), z: if false then std.extVar('c') }",
	} {
		used := Used(Template{Kind: TaskDefinition, File: file, Text: []byte(text)}, all)
		if diff := cmp.Diff([]string{"a", "b", "c"}, used.Names()); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
	failing := Used(Template{File: "t.jsonnet", Text: []byte("assert std.extVar('a') == '2'; { x: std.extVar(std.toString('b')) }")}, all)
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, failing.Names()); diff != "" {
		t.Errorf("a computed name may be any: %s", diff)
	}
}

// What any text is in JSON it is in YAML, which has JSON inside of it.
func TestAnyTextSurvivesYAML(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, value := rapid.String().Draw(t, "text"), rapid.String().Draw(t, "value")
		text = strings.Map(func(r rune) rune {
			if r < ' ' || r == '$' || r >= hiddenStart || r == '\u007f' || r >= '\u0080' && r < '\u00a0' || r == '\ufeff' || r == '\ufffe' || r == '\uffff' {
				return '-'
			}
			return r
		}, text)
		quoted, err := json.Marshal(text + "${v}" + text)
		if err != nil {
			t.Skip()
		}
		doc, problems := Expand(Template{Kind: TaskDefinition, File: "t.yaml", Text: []byte("x: " + string(quoted))}, values("v", value))
		if len(problems) > 0 {
			t.Fatalf("%q: %v", quoted, problems)
		}
		var got struct{ X string }
		if err := json.Unmarshal(doc.Body, &got); err != nil || got.X != text+value+text {
			t.Fatalf("%q became %q, %v", quoted, doc.Body, err)
		}
	})
}

func FuzzExpandYAML(f *testing.F) {
	f.Add(inYAML3, "a", "1")
	f.Add("a: &a [*a, ${v}, \"${n:-x}\"]\n<<: {b: ${}}\n", "x", "-0")
	f.Add("${v:\n- ? ${n}: !!x |\n  ${", "", "${n}")
	fuzzFormat(f, "t.yaml")
}

func FuzzExpandJsonnet(f *testing.F) {
	f.Add(inJsonnet3, "a", "1")
	f.Add("local a = {b: a.b, c:: $.d}; a + {['x' + n]: '${v}' for n in [std.extVar('n')]}", "x", "2")
	f.Add("import 'x'", "", "")
	fuzzFormat(f, "t.jsonnet")
}

func fuzzFormat(f *testing.F, file string) {
	f.Fuzz(func(t *testing.T, template, v, n string) {
		if file == "t.jsonnet" && len(template) > 200 {
			t.Skip() // programs may run for long
		}
		doc, problems := Expand(Template{Kind: TaskDefinition, File: file, Text: []byte(template)}, values("v", v, "n", n))
		for _, p := range problems {
			if p.Position.Line < 1 || p.Position.Column < 1 {
				t.Errorf("a problem without a place: %v", p)
			}
		}
		if doc == nil {
			if len(problems) == 0 {
				t.Error("neither a document nor a problem")
			}
			return
		}
		if !json.Valid(doc.Body) {
			t.Errorf("%q became %q, which is no JSON", template, doc.Body)
		}
		for _, p := range doc.CheckShape(Options{}) {
			if p.Position.Line < 1 {
				t.Errorf("a problem without a place: %v", p)
			}
		}
		_ = CheckMeaning([]*Document{doc})
	})
}
