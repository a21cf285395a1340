// Package checkout tells what a project's working tree is: its files, branch, commit and version number.
package checkout

import (
	"context"
	"errors"
	"io/fs"
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

// Inputs returns the files that a project's versions are made of, its program left out: slipway.yaml, the templates, and
// the file of the version's number. The paths are from the project's directory, with slashes.
func Inputs(p *config.Project) []string {
	inputs := []string{config.FileName}
	for _, file := range []config.Text{
		p.Version.File, p.Descriptors.TaskDefinition, p.Descriptors.ServiceDefinition, p.Descriptors.ServiceUpdate,
	} {
		if !file.IsZero() {
			inputs = append(inputs, file.Text)
		}
	}
	return inputs
}

// Templates reads the templates of the project's descriptors. All that are missing are reported at once.
func Templates(dir string, d config.Descriptors) ([]descriptor.Template, error) {
	var templates []descriptor.Template
	var problems fault.Problems
	for _, t := range []struct {
		kind descriptor.Kind
		file config.Text
	}{
		{descriptor.TaskDefinition, d.TaskDefinition},
		{descriptor.ServiceDefinition, d.ServiceDefinition},
		{descriptor.ServiceUpdate, d.ServiceUpdate},
	} {
		if t.file.IsZero() {
			continue
		}
		text, err := readFile(dir, t.file)
		if found, ok := errors.AsType[fault.Problems](err); ok {
			problems = append(problems, found...)
			continue
		}
		templates = append(templates, descriptor.Template{Kind: t.kind, File: t.file.Text, Text: text})
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return templates, nil
}

// readFile reads a file that slipway.yaml names. The error is a problem at the place where it is named.
func readFile(dir string, file config.Text) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file.Text)))
	if err == nil {
		return content, nil
	}
	why := err.Error()
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		why = strings.ToLower(cause.Err.Error())
	}
	problems := fault.Problems{}
	problems.Add(file.Position, "", "cannot read %q: %s", file.Text, why)
	return nil, problems.Err()
}
