//go:build linux

package process

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Create writes a container's directory, as a whole or not at all.
func (r *Runtime) Create(_ context.Context, spec runtime.Spec) error {
	if err := spec.Name.Check(); err != nil {
		return err
	}
	for {
		c := r.entry(spec.Name)
		c.mu.Lock()
		gone := c.gone
		var err error
		if !gone {
			err = r.create(c, spec)
		}
		c.mu.Unlock()
		if gone {
			continue
		}
		if err != nil {
			return fault.New(fault.KindOf(err), "cannot create container %q: %w", spec.Name, err)
		}
		r.hub.Tell(spec.Name)
		return nil
	}
}

func (r *Runtime) create(c *container, spec runtime.Spec) error {
	if c.exists() {
		return nil
	}
	if err := r.refuse(spec); err != nil {
		return err
	}
	var img stored
	if !spec.Idle {
		var err error
		if img, err = r.unpacked(spec.Image); err != nil {
			return err
		}
	}
	mounts, err := r.mounts(spec, img)
	if err != nil {
		return err
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	p := plan{ID: hex.EncodeToString(id), Spec: spec, Image: img.Config, Lower: img.root, Mounts: mounts}
	tmp, err := os.MkdirTemp(r.path("tmp"), "container-")
	if err != nil {
		return err
	}
	dir, err := os.OpenRoot(tmp)
	if err != nil {
		return err
	}
	defer dir.Close()
	for _, sub := range []string{rootDir, upperDir, workDir} {
		if err := dir.Mkdir(sub, 0o755); err != nil {
			return err
		}
	}
	if err := errors.Join(
		writeJSON(dir, planFile, p),
		writeJSON(dir, statusFile, runtime.Status{Phase: runtime.Created}),
		dir.WriteFile(lockFile, nil, 0o600),
	); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c.plan = p
	return os.Rename(tmp, c.dir)
}

// refuse names what a container is asked to be and processes cannot.
func (r *Runtime) refuse(spec runtime.Spec) error {
	if (spec.Idle || spec.Join != "") && !r.Shares() {
		return fault.New(fault.Refused, "the kernel does not grant processes networks of their own here, which they could share")
	}
	def := spec.Definition
	for _, asked := range []struct {
		member string
		is     bool
	}{
		{"links", len(def.Links) > 0},
		{"linuxParameters.devices", def.LinuxParameters != nil && len(def.LinuxParameters.Devices) > 0},
		{"credentialSpecs", len(def.CredentialSpecs) > 0},
		{"firelensConfiguration", def.FirelensConfiguration != nil},
		{"pidMode", spec.PID != ""},
		{"ipcMode", spec.IPC != "" && spec.IPC != types.IpcModeNone},
	} {
		if asked.is {
			return fault.New(fault.Refused, "the process runtime does not carry out %s", asked.member).
				WithHint("leave %s out of the task definition, or use another runtime", asked.member)
		}
	}
	return nil
}

// Remove kills what is left of a container and deletes its directory.
func (r *Runtime) Remove(ctx context.Context, name runtime.Name) error {
	c, err := r.find(name)
	if err != nil {
		return nil // an unknown container is no error
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return nil
	}
	if err := c.end(ctx); err != nil {
		return fault.New(fault.KindOf(err), "cannot remove container %q: %w", name, err)
	}
	r.limits.remove(ctx, c.plan.ID)
	// Renamed first, so that it is gone at once even if deleting is interrupted.
	trash := r.path("tmp", "removed-"+c.plan.ID)
	if err := os.Rename(c.dir, trash); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Internal, "cannot remove container %q: %w", name, err)
	}
	c.gone = true
	r.mu.Lock()
	delete(r.containers, name)
	r.mu.Unlock()
	r.hub.Tell(name)
	_ = os.Chmod(filepath.Join(trash, workDir, "work"), 0o700) // the kernel leaves it closed to its owner
	if err := os.RemoveAll(trash); err != nil {
		return fault.New(fault.Internal, "cannot remove the files of container %q: %w", name, err)
	}
	return nil
}

// end kills the container, if it runs, and waits until its supervisor has let go of the directory.
func (c *container) end(ctx context.Context) error {
	if c.supervised() {
		_ = c.ask(ctx, request{Op: opKill})
	}
	for began := time.Now(); c.supervised(); {
		if time.Since(began) > 10*time.Second {
			c.shoot()
		}
		select {
		case <-ctx.Done():
			return fault.New(fault.Timeout, "its supervisor does not end: %w", ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}
