//go:build linux

package process

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// The files of a container's directory.
const (
	planFile    = "plan.json"   // what it is to be; written once
	statusFile  = "status.json" // what has become of it; written by whoever holds the lock
	lockFile    = "lock"        // held by the supervisor as long as it lives
	controlFile = "control"     // the supervisor's socket
	logFile     = "log"         // the program's output, the newest
	olderFile   = "log.1"       // and what was before
	shimFile    = "supervisor"  // what the supervisor itself has to say
	rootDir     = "root"        // the program's root directory
	upperDir    = "upper"       // what the program wrote there
	workDir     = "work"        // the kernel's, for overlays
)

// plan is what a container is to be.
type plan struct {
	ID    string // 64 hex digits
	Spec  runtime.Spec
	Image v1.Config
	Lower string // the unpacked image

	Mounts []runtime.Mount `json:",omitempty"` // those of other containers included, with their places on the host
}

func (p plan) labels() map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, p.Spec.Definition.DockerLabels)
	maps.Copy(labels, p.Spec.Labels)
	return labels
}

// container is a container's directory, and what this process knows of it.
type container struct {
	name runtime.Name
	dir  string

	mu   sync.Mutex // held while it is created, started or removed
	gone bool       // removed; whoever waited for mu must look again
	plan plan       // valid when the directory exists; set under the runtime's lock
}

func (r *Runtime) entry(name runtime.Name) *container {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[name]
	if c == nil {
		c = &container{name: name, dir: r.path("containers", string(name))}
		_ = readJSON(c.file(planFile), &c.plan) // there may be none yet
		r.containers[name] = c
	}
	return c
}

// find returns the container of that name, or a fault of the kind NotFound.
func (r *Runtime) find(name runtime.Name) (*container, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.containers[name]; c != nil && c.exists() {
		return c, nil
	}
	if name.Check() != nil {
		return nil, missing(name)
	}
	c := &container{name: name, dir: r.path("containers", string(name))}
	if err := readJSON(c.file(planFile), &c.plan); err != nil {
		return nil, missing(name)
	}
	r.containers[name] = c
	return c, nil
}

func missing(name runtime.Name) error {
	return fault.New(fault.NotFound, "there is no container %q", name)
}

func (c *container) file(name string) string { return filepath.Join(c.dir, name) }

func (c *container) exists() bool {
	_, err := os.Lstat(c.file(planFile))
	return err == nil
}

// status reads what has become of the container. A supervisor that is gone without a word was killed.
func (c *container) status() (runtime.Status, error) {
	var s runtime.Status
	if err := readJSON(c.file(statusFile), &s); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return s, missing(c.name)
		}
		return s, fault.New(fault.Internal, "cannot read the status of container %q: %w", c.name, err)
	}
	s.Name, s.ID, s.Labels = c.name, c.plan.ID, c.plan.labels()
	if s.Phase != runtime.Running || c.supervised() {
		return s, nil
	}
	if err := readJSON(c.file(statusFile), &s); err == nil && s.Phase == runtime.Running { // it has not ended just now
		s.Phase, s.ExitCode, s.Error = runtime.Exited, 137, "the container's supervisor was killed"
		s.EndedAt = s.StartedAt
		if info, err := os.Stat(c.file(logFile)); err == nil && info.ModTime().After(s.StartedAt) {
			s.EndedAt = info.ModTime()
		}
	}
	s.Name, s.ID, s.Labels = c.name, c.plan.ID, c.plan.labels()
	return s, nil
}

func (c *container) running() bool {
	s, err := c.status()
	return err == nil && s.Phase == runtime.Running
}

// Inspect tells what has become of a container.
func (r *Runtime) Inspect(_ context.Context, name runtime.Name) (runtime.Status, error) {
	c, err := r.find(name)
	if err != nil {
		return runtime.Status{}, err
	}
	return c.status()
}

// List finds containers by their labels.
func (r *Runtime) List(ctx context.Context, labels map[string]string) ([]runtime.Status, error) {
	all, err := os.ReadDir(r.path("containers"))
	if err != nil {
		return nil, fault.New(fault.Internal, "cannot list containers: %w", err)
	}
	var found []runtime.Status
	for _, entry := range all {
		s, err := r.Inspect(ctx, runtime.Name(entry.Name()))
		switch {
		case fault.KindOf(err) == fault.NotFound && err != nil:
			continue // removed meanwhile
		case err != nil:
			return nil, err
		}
		if contains(s.Labels, labels) {
			found = append(found, s)
		}
	}
	return found, nil
}

func contains(have, want map[string]string) bool {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// writer is a directory that files are written in: an os.Root, or one that the name is joined to.
type writer interface {
	WriteFile(name string, data []byte, perm fs.FileMode) error
	Rename(from, to string) error
}

// writeJSON replaces a file as a whole.
func writeJSON(dir writer, name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := dir.WriteFile(name+".new", b, 0o600); err != nil {
		return err
	}
	return dir.Rename(name+".new", name)
}
