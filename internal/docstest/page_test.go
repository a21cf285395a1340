// Package docstest holds the manual against the program: links resolve, and nothing that it should describe is missing.
package docstest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// page is one Markdown file.
type page struct {
	path  string // relative to the root
	text  string
	prose string // text without fenced code
}

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

func read(t *testing.T, path string) page {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return page{path, string(content), fence.ReplaceAllString(string(content), "")}
}

// pages returns all of the manual.
func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		all = append(all, read(t, name))
	}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		name, err := filepath.Rel(root, path)
		all = append(all, read(t, filepath.ToSlash(name)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// block is a piece of fenced code.
type block struct{ language, code string }

func (p page) blocks() []block {
	var all []block
	for _, m := range fence.FindAllStringSubmatch(p.text, -1) {
		all = append(all, block{m[1], m[2]})
	}
	return all
}

var (
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	marks   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns what links into the page may name: its headings as GitHub writes them.
func (p page) anchors() map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(p.prose, -1) {
		plain := marks.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		found[strings.ReplaceAll(plain, " ", "-")] = true
	}
	return found
}

// needs fails for every word that the page does not have in code.
func (p page) needs(t *testing.T, what string, words []string) {
	t.Helper()
	if len(words) == 0 {
		t.Fatalf("%s: no %s was found to look for", p.path, what)
	}
	for _, word := range words {
		if !strings.Contains(p.text, "`"+word+"`") {
			t.Errorf("%s does not describe the %s %q", p.path, what, word)
		}
	}
}
