package build

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

func (o GoOptions) withDefaults() GoOptions {
	if o.Package == "" {
		o.Package = "."
	}
	if o.Platform.OS == "" {
		o.Platform.OS = "linux"
	}
	if o.Platform.Architecture == "" {
		o.Platform.Architecture = runtime.GOARCH
	}
	if o.User == "" {
		o.User = nobody
	}
	if o.WorkingDir == "" {
		o.WorkingDir = "/"
	}
	if o.Stderr == nil {
		o.Stderr = io.Discard
	}
	return o
}

// programName returns what `go build` would call the program, and refuses what is no program.
func programName(ctx context.Context, opts GoOptions) (string, error) {
	var out bytes.Buffer
	args := []string{"list", "-f", "{{.Name}} {{.ImportPath}}"}
	if err := run(ctx, opts, &out, append(args, tagsFlag(opts)...)); err != nil {
		return "", err
	}
	found := strings.Fields(out.String())
	if len(found) != 2 {
		return "", fault.New(fault.Invalid, "cannot build %s in %s: it names %d packages", opts.Package, opts.Dir, len(found)/2).
			WithHint("name one main package, like ./cmd/server")
	}
	if found[0] != "main" {
		return "", fault.New(fault.Invalid, "cannot build %s in %s: package %s is no program", opts.Package, opts.Dir, found[1]).
			WithHint("name a main package, like ./cmd/server")
	}
	return baseName(found[1]), nil
}

// baseName returns the last element of an import path, leaving out a major version, as the go command does.
func baseName(importPath string) string {
	dir, last := path.Split(importPath)
	if dir != "" && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		return path.Base(dir)
	}
	return last
}

// compile writes the program to a file. The go command works beside it, because it leaves its directory behind when it
// is interrupted.
func compile(ctx context.Context, opts GoOptions, binary string) error {
	opts.BuildEnv = append(slices.Clone(opts.BuildEnv), "GOTMPDIR="+filepath.Dir(binary))
	args := []string{
		"build", "-trimpath", "-buildvcs=false", "-buildmode=exe", "-o", binary,
		// An empty build id: the usual one would differ with the directory that is built in.
		"-ldflags", strings.TrimSpace("-s -w -buildid= " + opts.Ldflags),
	}
	return run(ctx, opts, io.Discard, append(args, tagsFlag(opts)...))
}

func tagsFlag(opts GoOptions) []string {
	if opts.Tags == "" {
		return nil
	}
	return []string{"-tags", opts.Tags}
}

// interruptGrace is how long the go command has to stop its children after it was interrupted.
const interruptGrace = 5 * time.Second

// run calls the go command on the package.
func run(ctx context.Context, opts GoOptions, stdout io.Writer, args []string) error {
	said := &firstBytes{limit: 16 << 10}
	cmd := exec.CommandContext(ctx, "go", append(args, "--", opts.Package)...)
	cmd.Dir = opts.Dir
	cmd.Env = opts.environment()
	cmd.Stdout, cmd.Stderr = stdout, io.MultiWriter(opts.Stderr, said)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // a kill would leave its compilers behind
	cmd.WaitDelay = interruptGrace
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.New(fault.Interrupted, "the build of %s was stopped: %w", opts.Package, ctx.Err())
	case errors.Is(err, exec.ErrNotFound):
		return fault.New(fault.NotFound, "cannot build %s: %w", opts.Package, err).
			WithHint("install Go from https://go.dev/dl, or put it on the PATH")
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.NotFound, "cannot build %s in %s: %w", opts.Package, opts.Dir, err)
	default:
		return fault.New(fault.Invalid, "cannot build %s in %s:\n%s", opts.Package, opts.Dir, strings.TrimSpace(said.String()))
	}
}

// environment is that of this process, with what must be so for a static program of the platform.
func (o GoOptions) environment() []string {
	env := append(os.Environ(), o.BuildEnv...)
	env = append(env, "CGO_ENABLED=0", "GOOS="+o.Platform.OS, "GOARCH="+o.Platform.Architecture)
	if level, ok := strings.CutPrefix(o.Platform.Variant, "v"); ok && o.Platform.Architecture == "arm" {
		env = append(env, "GOARM="+level)
	}
	return env
}

// firstBytes keeps the beginning of what is written: the compiler's first words are those that matter.
type firstBytes struct {
	bytes.Buffer
	limit int
}

// Write takes everything and keeps what fits.
func (f *firstBytes) Write(p []byte) (int, error) {
	f.Buffer.Write(p[:min(len(p), f.limit-f.Len())])
	return len(p), nil
}
