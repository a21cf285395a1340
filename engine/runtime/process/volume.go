//go:build linux

package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// volumesDir is where volumes are: a directory each, below the runtime's.
const volumesDir = "volumes"

func (r *Runtime) volume(name string) (string, error) {
	if runtime.Name(name).Check() != nil {
		return "", fault.New(fault.Invalid, "cannot name a volume %q: letters, digits, \"_\", \".\" and \"-\" only", name)
	}
	return r.path(volumesDir, name), nil
}

// CreateVolume makes a directory.
func (r *Runtime) CreateVolume(_ context.Context, v runtime.Volume) error {
	dir, err := r.volume(v.Name)
	if err != nil {
		return err
	}
	if v.Driver != "" && v.Driver != "local" || len(v.Options) > 0 {
		return fault.New(fault.Refused, "the process runtime has no volumes of the driver %q with options", cmp.Or(v.Driver, "local")).
			WithHint("leave driver and driverOpts out, or use the docker runtime")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.New(fault.Internal, "cannot create volume %q: %w", v.Name, err)
	}
	return nil
}

// HasVolume looks for a directory.
func (r *Runtime) HasVolume(_ context.Context, name string) (bool, error) {
	dir, err := r.volume(name)
	if err != nil {
		return false, err
	}
	_, err = os.Lstat(dir)
	return err == nil, nil
}

// RemoveVolume deletes a directory that no container has.
func (r *Runtime) RemoveVolume(_ context.Context, name string) error {
	dir, err := r.volume(name)
	if err != nil {
		return err
	}
	all, err := os.ReadDir(r.path("containers"))
	if err != nil {
		return fault.New(fault.Internal, "cannot remove volume %q: %w", name, err)
	}
	for _, entry := range all {
		c, err := r.find(runtime.Name(entry.Name()))
		if err == nil && slices.ContainsFunc(c.plan.Mounts, func(m runtime.Mount) bool { return m.Volume == name }) {
			return fault.New(fault.Conflict, "cannot remove volume %q: container %q has it", name, c.name)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fault.New(fault.Internal, "cannot remove volume %q: %w", name, err)
	}
	return nil
}

// mounts are what a container sees of other directories, with their places on the host: those of other containers first,
// since its own win.
func (r *Runtime) mounts(spec runtime.Spec, img stored) ([]runtime.Mount, error) {
	var list []runtime.Mount
	for _, from := range spec.VolumesFrom {
		other, err := r.find(from.Name)
		if err != nil {
			return nil, err
		}
		for _, m := range other.plan.Mounts {
			m.ReadOnly = m.ReadOnly || from.ReadOnly
			list = append(list, m)
		}
	}
	for _, m := range spec.Mounts {
		m, err := r.placed(m, img)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(old runtime.Mount) bool { return filepath.Clean(old.Path) == filepath.Clean(m.Path) })
		list = append(list, m)
	}
	if len(list) > 0 && r.grant.Level == Bare {
		return nil, fault.New(fault.Refused, "the process runtime does not carry out mountPoints and volumesFrom without namespaces").
			WithHint("run the engine as root or where the kernel grants user namespaces, or use the docker runtime")
	}
	return list, nil
}

// placed finds a mount's place on the host. An empty volume gets what the image has at the path, as with Docker.
func (r *Runtime) placed(m runtime.Mount, img stored) (runtime.Mount, error) {
	if m.Volume == "" {
		if _, err := os.Stat(m.Source); errors.Is(err, fs.ErrNotExist) {
			if err := os.MkdirAll(m.Source, 0o755); err != nil {
				return m, fault.New(fault.Invalid, "cannot make the directory of a volume: %w", err)
			}
		}
		return m, nil
	}
	dir, err := r.volume(m.Volume)
	if err != nil {
		return m, err
	}
	m.Source = dir
	entries, err := os.ReadDir(dir)
	if err != nil {
		return m, fault.New(fault.NotFound, "there is no volume %q", m.Volume)
	}
	if len(entries) > 0 {
		return m, nil
	}
	root, err := os.OpenRoot(img.root)
	if err != nil {
		return m, err
	}
	defer root.Close()
	inside, err := (&unpacker{root: root}).follow(strings.TrimPrefix(m.Path, "/"), false)
	if err != nil {
		return m, nil // the image has nothing there
	}
	if info, err := root.Stat(inside); err != nil || !info.IsDir() {
		return m, nil
	}
	return m, copyTree(filepath.Join(img.root, inside), dir)
}

// mountVolumes mounts what the container sees of other directories. The image's own links lead where they do for a program
// that has the image as its root.
func mountVolumes(order launch, root *os.Root) error {
	mounts := slices.SortedStableFunc(slices.Values(order.Plan.Mounts), func(a, b runtime.Mount) int {
		return cmp.Compare(strings.Count(filepath.Clean(a.Path), "/"), strings.Count(filepath.Clean(b.Path), "/"))
	})
	for _, m := range mounts {
		if err := mountVolume(m, root); err != nil {
			return fault.New(fault.Invalid, "cannot mount %s at %s: %w", m.Source, m.Path, err)
		}
	}
	return nil
}

func mountVolume(m runtime.Mount, root *os.Root) error {
	info, err := os.Stat(m.Source)
	if err != nil {
		return err
	}
	find, u := filepath.Clean(m.Path), &unpacker{root: root}
	if !info.IsDir() {
		find = filepath.Dir(find)
	}
	name, err := u.follow(strings.TrimPrefix(find, "/"), true)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		name = filepath.Join(name, filepath.Base(m.Path))
		f, err := root.OpenFile(name, os.O_CREATE|os.O_RDONLY, 0o644)
		if err != nil {
			return err
		}
		_ = f.Close()
	}
	if err := into(root, name, func(p string) error { return unix.Mount(m.Source, p, "", unix.MS_BIND|unix.MS_REC, "") }); err != nil {
		return err
	}
	if !m.ReadOnly {
		return nil
	}
	if err := into(root, name, readonly); err != nil {
		return fmt.Errorf("cannot make it read-only: %w", err)
	}
	return nil
}
