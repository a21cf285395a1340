package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// house is what all measurements of a run share.
type house struct {
	slipway, hello, launch, proxy string // programs, built in this run with the same flags
	table                         table
	promises                      int      // looked at
	broken                        []string // of these
}

func (h *house) build(ctx context.Context, dir string) error {
	for source, into := range map[string]*string{
		"../cmd/slipway": &h.slipway, "./testdata/hello": &h.hello, "./testdata/launch": &h.launch, "./testdata/proxy": &h.proxy,
	} {
		*into = filepath.Join(dir, filepath.Base(source))
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", *into, source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("cannot build %s: %w: %s", source, err, out)
		}
	}
	return nil
}

// runtimes are the container runtimes of this machine.
func runtimes(ctx context.Context) []string {
	if exec.CommandContext(ctx, "docker", "version").Run() == nil {
		return []string{"process", "docker"}
	}
	return []string{"process"}
}
