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
	kept := []string{"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_LITERAL_PATHSPECS=1"}
	for _, e := range environ {
		if !strings.HasPrefix(e, "GIT_") && !strings.HasPrefix(e, "LC_") && !strings.HasPrefix(e, "LANG") {
			kept = append(kept, e)
		}
	}
	return kept
}

// status reads branch, commit and changes in one go. Outside a repository it returns an empty state.
func (g *git) status(ctx context.Context) (State, error) {
	out, err := g.run(ctx, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no", "--ignore-submodules=none")
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

// Fields that stand before the path in an entry of git status --porcelain=v2, by the entry's first letter: changed,
// renamed or copied, unmerged. [git-status(1), Changed Tracked Entries]
var fieldsBeforePath = map[byte]int{'1': 8, '2': 9, 'u': 10}

// parseStatus reads the output of git status --porcelain=v2 --branch -z.
func parseStatus(out string) State {
	var s State
	entries := strings.Split(out, "\x00")
	for i := 0; i < len(entries); i++ {
		entry := entries[i]
		if commit, ok := strings.CutPrefix(entry, "# branch.oid "); ok {
			if commit != "(initial)" {
				s.Commit = commit
			}
		} else if branch, ok := strings.CutPrefix(entry, "# branch.head "); ok {
			if branch != "(detached)" {
				s.Branch = branch
			}
		} else if entry != "" && entry[0] != '#' {
			s.Changes = append(s.Changes, entryPath(entry))
			if entry[0] == '2' {
				i++ // the path before the renaming follows as an entry of its own
			}
		}
	}
	return s
}

// entryPath returns the path at the end of an entry. What a newer git may add is told as it stands.
func entryPath(entry string) string {
	fields := strings.SplitN(entry, " ", fieldsBeforePath[entry[0]]+1)
	return fields[len(fields)-1]
}

// untracked returns those of the files (paths from the directory) that are there and git doesn't track, ignored ones
// included. The paths are from the repository's root. Of files that git refuses to speak about, because they lie outside
// the repository or in another one, nothing is said.
func (g *git) untracked(ctx context.Context, files []string) ([]string, error) {
	if len(files) == 0 {
		return nil, nil
	}
	out, err := g.run(ctx, append([]string{"ls-files", "--others", "--full-name", "-z", "--"}, files...)...)
	if _, refused := errors.AsType[*gitError](err); refused {
		return nil, nil
	}
	return strings.FieldsFunc(out, func(r rune) bool { return r == 0 }), err
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
