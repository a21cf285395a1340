package app

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipway-cd/slipway/engine/runtime"
)

func TestImagesNamedByAFormerAddressAreFoundAtThePresentOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := startEngine(t, EngineOptions{Dir: dir})
	if from := first.Moved(); from != "" {
		t.Errorf("a new engine has moved from %s", from)
	}
	before := first.Addr()
	digest := pushTo(t, before+"/team/web:1")
	pushTo(t, before+"/team/web:latest")
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := startEngine(t, EngineOptions{Dir: dir})
	now := second.Addr()
	if from := second.Moved(); from != before || now == before {
		t.Errorf("moved from %q to %q, expected from %s", from, now, before)
	}
	for what, tc := range map[string]struct{ ref, want string }{
		"a tag":                            {before + "/team/web:1", now + "/team/web:1"},
		"no tag":                           {before + "/team/web", now + "/team/web"},
		"a digest":                         {before + "/team/web@" + digest, now + "/team/web@" + digest},
		"a tag and a digest":               {before + "/team/web:0@" + digest, now + "/team/web:0@" + digest},
		"another name of this machine":     {"localhost:" + port(before) + "/team/web:1", now + "/team/web:1"},
		"the present address":              {now + "/team/web:1", now + "/team/web:1"},
		"what was never pushed here":       {before + "/team/web:2", before + "/team/web:2"},
		"a repository that isn't here":     {before + "/web:1", before + "/web:1"},
		"another registry":                 {"registry.example:" + port(before) + "/team/web:1", "registry.example:" + port(before) + "/team/web:1"},
		"Docker Hub":                       {"team/web:1", "team/web:1"},
		"what is no reference at all":      {before + "/Team/web:1", before + "/Team/web:1"},
		"another port of the same machine": {"127.0.0.1:1/team/web:1", "127.0.0.1:1/team/web:1"},
	} {
		if got := second.resolve(tc.ref); got != tc.want {
			t.Errorf("%s: %s is %s, want %s", what, tc.ref, got, tc.want)
		}
	}
	troubled, _ := second.engine.Runtime().(troubled)
	if _, ok := troubled.Runtime.(resident); !ok {
		t.Errorf("the engine's runtime is %T: it pulls from where images were", second.engine.Runtime())
	}
}

// pushTo pushes an image and returns its digest.
func pushTo(t *testing.T, text string) string {
	t.Helper()
	ref, err := name.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// moving notes what it is asked for.
type moving struct {
	runtime.Runtime
	asked []string
}

func (m *moving) Pull(_ context.Context, ref string) (runtime.Image, error) {
	m.asked = append(m.asked, ref)
	return runtime.Image{}, nil
}

func (m *moving) Create(_ context.Context, spec runtime.Spec) error {
	m.asked = append(m.asked, spec.Image)
	return nil
}

func TestWhatIsPulledIsWhatContainersAreMadeOf(t *testing.T) {
	t.Parallel()
	inner := &moving{}
	r := resident{inner, func(ref string) string { return "now/" + ref }}
	if _, err := r.Pull(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	if err := r.Create(t.Context(), runtime.Spec{Image: "web"}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(inner.asked, []string{"now/web", "now/web"}) {
		t.Errorf("asked for %q", inner.asked)
	}
}
