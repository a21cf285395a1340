package ecsdeploy

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const sum = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// forms are the ways in which images are written: of -i, in the task definition, and what comes of both. want is the
// container's new image; "no match" when it is another repository; "13" and "1" the exit code of what is refused.
var forms = []struct{ form, i, container, want string }{
	{"root image", "mariadb", "mariadb:10", "mariadb:latest"},
	{"root image with a tag", "mariadb:11", "mariadb:10", "mariadb:11"},
	{"root image latest", "mariadb:latest", "mariadb", "mariadb:latest"},
	{"root image with a digest", "mariadb@" + sum, "mariadb:10", "mariadb@" + sum},
	{"root image of a container with a digest", "mariadb:11", "mariadb@" + sum, "mariadb:11"},
	{"root image of a container with both", "mariadb:11", "mariadb:10@" + sum, "mariadb:11"},
	{"root image with dashes and underscores", "my-app_x:2", "my-app_x:1", "my-app_x:2"},
	{"root image with a dot", "my.app:2", "my.app:1", "my.app:2"},
	{"a dot is only a dot", "my.app:2", "myxapp:1", "no match"},
	{"Docker Hub's own name", "docker.io/library/mariadb:11", "mariadb:10", "docker.io/library/mariadb:11"},
	{"Docker Hub, the other way round", "mariadb:11", "docker.io/library/mariadb:10", "mariadb:11"},
	{"team", "team/app:2", "team/app:1", "team/app:2"},
	{"team without a tag", "team/app", "team/app:1", "team/app:latest"},
	{"team, container without a tag", "team/app:2", "team/app", "team/app:2"},
	{"another team", "team/app:2", "steam/app:1", "no match"},
	{"deep repository", "a/b/c/d:2", "a/b/c/d:1", "a/b/c/d:2"},
	{"the end of a repository", "d:2", "a/b/c/d:1", "no match"},
	{"the beginning of a repository", "a/b:2", "a/b/c/d:1", "no match"},
	{"domain", "registry.example.com/app:2", "registry.example.com/app:1", "registry.example.com/app:2"},
	{"domain without a tag", "registry.example.com/app", "registry.example.com/app:1", "registry.example.com/app:latest"},
	{"domain and team", "registry.example.com/team/app:2", "registry.example.com/team/app", "registry.example.com/team/app:2"},
	{"domain with a digest", "registry.example.com/app@" + sum, "registry.example.com/app:1", "registry.example.com/app@" + sum},
	{"domain, container with a digest", "registry.example.com/app:2", "registry.example.com/app@" + sum, "registry.example.com/app:2"},
	{"a domain's dot is only a dot", "registry.example.com/app:2", "registryxexample.com/app:1", "no match"},
	{"another domain", "registry.example.com/app:2", "registry.example.org/app:1", "no match"},
	{"no domain", "app:9", "registry.example.com/acct/myapp:1", "no match"},
	{"no domain, the same name", "app:9", "registry.example.com/app:1", "no match"},
	{"port", "registry.example.com:5000/app:2", "registry.example.com:5000/app:1", "registry.example.com:5000/app:2"},
	{"port without a tag", "registry.example.com:5000/app", "registry.example.com:5000/app", "registry.example.com:5000/app:latest"},
	{"another port", "registry.example.com:5000/app:2", "registry.example.com:5001/app:1", "no match"},
	{"this machine", "localhost:5000/team/app:2", "localhost:5000/team/app:1", "localhost:5000/team/app:2"},
	{"an address", "127.0.0.1:4566/app:2", "127.0.0.1:4566/app:1", "127.0.0.1:4566/app:2"},
	{"Amazon ECR", "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:2", "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1", "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:2"},
	{"another account's Amazon ECR", "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:2", "210987654321.dkr.ecr.us-east-1.amazonaws.com/app:1", "no match"},
	{"a tag of all characters", "app:V1.2_3-rc.4", "app:1", "app:V1.2_3-rc.4"},
	{"the same as before", "app:1", "app:1", "app:1"},
	{"tag and digest", "app:1@" + sum, "app:1", "13"},
	{"leading underscore", "_app:1", "app:1", "13"},
	{"empty", "", "app:1", "13"},
	{"empty tag", "app:", "app:1", "13"},
	{"short digest", "app@sha256:12", "app:1", "13"},
	{"two tags", "app:1:2", "app:1", "13"},
	{"spaces", "my app:1", "app:1", "13"},
	{"a URL", "https://registry.example.com/app:1", "registry.example.com/app:1", "13"},
	{"no repository", "registry.example.com:5000/", "app:1", "13"},
}

func TestEveryFormOfAnImageMatchesExactlyItsRepository(t *testing.T) {
	t.Parallel()
	if len(forms) < 40 {
		t.Errorf("%d forms", len(forms))
	}
	for _, c := range forms {
		if got := outcome(options{image: c.i, imageGiven: true}, nil, c.container); got != c.want {
			t.Errorf("%s: -i %q for a container with %q: got %s, want %s", c.form, c.i, c.container, got, c.want)
		}
	}
}

// outcome is what comes of a task definition of one container with this image.
func outcome(o options, environ map[string]string, container string) string {
	w, err := o.wished(func(name string) string { return environ[name] })
	if m, ok := errors.AsType[*misuse](err); ok {
		return map[int]string{exitImage: "13", exitFailed: "1"}[m.code]
	}
	definition, _ := json.Marshal(map[string]any{"containerDefinitions": []any{map[string]any{"name": "c", "image": container}}})
	_, changes, err := revise(definition, w)
	switch {
	case err != nil && strings.HasPrefix(err.Error(), "no container has an image of repository "):
		return "no match"
	case err != nil:
		return err.Error()
	}
	return changes[0].to
}

func TestTheTagComesFromTheImageElseFromTheVariableElseItIsLatest(t *testing.T) {
	t.Parallel()
	environ := map[string]string{"TAG": "7", "BAD": "a b", "EMPTY": ""}
	for name, c := range map[string]struct{ i, e, to, container, want string }{
		"image":                                 {"app:2", "TAG", "", "app:1", "app:2"},
		"variable":                              {"app", "TAG", "", "app:1", "app:7"},
		"neither":                               {"app", "", "", "app:1", "app:latest"},
		"variable replaces a digest":            {"app@" + sum, "TAG", "", "app:1", "app:7"},
		"variable is not set":                   {"app", "NONE", "", "app:1", "1"},
		"variable is empty":                     {"app", "EMPTY", "", "app:1", "1"},
		"variable is no tag":                    {"app", "BAD", "", "app:1", "1"},
		"variable that is not needed":           {"app:2", "NONE", "", "app:1", "app:2"},
		"only the tag":                          {"", "", "5", "other:1", "other:5"},
		"only the tag, -i is not used":          {"whatever it is", "", "5", "other", "other:5"},
		"only the tag, before the variable":     {"app", "TAG", "5", "app:1", "app:5"},
		"only the tag, of a port":               {"x", "", "5", "host:5000/app", "host:5000/app:5"},
		"only the tag, of a port and a tag":     {"x", "", "5", "host:5000/app:1", "host:5000/app:5"},
		"only the tag, of a digest":             {"x", "", "5", "app@" + sum, "app:5"},
		"only the tag, of a tag and a digest":   {"x", "", "5", "host:5000/app:1@" + sum, "host:5000/app:5"},
		"only the tag, which is none":           {"x", "", "a b", "app:1", "13"},
		"only the tag, of what is not readable": {"x", "", "5", "app:1:2", `container c: "app:1:2" is not an image reference: the repository contains what no repository may contain`},
	} {
		o := options{image: c.i, imageGiven: true, tagVariable: c.e, tagOnly: c.to}
		if got := outcome(o, environ, c.container); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestAllContainersOfTheRepositoryChangeAndNoOther(t *testing.T) {
	t.Parallel()
	const definition = `{"family": "web", "addedTomorrow": {"a": [1.50, "<&>"]}, "containerDefinitions": [
		{"name": "web", "image": "host.x/web:1", "addedTomorrow": 1e3}, {"name": "job", "image": "host.x/web@` + sum + `"},
		{"name": "log", "image": "host.x/web-log:1"}]}`
	w, err := options{image: "host.x/web:2"}.wished(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, changes, err := revise([]byte(definition), w)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"addedTomorrow":{"a":[1.50,"<&>"]},"containerDefinitions":[` +
		`{"addedTomorrow":1e3,"image":"host.x/web:2","name":"web"},{"image":"host.x/web:2","name":"job"},` +
		`{"name":"log","image":"host.x/web-log:1"}],"family":"web"}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(changes) != 2 || changes[0].String() != "container web: host.x/web:1 → host.x/web:2" {
		t.Errorf("changes: %v", changes)
	}
}

func TestWhatMatchesNothingNamesTheImagesThereAre(t *testing.T) {
	t.Parallel()
	w, err := options{image: "app:9"}.wished(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = revise([]byte(`{"containerDefinitions": [{"image": "z:1"}, {"image": "not an image"}, {"image": "a:1"}, {"image": "a:1"}]}`), w)
	if err == nil || err.Error() != "no container has an image of repository app; there are a:1, not an image, z:1" {
		t.Error(err)
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"containerDefinitions": []}`, `{"containerDefinitions": [1]}`, `{"containerDefinitions": [{"image": 1}]}`} {
		if _, _, err := revise([]byte(bad), w); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// Whatever a task definition has besides images, at any depth, is as it was.
func TestNothingButImagesChanges(t *testing.T) {
	t.Parallel()
	scalar := rapid.OneOf(rapid.String().AsAny(), rapid.Bool().AsAny(), rapid.Int64().AsAny())
	value := rapid.OneOf(scalar, rapid.SliceOfN(scalar, 0, 3).AsAny(), rapid.MapOfN(rapid.String(), scalar, 0, 3).AsAny())
	rapid.Check(t, func(t *rapid.T) {
		definition := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,5}`), value, 0, 5).Draw(t, "definition")
		container := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), value, 0, 5).Draw(t, "container")
		container["image"], container["name"] = "app:1", "app"
		definition["containerDefinitions"] = []any{container}
		before, err := json.Marshal(definition)
		if err != nil {
			t.Fatal(err)
		}
		w, err := options{image: "app:2"}.wished(nil)
		if err != nil {
			t.Fatal(err)
		}
		after, _, err := revise(before, w)
		if err != nil {
			t.Fatal(err)
		}
		container["image"] = "app:2"
		want, err := json.Marshal(definition)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if err := errors.Join(json.Unmarshal(want, &a), json.Unmarshal(after, &b)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}
