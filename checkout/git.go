package checkout

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// git runs the git program in a directory.
type git struct {
	dir     string
	environ []string
}

// Settings that keep a repository's own configuration from running programs while it is only looked at.
var harmless = []string{"-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"}

// run runs git and returns what it prints.
func (g *git) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append(append([]string{"--no-pager"}, harmless...), args...)...)
	var out, talk bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = g.dir, scrub(g.environ), &out, &talk
	err := cmd.Run()
	switch {
	case err == nil:
		return out.String(), nil
	case ctx.Err() != nil:
		return "", fault.New(fault.Interrupted, "git %s was interrupted: %w", args[0], ctx.Err())
	case errors.Is(err, exec.ErrNotFound):
		return "", fault.New(fault.NotFound, "cannot run git: %w", err).WithHint("install git")
	}
	return "", &gitError{command: args[0], talk: strings.TrimSpace(talk.String()), err: err}
}

// gitError is git's own refusal.
type gitError struct {
	command string
	talk    string // what it said on stderr
	err     error
}

// Error returns git's words.
func (e *gitError) Error() string {
	if e.talk == "" {
		return "git " + e.command + ": " + e.err.Error()
	}
	first, _, _ := strings.Cut(e.talk, "\n")
	return "git " + e.command + ": " + first
}

// Unwrap returns how the program ended.
func (e *gitError) Unwrap() error { return e.err }

// scrub keeps the environment from pointing git elsewhere: hooks and other tools that call us set GIT_DIR and the like.
func scrub(environ []string) []string {
	kept := []string{"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0"}
	for _, e := range environ {
		if !strings.HasPrefix(e, "GIT_") && !strings.HasPrefix(e, "LC_") && !strings.HasPrefix(e, "LANG") {
			kept = append(kept, e)
		}
	}
	return kept
}

// status reads branch, commit and changes in one go. Outside a repository it returns an empty state.
func (g *git) status(ctx context.Context) (State, error) {
	out, err := g.run(ctx, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=none")
	if refusal, ok := errors.AsType[*gitError](err); ok {
		if strings.Contains(refusal.talk, "not a git repository") {
			return State{}, nil
		}
		return State{}, g.refused(refusal)
	}
	if err != nil {
		return State{}, err
	}
	return parseStatus(out), nil
}

func (g *git) refused(e *gitError) error {
	err := fault.New(fault.Invalid, "cannot read the repository of %q: %w", g.dir, e)
	if strings.Contains(e.talk, "dubious ownership") {
		return err.WithHint("the directory belongs to another user: git config --global --add safe.directory DIRECTORY")
	}
	return err
}

// parseStatus reads the output of git status --porcelain=v2 --branch.
func parseStatus(out string) State {
	var s State
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if commit, ok := strings.CutPrefix(line, "# branch.oid "); ok {
			if commit != "(initial)" {
				s.Commit = commit
			}
		} else if branch, ok := strings.CutPrefix(line, "# branch.head "); ok {
			if branch != "(detached)" {
				s.Branch = branch
			}
		} else if line != "" && !strings.HasPrefix(line, "#") {
			s.Dirty = true
		}
	}
	return s
}

// describe names the commit by the nearest tag that matches the pattern: TAG-COMMITS-gHASH.
func (g *git) describe(ctx context.Context, pattern string) (string, error) {
	out, err := g.run(ctx, "describe", "--tags", "--long", "--match="+pattern, "--end-of-options", "HEAD")
	if refusal, ok := errors.AsType[*gitError](err); ok {
		switch {
		case strings.Contains(refusal.talk, "not a git repository"):
			return "", fault.New(fault.Invalid, "the version comes from git tags, but %q is in no git repository", g.dir)
		case strings.Contains(refusal.talk, "No names found"), strings.Contains(refusal.talk, "No tags can describe"),
			strings.Contains(refusal.talk, "Not a valid object name"):
			return "", fault.New(fault.Invalid, "no git tag that matches %q leads to this commit", pattern).
				WithHint("tag a commit, or in CI fetch the tags and the history: git fetch --tags --unshallow")
		}
		return "", g.refused(refusal)
	}
	return strings.TrimSpace(out), err
}
