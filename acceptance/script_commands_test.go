package acceptance

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-cd/slipway/examples"
)

// exits CODE COMMAND [ARGUMENT...]
//
// runs a command that must end with exactly this exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got, err := 0, ts.Exec(args[1], args[2:]...)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, expected %d", got, want)
	}
}

// project NAME [DIR]
//
// lays down examples/NAME, or testdata/project/NAME, as a git repository on branch master, and goes there.
func project(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: project NAME [DIR]")
	}
	from, err := fs.Sub(examples.HIDGenerator, args[0])
	ts.Check(err)
	if _, err := fs.Stat(from, "."); err != nil {
		from = os.DirFS(filepath.Join("testdata", "project", args[0]))
	}
	dir := ts.MkAbs(args[len(args)-1])
	ts.Check(os.CopyFS(dir, from))
	ts.Check(ts.Chdir(dir))
	for _, git := range [][]string{
		{"init", "--quiet", "--initial-branch=master"}, {"add", "--all"}, {"commit", "--quiet", "--message=Begin"},
	} {
		ts.Check(ts.Exec("git", git...))
	}
}

// write FILE TEXT
//
// makes a file of one line.
func writeLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: write FILE TEXT")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+"\n"), 0o644))
}

// replace FILE OLD NEW
//
// changes the one place in a file that reads OLD.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if n := strings.Count(text, args[1]); n != 1 {
		ts.Fatalf("%s has %q %d times, expected once", args[0], args[1], n)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

// capture NAME [PATTERN]
//
// keeps what the last command wrote to standard output, or the first group of a pattern in it, as a variable.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: capture NAME [PATTERN]")
	}
	text := strings.TrimSpace(ts.ReadFile("stdout"))
	if len(args) == 2 {
		pattern, err := regexp.Compile("(?m)" + args[1])
		ts.Check(err)
		found := pattern.FindStringSubmatch(text)
		if len(found) < 2 {
			ts.Fatalf("no group of %s in %q", pattern, text)
		}
		text = found[1]
	}
	ts.Setenv(args[0], text)
}

// answer URL TEXT
//
// asks a service, which must answer 200 with a body that contains the text.
func answer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answer URL TEXT")
	}
	resp, err := http.Get(args[0])
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), args[1]) {
		ts.Fatalf("%s answered %s: %s", args[0], resp.Status, body)
	}
}
