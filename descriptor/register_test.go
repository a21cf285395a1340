package descriptor

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestADescribedTaskDefinitionIsRegisteredAgainAsItWas(t *testing.T) {
	t.Parallel()
	const kept = `"family":"web","containerDefinitions":[{"name":"c","memory":64,"cpu":1.50,"addedTomorrow":{"revision":1}}],"runtimePlatform":{}`
	const added = `,"taskDefinitionArn":"arn:x","revision":7,"status":"ACTIVE","requiresAttributes":[{"name":"a"}],"compatibilities":["EC2"],` +
		`"registeredAt":1.7E9,"registeredBy":"arn:y","deregisteredAt":1.8E9`
	for name, c := range map[string]struct{ described, want string }{
		"alone":          {`{` + kept + added + `}`, `{` + kept + `}`},
		"an answer":      {`{"taskDefinition":{` + kept + added + `},"tags":[]}`, `{` + kept + `}`},
		"tags":           {`{"tags":[{"key":"a","value":"b"}],"taskDefinition":{` + kept + added + `}}`, `{` + kept + `,"tags":[{"key":"a","value":"b"}]}`},
		"tags of a file": {`{` + kept + `,"tags":[{"key":"a","value":"b"}]}`, `{` + kept + `,"tags":[{"key":"a","value":"b"}]}`},
		"comments":       {"{// c\n" + kept + added + ",}", `{` + kept + `}`},
	} {
		got, err := Registrable([]byte(c.described))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(decode(t, []byte(c.want)), decode(t, got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, bad := range []string{"", "[]", "1", "{"} {
		if _, err := Registrable([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// Whatever AWS adds, at any depth, survives: the request is the described task definition without what describing adds.
func TestNothingThatAWSReturnsIsDropped(t *testing.T) {
	t.Parallel()
	scalar := rapid.OneOf(
		rapid.Custom(func(t *rapid.T) any { return rapid.String().Draw(t, "text") }),
		rapid.Custom(func(t *rapid.T) any {
			return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?`).Draw(t, "number"))
		}),
		rapid.Custom(func(t *rapid.T) any { return rapid.Bool().Draw(t, "truth") }),
	)
	name := rapid.OneOf(rapid.SampledFrom(append(slices.Clone(returned), "family", "containerDefinitions", "tags")), rapid.StringMatching(`[a-z][A-Za-z]{0,12}`))
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return scalar
		}
		return rapid.OneOf(scalar,
			rapid.Custom(func(t *rapid.T) any { return rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list") }),
			rapid.Custom(func(t *rapid.T) any { return rapid.MapOfN(name, value(depth-1), 0, 4).Draw(t, "object") }))
	}
	rapid.Check(t, func(t *rapid.T) {
		definition := rapid.MapOfN(name, value(3), 0, 8).Draw(t, "task definition")
		delete(definition, "tags")
		body, err := json.Marshal(map[string]any{"taskDefinition": definition, "tags": []any{map[string]any{"key": "k"}}, "addedBeside": 1})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Registrable(body)
		if err != nil {
			t.Fatal(err)
		}
		want := maps.Clone(definition)
		for _, name := range returned {
			delete(want, name)
		}
		want["tags"] = []any{map[string]any{"key": "k"}}
		expected, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		w, errW := decodeObject(TaskDefinition, "expected", expected)
		g, errG := decodeObject(TaskDefinition, "got", got)
		if diff := cmp.Diff(w, g); diff != "" || errW != nil || errG != nil {
			t.Fatalf("(-want +got):\n%s %v %v", diff, errW, errG)
		}
	})
}
