package docstest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inlineCode = regexp.MustCompile("`[^`\n]*`")
)

func TestLinksResolve(t *testing.T) {
	t.Parallel()
	all := pages(t)
	anchors := map[string]map[string]bool{}
	for _, p := range all {
		anchors[p.path] = p.anchors()
	}
	for _, p := range all {
		for _, m := range link.FindAllStringSubmatch(p.prose, -1) {
			if flaw := follow(p, m[1], anchors); flaw != "" {
				t.Errorf("%s: %s: %s", p.path, m[1], flaw)
			}
		}
	}
}

// follow says what is wrong with a link; nothing for one that leads out of the repository.
func follow(from page, target string, anchors map[string]map[string]bool) string {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return ""
	}
	file, anchor, hasAnchor := strings.Cut(target, "#")
	to := from.path
	if file != "" {
		to = path.Join(path.Dir(from.path), file)
	}
	if strings.HasPrefix(to, "..") {
		return "it leads out of the repository"
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(to))); err != nil {
		return "there is no such file"
	}
	if hasAnchor && !anchors[to][anchor] {
		return "there is no such heading"
	}
	return ""
}

// TestEveryPageIsReached keeps pages from being written and never found.
func TestEveryPageIsReached(t *testing.T) {
	t.Parallel()
	linked := map[string]bool{}
	all := pages(t)
	for _, p := range all {
		for _, m := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(p.prose, "x"), -1) {
			file, _, _ := strings.Cut(m[1], "#")
			linked[path.Join(path.Dir(p.path), file)] = true
		}
	}
	for _, p := range all {
		if p.path != "README.md" && !linked[p.path] {
			t.Errorf("no page links to %s", p.path)
		}
	}
}
