// Package dir keeps published versions in a directory, each file under its own name, for people and other tools to read.
package dir

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/fault"
)

// unfinished begins the names of files that are being written. Nothing else is in the directory but what was published:
// the sums are in the manifests, so that the directory may be copied with any tool.
const unfinished = ".slipway-"

// abandoned is how old an unfinished file has to be before it is taken for the remains of a process that was killed.
const abandoned = 24 * time.Hour

// Store is a directory of published versions. Several processes may use it at once. It may be missing: then nothing is
// published, and the first Put makes it.
type Store struct {
	path string
}

var _ artifact.Store = (*Store)(nil)

// New returns the store in the directory.
func New(directory string) *Store { return &Store{path: filepath.Clean(directory)} }

// Opener opens dir:path, the path relative to the base directory, which is the project's.
func Opener(base string) artifact.Opener {
	return func(_ context.Context, location string) (artifact.Store, error) {
		if location == "" {
			return nil, fault.New(fault.Invalid, "the artifact store dir: names no directory").WithHint("for example dir:artifacts")
		}
		if !filepath.IsAbs(location) {
			location = filepath.Join(base, filepath.FromSlash(location))
		}
		return New(location), nil
	}
}

// Put stores the content: written and synced under another name first, then linked, which never replaces a file.
func (s *Store) Put(ctx context.Context, name artifact.Name, content io.Reader) error {
	if err := name.Check(); err != nil {
		return err
	}
	root, err := s.create()
	if err != nil {
		return err
	}
	defer root.Close()
	temp, sum, err := write(ctx, root, content)
	if err != nil {
		return cannot("write", name, err)
	}
	defer root.Remove(temp) //nolint:errcheck // the file is under its own name by now, or abandoned
	return s.place(root, temp, sum, name)
}

// create opens the directory and what is in it, and makes it first where it is missing.
func (s *Store) create() (*os.Root, error) {
	if err := os.MkdirAll(s.path, 0o755); err != nil {
		return nil, fault.New(kindOf(err), "cannot make the artifact directory %q: %w", s.path, err)
	}
	root, err := os.OpenRoot(s.path)
	if err != nil {
		return nil, fault.New(kindOf(err), "cannot open the artifact directory %q: %w", s.path, err)
	}
	sweep(root)
	return root, nil
}

// sweep removes what killed processes left. That it cannot is no reason not to publish.
func sweep(root *os.Root) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = root.Remove(e.Name())
		}
	}
}

// write writes the content to a file of its own and returns its path and the content's sum.
func write(ctx context.Context, root *os.Root, content io.Reader) (temp, sum string, err error) {
	temp = unfinished + rand.Text()
	f, err := root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return "", "", err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), &cancellable{ctx, content})
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", "", errors.Join(err, root.Remove(temp))
	}
	return temp, hex.EncodeToString(h.Sum(nil)), nil
}

// place gives the written file its name, unless the name is taken.
func (s *Store) place(root *os.Root, temp, sum string, name artifact.Name) error {
	final := name.Path()
	if err := root.MkdirAll(path.Dir(final), 0o755); err != nil {
		return cannot("write", name, err)
	}
	switch err := root.Link(temp, final); {
	case errors.Is(err, fs.ErrExist):
		return compare(root, sum, name)
	case err != nil:
		return cannot("write", name, err)
	}
	return cannot("sync", name, syncDirectory(root, path.Dir(final)))
}

// compare decides what it means that the name is taken.
func compare(root *os.Root, sum string, name artifact.Name) error {
	f, err := root.Open(name.Path())
	if err != nil {
		return cannot("compare", name, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return cannot("compare", name, err)
	}
	there := hex.EncodeToString(h.Sum(nil))
	if there == sum {
		return nil
	}
	if published, ok, err := publishedSum(root, name); err == nil && ok && published == sum {
		return artifact.Corrupt(name, sum, there)
	}
	return artifact.Conflict(name)
}

// publishedSum returns the sum that the version's manifest states for a file, and whether it states one: a version that
// is being published has no manifest yet.
func publishedSum(root *os.Root, name artifact.Name) (sum string, ok bool, err error) {
	if name.File == artifact.ManifestFile {
		return "", false, nil // a manifest carries its own sum: artifact.DecodeManifest checks it
	}
	manifest := artifact.ManifestName(name.Project, name.Version)
	content, err := root.ReadFile(manifest.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, cannot("read", manifest, err)
	}
	m, err := artifact.DecodeManifest(content)
	if err != nil {
		return "", false, err
	}
	sum, ok = m.FileSum(name)
	return sum, ok, nil
}

// syncDirectory makes a new name survive a power failure.
func syncDirectory(root *os.Root, directory string) error {
	d, err := root.Open(directory)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get returns the file's content, checked against the sum in the version's manifest. Before a version has its manifest
// there is nothing to check against.
func (s *Store) Get(ctx context.Context, name artifact.Name) (io.ReadCloser, error) {
	if err := errors.Join(ctx.Err(), name.Check()); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, artifact.NotFound(name).WithHint("there is no directory %q", s.path)
	}
	if err != nil {
		return nil, fault.New(kindOf(err), "cannot open the artifact directory %q: %w", s.path, err)
	}
	defer root.Close()
	f, err := root.Open(name.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, artifact.NotFound(name).WithHint("looked in %q", s.path)
	}
	if err != nil {
		return nil, cannot("read", name, err)
	}
	sum, ok, err := publishedSum(root, name)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if !ok {
		return f, nil
	}
	return artifact.Verify(f, name, sum), nil
}

// List returns the published files in the directory and in its environments' directories.
func (s *Store) List(ctx context.Context, prefix string) ([]artifact.Name, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(kindOf(err), "cannot open the artifact directory %q: %w", s.path, err)
	}
	defer root.Close()
	var names []artifact.Name
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (strings.HasPrefix(p, ".") || strings.Contains(p, "/")):
			return fs.SkipDir
		case !d.Type().IsRegular() || !strings.HasPrefix(p, prefix):
			return nil
		}
		if n, ok := artifact.ParseName(p); ok {
			names = append(names, n)
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fault.New(kindOf(err), "cannot list the artifact directory %q: %w", s.path, err)
	}
	slices.SortFunc(names, func(a, b artifact.Name) int { return strings.Compare(a.Path(), b.Path()) })
	return names, nil
}

// cannot says what could not be done with a file; nil stays nil.
func cannot(do string, name artifact.Name, err error) error {
	if err == nil {
		return nil
	}
	return fault.New(kindOf(err), "cannot %s %s: %w", do, name, err)
}

func kindOf(err error) fault.Kind {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fault.Denied
	case errors.Is(err, context.Canceled):
		return fault.Interrupted
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Timeout
	}
	return fault.KindOf(err)
}

// cancellable is a reader that ends with the context.
type cancellable struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call of Put
	io.Reader
}

// Read reads, unless the context has ended.
func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.Reader.Read(p)
}
