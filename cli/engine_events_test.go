package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEventTargetsAreURLsAndFiles(t *testing.T) {
	t.Parallel()
	got, err := eventTargets([]string{"builds=http://127.0.0.1:8080/x?y=z", "log=file:events.jsonl", "far=https://example.com"})
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs("events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"builds": "http://127.0.0.1:8080/x?y=z", "log": "file:" + path, "far": "https://example.com"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, wrong := range []string{"", "builds", "=http://x", "a:b=http://x", "builds=x", "builds=file:", "builds=ftp://x"} {
		if _, err := eventTargets([]string{wrong}); err == nil || !strings.Contains(err.Error(), "NAME=URL or NAME=file:PATH is expected") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestADetachedEngineKnowsItsEventTargetsAndWhetherRolesAreChecked(t *testing.T) {
	t.Parallel()
	p, _, _ := testProgram()
	o := engineStartOptions{checkRoles: true, eventTargets: []string{"a=http://127.0.0.1:1", "b=file:/x"}}
	got := strings.Join(o.arguments("/data", p), " ")
	if !strings.Contains(got, " --check-roles ") || !strings.Contains(got, " --event-target a=http://127.0.0.1:1 --event-target b=file:/x") {
		t.Error(got)
	}
}
