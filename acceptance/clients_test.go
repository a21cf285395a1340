package acceptance

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/app"
)

// clientPatience bounds a client's whole life. The AWS CLI's waiters look again after 6 and 15 seconds.
const clientPatience = 4 * time.Minute

// TestOutsideClientsRunAFullLife has clients that are not ours, unmodified, go from an empty engine to a service and back,
// with waiters and paginators. What each of them checks is in its program under testdata/clients.
func TestOutsideClientsRunAFullLife(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		command func(*testing.T) []string
		says    string
	}{
		"boto3":      {func(t *testing.T) []string { return []string{python(t), "testdata/clients/life.py"} }, "boto3 "},
		"AWS CLI":    {func(t *testing.T) []string { return []string{"bash", "testdata/clients/life.sh"} }, "AWS CLI: done"},
		"JavaScript": {func(t *testing.T) []string { return []string{"node", javascript(t)} }, "AWS SDK for JavaScript: done"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := tc.command(t)
			ctx, cancel := context.WithTimeout(t.Context(), clientPatience)
			defer cancel()
			program := exec.CommandContext(ctx, command[0], append(command[1:], clientEngine(t))...)
			program.Env = append(os.Environ(), "HOME="+t.TempDir(), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any",
				"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
			out, err := program.CombinedOutput()
			if err != nil || !strings.Contains(string(out), tc.says) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// clientEngine starts an engine for one client, and returns its endpoint. It is fast, so that a waiter's first look finds
// most things done.
func clientEngine(t *testing.T) string {
	t.Helper()
	e, err := app.NewEngine(t.Context(), app.EngineOptions{Listen: "127.0.0.1:0", Dir: t.TempDir(), Runtime: app.Scripted, Speed: 500})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e.Endpoint()
}

// python returns the Python that has boto3: Debian's, which may not be the first of that name. A machine without it cannot
// tell whether the engine answers as boto3 needs it, so that is a failure and not a reason to skip.
func python(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(program, "-c", "import boto3").Run() == nil {
			return program
		}
	}
	t.Fatal("there is no Python with boto3: `apt-get install python3-boto3` brings it")
	return ""
}

// javascript returns the program for node, beside the packages that it needs: those of the lock file, installed once for
// all runs in a cache of the machine's. Nothing is installed in the repository.
func javascript(t *testing.T) string {
	t.Helper()
	const from = "testdata/clients"
	lock, err := os.ReadFile(filepath.Join(from, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "slipway-tests", fmt.Sprintf("javascript-%x", sha256.Sum256(lock))[:27])
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		install(t, from, dir)
	}
	program := filepath.Join(t.TempDir(), "life.mjs")
	if err := os.Symlink(filepath.Join(dir, "node_modules"), filepath.Join(filepath.Dir(program), "node_modules")); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(from, "life.mjs"), program)
	return program
}

// install has npm install what the lock file says, beside, and then moves it where it belongs: half of it is never there.
func install(t *testing.T, from, dir string) {
	t.Helper()
	beside := fmt.Sprintf("%s-%d", dir, os.Getpid())
	if err := os.MkdirAll(beside, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(beside)
	for _, name := range []string{"package.json", "package-lock.json"} {
		copyFile(t, filepath.Join(from, name), filepath.Join(beside, name))
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = beside
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("cannot install the AWS SDK for JavaScript (Debian's packages nodejs and npm are needed): %v\n%s", err, out)
	}
	if err := os.Rename(beside, dir); err != nil && !errors.Is(err, fs.ErrExist) { // another run was quicker
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
