package descriptor

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

func values(pairs ...string) config.Values {
	v := config.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v[pairs[i]] = config.Value{Text: pairs[i+1]}
	}
	return v
}

func lines(err error) []string {
	if problems, ok := errors.AsType[fault.Problems](err); ok {
		return strings.Split(problems.Error(), "\n")
	}
	return nil
}

func TestPlaceholdersAreExpandedAsJSON(t *testing.T) {
	t.Parallel()
	v := values("n", "2", "neg", "-1.5e3", "yes", "true", "none", "null", "text", "two", "quote", `a"b\c`, "empty", "",
		"line", "a\nb", "like", "${n}", "html", "<&>", "control", "\x01", "a.b-c_d", "x")
	for template, want := range map[string]string{
		`{"a": ${n}}`:                        `{"a": 2}`,
		`[${n}, ${neg}, ${yes}, ${none}]`:    `[2, -1.5e3, true, null]`,
		`"${text}"`:                          `"two"`,
		`"x${n}y${text}z"`:                   `"x2ytwoz"`,
		`"${quote}"`:                         `"a\"b\\c"`,
		`"${line}${control}"`:                `"a\nb\u0001"`,
		`"${html}"`:                          `"<&>"`,
		`"${like}"`:                          `"${n}"`,
		`{"${text}": 1}`:                     `{"two": 1}`,
		`"$${n}"`:                            `"${n}"`,
		`"$$ $ $x $$$${n}"`:                  `"$$ $ $x $$${n}"`,
		`"${unknown:-fall}"`:                 `"fall"`,
		`"${empty:-fall}"`:                   `"fall"`,
		`"${text:-fall}"`:                    `"two"`,
		`"${unknown:-}"`:                     `""`,
		`"${unknown:-a\"b}"`:                 `"a\"b"`,
		`"${unknown:-${text}}"`:              `"two"`,
		`"${unknown:-x${other:-y}z}"`:        `"xyz"`,
		`${unknown:-5}`:                      `5`,
		`${unknown:-${n}}`:                   `2`,
		`[${unknown:-${other:-7}}]`:          `[7]`,
		`"\\${text}"`:                        `"\\two"`,
		`"a" // ${unknown} "`:                ``, // a comment without an end of its line is no comment
		"// ${unknown}\n\"a\" /* ${x \" */ ": "\"a\"\n",
		"{\n  \"a\": 1, // why\n}\n":         "{\n  \"a\": 1\n}\n",
		`"${a.b-c_d}"`:                       `"x"`,
		"[1,\r\n 2]\r\n":                     "[1,\r\n 2]\r\n",
	} {
		doc, problems := Expand(Template{Kind: TaskDefinition, File: "t.json", Text: []byte(template)}, v)
		if want == "" {
			if len(problems) == 0 {
				t.Errorf("%s: no problem", template)
			}
			continue
		}
		if len(problems) > 0 {
			t.Errorf("%s: %v", template, problems)
			continue
		}
		if string(doc.Body) != want {
			t.Errorf("%s:\ngot  %q\nwant %q", template, doc.Body, want)
		}
	}
}

func TestProblemsOfExpansionAreToldAllAtOnceWithTheirPlace(t *testing.T) {
	t.Parallel()
	v := values("family", "web", "clusterName", "qa", "desiredCount", "two", "n", "1", "bad", "\xff")
	for name, c := range map[string]struct {
		template string
		want     []string
	}{
		"unknown name": {`{"family": "${familly}", "x": "${clusterNme}"}`, []string{
			`t.json:1:13: there is no value for "familly" (did you mean "family"?)`,
			`t.json:1:32: there is no value for "clusterNme" (did you mean "clusterName"?)`,
		}},
		"unknown without a like": {`"${zzz}"`, []string{`t.json:1:2: there is no value for "zzz" (add it under values in slipway.yaml, or with --set zzz=…)`}},
		"no number":              {"{\n  \"desiredCount\": ${desiredCount}\n}", []string{`t.json:2:19: desiredCount is "two": outside a string it has to be a number, true, false or null (put the placeholder in double quotes if text is meant)`}},
		"no number by default":   {`${x:-two}`, []string{`t.json:1:1: the default is "two": outside a string it has to be a number, true, false or null (put the placeholder in double quotes if text is meant)`}},
		"two values glued": {`[${n}${n}]`, []string{
			`t.json:1:2: the placeholder ${n} stands directly beside other text (separate it, or put everything in one string)`,
		}},
		"digits glued": {`[1${n}]`, []string{`t.json:1:3: the placeholder ${n} stands directly beside other text (separate it, or put everything in one string)`}},
		"no end":       {`{"a": "${family"}`, []string{`t.json:1:8: the placeholder "${family" has no end (close it with }, or write $${ for a literal ${)`}},
		"no name": {`"${} ${1x} ${a b}"`, []string{
			`t.json:1:2: "${}" is no placeholder (a letter, then letters, digits, _, . and -; write $${ for a literal ${)`,
			`t.json:1:6: "${1x}" is no placeholder (a letter, then letters, digits, _, . and -; write $${ for a literal ${)`,
			`t.json:1:12: "${a b}" is no placeholder (a letter, then letters, digits, _, . and -; write $${ for a literal ${)`,
		}},
		"a default that ends its string": {`{"a": "${x:-b"c}", "d": 1}`, nil},
		"value that is no text":          {`"${bad}"`, []string{`t.json:1:2: the value of "bad" is not UTF-8 text`}},
		"missing comma": {"{\n  \"ä\": \"${family}\"\n  \"b\": 1\n}", []string{
			`t.json:3:3: the task definition is not JSON after expansion: invalid character '"' after object value (expecting ',' or '}')`,
		}},
		"position behind a value": {`{"a": "${family}", "b" 1}`, []string{
			`t.json:1:24: the task definition is not JSON after expansion: invalid character '1' after object name`,
		}},
		"not closed": {`{"a": [1, 2}`, []string{`t.json:1:12: the task definition is not JSON after expansion: invalid character '}' after array value (expecting ',' or ']')`}},
		"cut off":    {"{\"a\": 1\n", []string{`t.json:2:1: the task definition is not JSON after expansion: it ends too early: a bracket, quote or comment is not closed`}},
		"empty":      {" \n", []string{`t.json:1:1: the file is empty`}},
		"a BOM":      {"\ufeff{}", []string{`t.json:1:1: the file begins with a byte order mark: save it as UTF-8 without one`}},
		"not UTF-8":  {"{\"a\": \"\n\xff\"}", []string{`t.json:2:1: the file is not UTF-8 text`}},
		"escape":     {`"\$x"`, []string{`t.json:1:1: the task definition is not JSON after expansion: invalid literal: "\$x"`}},
		"both at once": {`{"a": "${nope:}", "b": ${desiredCount}, "c": }`, []string{
			`t.json:1:8: "${nope:}" is no placeholder (a letter, then letters, digits, _, . and -; write $${ for a literal ${)`,
			`t.json:1:24: desiredCount is "two": outside a string it has to be a number, true, false or null (put the placeholder in double quotes if text is meant)`,
			`t.json:1:46: the task definition is not JSON after expansion: invalid character '}' at start of value`,
		}},
		"nesting": {strings.Repeat("[", 200) + strings.Repeat("]", 200), []string{`t.json:1:1: objects and lists are nested more than 100 deep`}},
	} {
		_, problems := Expand(Template{Kind: TaskDefinition, File: "t.json", Text: []byte(c.template)}, v)
		got := lines(problems.Err())
		if c.want == nil {
			if len(got) == 0 {
				t.Errorf("%s: no problem", name)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestExpandTextPutsValuesInAsTheyAre(t *testing.T) {
	t.Parallel()
	at := func(s string) config.Text {
		return config.Text{Text: s, Position: fault.Position{File: "slipway.yaml", Line: 7, Column: 20}}
	}
	got, err := ExpandText(at(`http://${host}:${port:-80}/"$${x}`), values("host", `a"b`))
	if want := `http://a"b:80/"${x}`; got != want || err != nil {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	_, err = ExpandText(at(`${registry}/${imagName}`), values("registry", "r", "imageName", "i"))
	want := []string{`slipway.yaml:7:32: there is no value for "imagName" (did you mean "imageName"?)`}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentsTellWhichValuesTheyUsed(t *testing.T) {
	t.Parallel()
	v := values("a", "1", "b", "2", "c", "3")
	doc, problems := Expand(Template{Kind: TaskDefinition, File: "t.json", Text: []byte("// ${c}\n\"${a}${b:-x}${d:-y}$${c}\"")}, v)
	if diff := cmp.Diff([]string{"a", "b"}, doc.Used.Names()); diff != "" || len(problems) > 0 {
		t.Error(diff, problems)
	}
}

func TestAnyValueInAStringComesOutAsItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		before := rapid.StringMatching(`[a-z $]{0,5}`).Draw(t, "before")
		if strings.HasSuffix(before, "$") {
			before += " " // $${ is a literal
		}
		doc, problems := Expand(Template{Kind: TaskDefinition, File: "t.json", Text: []byte(`{"` + before + `${v}": ["${v}", 1]}`)}, values("v", value))
		if !utf8.ValidString(value) {
			return
		}
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		var got map[string][]any
		if err := json.Unmarshal(doc.Body, &got); err != nil {
			t.Fatalf("%s: %v", doc.Body, err)
		}
		if list := got[before+value]; len(list) != 2 || list[0] != value {
			t.Fatalf("%q became %s", value, doc.Body)
		}
	})
}

func TestAnyValueOutsideStringsIsOneScalarOrAProblem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-+0-9.eE]{1,8}`), rapid.SampledFrom([]string{"true", "null", "[1]", "1,2", `"x"`})).Draw(t, "value")
		doc, problems := Expand(Template{Kind: TaskDefinition, File: "t.json", Text: []byte(`[${v}]`)}, values("v", value))
		if len(problems) > 0 {
			return
		}
		var got []any
		decoder := json.NewDecoder(bytes.NewReader(doc.Body))
		decoder.UseNumber() // JSON sets no bound on numbers, float64 does: 1E310
		if err := decoder.Decode(&got); err != nil || len(got) != 1 {
			t.Fatalf("%q became %s: %v", value, doc.Body, err)
		}
		switch got[0].(type) {
		case nil, bool, json.Number:
		default:
			t.Fatalf("%q became %T", value, got[0])
		}
	})
}

func FuzzExpand(f *testing.F) {
	f.Add(`{"a": "${v}", "b": ${n}, /* c */ "d": "$${x}",}`, "va\"lue", "2")
	f.Add(`${x:-${y:-"z"}}`, "", "")
	f.Add(`"${x:-a\"b}${`, "${n}", "1e5")
	f.Add("// c\n[${n}${v}]", "x", "-0")
	f.Fuzz(func(t *testing.T, template, v, n string) {
		for _, kind := range Kinds() {
			doc, problems := Expand(Template{Kind: kind, File: "t.json", Text: []byte(template)}, values("v", v, "n", n))
			for _, p := range problems {
				if p.Position.Line < 1 || p.Position.Column < 1 {
					t.Errorf("a problem without a place: %v", p)
				}
			}
			if doc == nil {
				if len(problems) == 0 {
					t.Error("neither a document nor a problem")
				}
				continue
			}
			if !json.Valid(doc.Body) {
				t.Errorf("%q became %q, which is no JSON", template, doc.Body)
			}
			_ = doc.CheckShape(Options{}) // neither may panic
			_ = CheckMeaning([]*Document{doc})
		}
	})
}
