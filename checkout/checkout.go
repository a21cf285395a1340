// Package checkout tells what a project's working tree is: its files, branch, commit and version number.
package checkout

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

// State is what git and the CI system say about a working tree.
type State struct {
	Branch       string   // empty: on no branch
	BranchOrigin string   // from where the branch is known: "git", or a CI system's variable
	Commit       string   // the full hash; empty outside a repository and before the first commit
	Changes      []string // files that differ from the commit, sorted; paths from the repository's root, with slashes
}

// Dirty reports whether files differ from the commit.
func (s State) Dirty() bool { return len(s.Changes) > 0 }

// Read returns the state of the working tree that the directory belongs to. A branch that is checked out counts; where
// none is, as CI systems leave it, the CI system's variables tell. A directory outside any repository has an empty
// state, or the branch that CI tells. Each element of environ is NAME=value.
//
// Files that git does not track are no changes, except the inputs (paths from the directory): what is made of them is not
// in the commit.
func Read(ctx context.Context, dir string, inputs, environ []string) (State, error) {
	git := &git{dir: dir, environ: environ}
	state, err := git.status(ctx)
	if err != nil {
		return State{}, err
	}
	unknown, err := git.untracked(ctx, inputs)
	if err != nil {
		return State{}, err
	}
	state.Changes = append(state.Changes, unknown...)
	slices.Sort(state.Changes)
	state.Changes = slices.Compact(state.Changes) // what git has just been told to forget is named twice
	if state.Branch != "" {
		state.BranchOrigin = "git"
		return state, nil
	}
	state.Branch, state.BranchOrigin = ciBranch(environ)
	return state, nil
}

// Number returns the version's number from wherever the project says: slipway.yaml itself, a file, or a git tag.
func Number(ctx context.Context, dir string, source config.VersionSource, environ []string) (version.Number, error) {
	switch {
	case source.Literal != nil:
		return *source.Literal, nil
	case !source.File.IsZero():
		return fromFile(dir, source.File)
	default:
		text, err := (&git{dir: dir, environ: environ}).describe(ctx, source.GitTag.Text)
		if err != nil {
			return version.Number{}, err
		}
		return version.FromDescribe(source.GitTag.Text, text)
	}
}

func fromFile(dir string, file config.Text) (version.Number, error) {
	content, err := readFile(dir, file)
	if err != nil {
		return version.Number{}, err
	}
	number, err := version.FromFile(content)
	if err != nil {
		problems := fault.Problems{}
		problems.Add(fault.Position{File: file.Text, Line: 1, Column: 1}, fault.HintOf(err), "%s", err)
		return version.Number{}, problems.Err()
	}
	return number, nil
}

// Project reads slipway.yaml in the directory.
func Project(dir string) (*config.Project, error) {
	content, err := os.ReadFile(filepath.Join(dir, config.FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Invalid, "there is no %s in %q", config.FileName, dir).
			WithHint("go to the project's directory, or name it with --project")
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot read the project: %w", err)
	}
	return config.Parse(config.FileName, content)
}

// Inputs returns the files that a project's versions are made of, its program left out: slipway.yaml, the templates with
// what they import, the files that values are read from, and the file of the version's number. The paths are from the
// project's directory, with slashes.
func Inputs(dir string, p *config.Project) []string {
	inputs := []string{config.FileName}
	add := func(file config.Text) {
		if !file.IsZero() {
			inputs = append(inputs, file.Text)
		}
	}
	add(p.Version.File)
	for _, t := range named(p.Descriptors) {
		add(t.file)
		text, err := readFile(dir, t.file)
		if err != nil {
			continue // which is told when the templates are read
		}
		imports, _ := imported(dir, t.file.Text, text)
		inputs = append(inputs, slices.Sorted(maps.Keys(imports))...)
	}
	return append(inputs, valueFiles(p)...)
}

// valueFiles returns the files that values are read from, as far as their names are stated.
func valueFiles(p *config.Project) []string {
	var files []string
	layers := []config.Values{p.Values}
	for _, env := range p.Environments {
		layers = append(layers, env.Values)
	}
	for _, values := range layers {
		for _, name := range values.Names() {
			l := values[name].Origin.Lookup
			if l == nil || strings.Contains(l.Name.Text, "${") || strings.HasPrefix(l.Name.Text, "s3://") {
				continue
			}
			if l.Kind == config.FromFile || l.Kind == config.FromTerraform {
				files = append(files, l.Name.Text)
			}
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// namedTemplate is a template that slipway.yaml names.
type namedTemplate struct {
	kind descriptor.Kind
	file config.Text
}

// named returns the templates that there are.
func named(d config.Descriptors) []namedTemplate {
	all := []namedTemplate{
		{descriptor.TaskDefinition, d.TaskDefinition},
		{descriptor.ServiceDefinition, d.ServiceDefinition},
		{descriptor.ServiceUpdate, d.ServiceUpdate},
		{descriptor.Autoscaling, d.Autoscaling},
		{descriptor.ScheduledTasks, d.ScheduledTasks},
	}
	return slices.DeleteFunc(all, func(t namedTemplate) bool { return t.file.IsZero() })
}

// Templates reads the templates of the project's descriptors, and what they import. All that are missing are reported at
// once.
func Templates(dir string, d config.Descriptors) ([]descriptor.Template, error) {
	var templates []descriptor.Template
	var problems fault.Problems
	for _, t := range named(d) {
		text, err := readFile(dir, t.file)
		if found, ok := errors.AsType[fault.Problems](err); ok {
			problems = append(problems, found...)
			continue
		}
		imports, found := imported(dir, t.file.Text, text)
		problems = append(problems, found...)
		templates = append(templates, descriptor.Template{Kind: t.kind, File: t.file.Text, Text: text, Imports: imports})
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return templates, nil
}

// imported reads what a template imports, and what that imports. Nothing outside of the project's directory is read, also
// not by way of a link.
func imported(dir, file string, text []byte) (descriptor.Files, fault.Problems) {
	if descriptor.FormatOf(file) != descriptor.Jsonnet {
		return nil, nil
	}
	files, problems := descriptor.Files{}, fault.Problems{}
	root, err := os.OpenRoot(dir)
	if err != nil {
		problems.Add(fault.Position{File: file}, "", "cannot read the project's directory: %s", err)
		return nil, problems
	}
	defer root.Close()
	todo, flaws := descriptor.Imports(file, text)
	problems = append(problems, flaws...)
	for ; len(todo) > 0; todo = todo[1:] {
		next := todo[0]
		if _, seen := files[next.Path]; seen {
			continue
		}
		content, err := root.ReadFile(filepath.FromSlash(next.Path))
		if err != nil {
			problems.Add(next.Position, "", "cannot read %q: %s", next.Path, reason(err))
			continue
		}
		files[next.Path] = content
		if next.Code {
			more, flaws := descriptor.Imports(next.Path, content)
			todo, problems = append(todo, more...), append(problems, flaws...)
		}
	}
	return files, problems
}

// readFile reads a file that slipway.yaml names. The error is a problem at the place where it is named.
func readFile(dir string, file config.Text) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file.Text)))
	if err == nil {
		return content, nil
	}
	problems := fault.Problems{}
	problems.Add(file.Position, "", "cannot read %q: %s", file.Text, reason(err))
	return nil, problems.Err()
}

// reason returns why a file cannot be read, without its path.
func reason(err error) string {
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		return strings.ToLower(cause.Err.Error())
	}
	return err.Error()
}
