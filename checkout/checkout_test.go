package checkout

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// environ is an environment in which git asks nobody who commits.
func environ(more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "XDG_CONFIG_HOME=/nonexistent",
		"EMAIL=developer@example.com",
	}, more...)
}

// repository makes a repository with one commit on master.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, "init", "--quiet", "--initial-branch=master")
	write(t, dir, "VERSION", "1.0.15\n")
	commit(t, dir, "first")
	return dir
}

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=dev", "-c", "user.email=dev@example.com"}, args...)...)
	cmd.Dir, cmd.Env = dir, environ("GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, dir, message string) string {
	t.Helper()
	run(t, dir, "add", "--all")
	run(t, dir, "commit", "--quiet", "--allow-empty", "--message", message)
	return run(t, dir, "rev-parse", "HEAD")
}

func read(t *testing.T, dir string, variables ...string) State {
	t.Helper()
	s, err := Read(t.Context(), dir, []string{"slipway.yaml", "deploy/task definition.json", "*"}, environ(variables...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReadTellsBranchCommitAndChanges(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	head := run(t, dir, "rev-parse", "HEAD")
	if diff := cmp.Diff(State{Branch: "master", BranchOrigin: "git", Commit: head}, read(t, dir)); diff != "" {
		t.Error(diff)
	}
	write(t, dir, "untracked", "x")
	if s := read(t, dir); s.Dirty() {
		t.Errorf("a file that git does not track makes no difference to the commit: %q", s.Changes)
	}
	write(t, dir, "VERSION", "1.0.16\n")
	if s := read(t, dir); !s.Dirty() {
		t.Error("a changed file was not noticed")
	}
}

func TestChangesAreNamedFromTheRepositorysRoot(t *testing.T) {
	t.Parallel()
	top := repository(t)
	dir := filepath.Join(top, "web")
	for _, name := range []string{"web/a b", "web/gone", "web/old", "größer"} {
		write(t, top, name, name)
	}
	commit(t, top, "Four files")
	write(t, top, "web/a b", "changed")
	write(t, top, "größer", "changed")
	write(t, top, "untracked", "x")
	run(t, top, "rm", "--quiet", "web/gone")
	run(t, top, "mv", "web/old", "web/new name")
	want := []string{"größer", "web/a b", "web/gone", "web/new name"}
	if diff := cmp.Diff(want, read(t, dir).Changes); diff != "" {
		t.Error(diff)
	}
}

func TestAnInputThatGitDoesNotTrackIsAChange(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	write(t, dir, ".gitignore", "slipway.yaml\n")
	commit(t, dir, "Ignore a file")
	write(t, dir, "slipway.yaml", "project: web")
	write(t, dir, "deploy/task definition.json", "{}")
	write(t, dir, "deploy/another.json", "{}")
	want := []string{"deploy/task definition.json", "slipway.yaml"}
	if diff := cmp.Diff(want, read(t, dir).Changes); diff != "" {
		t.Error(diff)
	}
	for name, input := range map[string]string{"outside": "../template.json", "missing": "nowhere.json"} {
		if s, err := Read(t.Context(), dir, []string{input}, environ()); err != nil || s.Dirty() {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestInputsAreWhatAVersionIsMadeOf(t *testing.T) {
	t.Parallel()
	p, err := config.Parse("slipway.yaml", []byte("project: web\nversion: {file: VERSION}\nimage: {repository: r/web}\n"+
		"descriptors: {taskDefinition: deploy/task.json, serviceUpdate: deploy/update.json}\n"+
		"values: {a: {file: motd}, b: {env: X}, c: {file: \"${x}\"}}\n"+
		"environments: {qa: {values: {d: {terraform: t.tfstate, output: o}, e: {terraform: s3://b/k, output: o}}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"slipway.yaml", "VERSION", "deploy/task.json", "deploy/update.json", "motd", "t.tfstate"}, Inputs(t.TempDir(), p)); diff != "" {
		t.Error(diff)
	}
}

func TestAJsonnetTemplatesImportsAreReadAndAreInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "deploy/task.jsonnet", "(import '../lib/a.libsonnet') + { text: importstr 'note.txt' }")
	write(t, dir, "lib/a.libsonnet", "import 'b.libsonnet'")
	write(t, dir, "lib/b.libsonnet", "local a = import 'a.libsonnet'; {}")
	write(t, dir, "deploy/note.txt", "import 'nothing'")
	d := config.Descriptors{TaskDefinition: config.Text{Text: "deploy/task.jsonnet"}}
	templates, err := Templates(dir, d)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(templates[0].Imports), 3; got != want {
		t.Errorf("%d imports, want %d", got, want)
	}
	want := []string{"slipway.yaml", "deploy/task.jsonnet", "deploy/note.txt", "lib/a.libsonnet", "lib/b.libsonnet"}
	if diff := cmp.Diff(want, Inputs(dir, &config.Project{Descriptors: d})); diff != "" {
		t.Error(diff)
	}
}

func TestImportsCannotLeaveTheProject(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir := filepath.Join(top, "project")
	write(t, top, "secret.json", "{}")
	write(t, dir, "task.jsonnet", "[import '../secret.json', import 'link.json', import 'gone.json', import 'lib/x.libsonnet']")
	write(t, dir, "lib/x.libsonnet", "\n  import '../../secret.json'")
	if err := os.Symlink("../secret.json", filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	_, err := Templates(dir, config.Descriptors{TaskDefinition: config.Text{Text: "task.jsonnet"}})
	want := `lib/x.libsonnet:2:3: "../../secret.json" is outside of the project (import by a path from this file, inside the project)
task.jsonnet:1:2: "../secret.json" is outside of the project (import by a path from this file, inside the project)
task.jsonnet:1:27: cannot read "link.json": path escapes from parent
task.jsonnet:1:47: cannot read "gone.json": no such file or directory`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Error(diff)
	}
}

func TestOfADetachedHeadTheCISystemTellsTheBranch(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	if s := read(t, dir, "BRANCH_NAME=development"); s.Branch != "master" {
		t.Errorf("a branch that is checked out counts, got %q", s.Branch)
	}
	run(t, dir, "checkout", "--quiet", "--detach")
	for variable, want := range map[string]string{
		"bamboo_planRepository_branchName=development":          "development",
		"GITHUB_REF_NAME=release/1.2":                           "release/1.2",
		"BRANCH_NAME=PR-12":                                     "PR-12",
		"CI_COMMIT_REF_NAME=master":                             "master",
		"GIT_BRANCH=origin/master":                              "master",
		"CODEBUILD_WEBHOOK_HEAD_REF=refs/heads/master":          "master",
		"CODEBUILD_WEBHOOK_HEAD_REF=refs/tags/v1":               "",
		"OTHER=master":                                          "",
		"GITHUB_REF_NAME=v1.0.0\nGITHUB_REF_TYPE=tag":           "",
		"GITHUB_REF_NAME=v1.0.0\nGITHUB_REF_TYPE=branch":        "v1.0.0",
		"CI_COMMIT_REF_NAME=v1.0.0\nCI_COMMIT_TAG=v1.0.0":       "",
		"bamboo_planRepository_branchName=a\nGITHUB_REF_NAME=b": "a",
	} {
		if s := read(t, dir, strings.Split(variable, "\n")...); s.Branch != want {
			t.Errorf("%s: branch %q, want %q", variable, s.Branch, want)
		}
	}
}

func TestADirectoryOutsideAnyRepositoryHasNoCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if diff := cmp.Diff(State{}, read(t, dir)); diff != "" {
		t.Error(diff)
	}
	if s := read(t, dir, "BRANCH_NAME=master"); s.Branch != "master" || s.BranchOrigin != "BRANCH_NAME (Jenkins)" {
		t.Errorf("got %+v", s)
	}
}

func TestARepositoryWithoutCommitsHasABranch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run(t, dir, "init", "--quiet", "--initial-branch=development")
	if s := read(t, dir); s.Branch != "development" || s.Commit != "" {
		t.Errorf("got %+v", s)
	}
}

func TestTheEnvironmentCannotPointGitElsewhere(t *testing.T) {
	t.Parallel()
	here, there := repository(t), repository(t)
	run(t, there, "checkout", "--quiet", "-b", "elsewhere")
	if s := read(t, here, "GIT_DIR="+filepath.Join(there, ".git")); s.Branch != "master" {
		t.Errorf("branch %q of another repository", s.Branch)
	}
}

func TestARepositoryCannotMakeUsRunItsPrograms(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	mark := filepath.Join(t.TempDir(), "ran")
	run(t, dir, "config", "core.fsmonitor", "touch "+mark+"; false")
	read(t, dir)
	if _, err := os.Stat(mark); err == nil {
		t.Error("core.fsmonitor ran")
	}
}

func TestNumberComesFromWhereTheProjectSays(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	run(t, dir, "tag", "v1.2.3")
	for what, c := range map[string]struct {
		source config.VersionSource
		want   string
	}{
		"file": {config.VersionSource{File: config.Text{Text: "VERSION"}}, "1.0.15"},
		"tag":  {config.VersionSource{GitTag: config.Text{Text: "v*"}}, "1.2.3"},
	} {
		n, err := Number(t.Context(), dir, c.source, environ())
		if err != nil || n.String() != c.want {
			t.Errorf("%s: %s, %v; want %s", what, n, err, c.want)
		}
	}
	commit(t, dir, "second")
	n, err := Number(t.Context(), dir, config.VersionSource{GitTag: config.Text{Text: "v*"}}, environ())
	if err != nil || n.String() != "1.2.4" {
		t.Errorf("one commit later: %s, %v; want 1.2.4", n, err)
	}
}

func TestNumberSaysWhyThereIsNone(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	write(t, dir, "BAD", "one")
	for what, c := range map[string]struct {
		dir    string
		source config.VersionSource
		want   string
	}{
		"no tag":       {dir, config.VersionSource{GitTag: config.Text{Text: "v*"}}, `no git tag that matches "v*" leads to this commit`},
		"option":       {dir, config.VersionSource{GitTag: config.Text{Text: "x --all"}}, `no git tag that matches "x --all" leads`},
		"outside":      {t.TempDir(), config.VersionSource{GitTag: config.Text{Text: "v*"}}, "is in no git repository"},
		"missing file": {dir, config.VersionSource{File: config.Text{Text: "NONE", Position: fault.Position{File: "slipway.yaml", Line: 2, Column: 17}}}, `slipway.yaml:2:17: cannot read "NONE": no such file or directory`},
		"bad file":     {dir, config.VersionSource{File: config.Text{Text: "BAD"}}, `BAD:1:1: "one" is not a version number`},
	} {
		_, err := Number(t.Context(), c.dir, c.source, environ())
		if err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

func TestProjectAndTemplatesAreReadFromTheDirectory(t *testing.T) {
	t.Parallel()
	p, err := Project("../examples/hid-generator")
	if err != nil {
		t.Fatal(err)
	}
	templates, err := Templates("../examples/hid-generator", p.Descriptors)
	if err != nil || len(templates) != 3 {
		t.Fatalf("%d templates, %v", len(templates), err)
	}
	if _, err := Project(t.TempDir()); fault.KindOf(err) != fault.Invalid {
		t.Errorf("empty directory: %v", err)
	}
	_, err = Templates(t.TempDir(), p.Descriptors)
	var problems fault.Problems
	if !errors.As(err, &problems) || len(problems) != 3 || problems[0].Position.Line == 0 {
		t.Errorf("want three problems with positions, got %v", err)
	}
}
