package examples

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWhatIsPublishedInTheCheckoutIsNotCarried asks Go which files it embeds once somebody has published there.
func TestWhatIsPublishedInTheCheckoutIsNotCarried(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "hid-generator"), os.DirFS("hid-generator")); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("examples.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"go.mod": "module example.com/examples\n", "examples.go": string(source), "hid-generator/artifacts/web-1.0.0.X-manifest.json": "{}",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-f", `{{join .EmbedFiles "\n"}}`, ".")
	list.Dir, list.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	for _, want := range []string{"hid-generator/slipway.yaml", "hid-generator/.gitignore", "hid-generator/deploy/task-definition.json"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
	if slices.ContainsFunc(got, func(file string) bool { return strings.Contains(file, "artifacts") }) {
		t.Errorf("what was published is carried: %q", got)
	}
}

func TestTheExampleIsWhole(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"slipway.yaml", ".gitignore", "cmd/hid-generator/main.go", "deploy/service-update.json"} {
		if _, err := fs.Stat(HIDGenerator, "hid-generator/"+name); err != nil {
			t.Error(err)
		}
	}
}
