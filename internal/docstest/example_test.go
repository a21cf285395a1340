package docstest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/config"
)

// TestProjectsShownAreProjects reads every slipway.yaml that the manual shows as a whole.
func TestProjectsShownAreProjects(t *testing.T) {
	t.Parallel()
	shown := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks() {
			if b.language != "yaml" || !strings.HasPrefix(b.code, "project:") || strings.Contains(b.code, "…") {
				continue
			}
			shown++
			if _, err := config.Parse(p.path, []byte(b.code)); err != nil {
				t.Errorf("%s shows a project that cannot be read: %v", p.path, err)
			}
		}
	}
	if shown == 0 {
		t.Error("the manual shows no project")
	}
}

var (
	command    = regexp.MustCompile(`(?m)(?:^|[(\x60]|\$ |\|\| )slipway ((?:[a-z]+(?:-[a-z]+)* ?){1,2})`)
	documented = regexp.MustCompile(`(?m)^## slipway (.+)$`)
)

// TestCommandsShownExist holds every command that the manual shows against the reference, which is written by the
// commands themselves.
func TestCommandsShownExist(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	for _, m := range documented.FindAllStringSubmatch(read(t, "docs/reference/cli.md").text, -1) {
		exists[m[1]] = true
	}
	for _, p := range pages(t) {
		code := strings.Join(inlineCode.FindAllString(p.prose, -1), "\n")
		for _, b := range p.blocks() {
			code += "\n" + b.code
		}
		for _, m := range command.FindAllStringSubmatch(code, -1) {
			words := strings.Fields(m[1])
			if exists[words[0]] || len(words) > 1 && exists[words[0]+" "+words[1]] {
				continue
			}
			t.Errorf("%s shows `slipway %s`, and there is no such command", p.path, m[1])
		}
	}
}
