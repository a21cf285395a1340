package images

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// layoutMarker is the content of the file oci-layout, by which tools recognise an OCI image layout.
const layoutMarker = `{"imageLayoutVersion":"1.0.0"}`

// repository is one OCI image layout on disk. Readers take the index as it stands; writers hold mu.
type repository struct {
	name    Name
	dir     string
	scratch string // for files that are being written

	index atomic.Pointer[index]

	mu   sync.Mutex
	gone bool // it was deleted while somebody still held it
}

// createRepository writes an empty layout into dir, which must not exist.
func createRepository(name Name, dir, scratch string, now time.Time) (*repository, error) {
	tmp, err := os.MkdirTemp(scratch, "create-*")
	if err != nil {
		return nil, err
	}
	r := &repository{name: name, dir: tmp, scratch: scratch}
	if err := r.initialise(now); err != nil {
		return nil, fmt.Errorf("%w (%w)", err, os.RemoveAll(tmp))
	}
	r.dir = dir
	return r, os.Rename(tmp, dir)
}

func (r *repository) initialise(now time.Time) error {
	if err := os.Chmod(r.dir, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(r.blobsDir(), 0o755); err != nil {
		return err
	}
	if err := writeAtomically(filepath.Join(r.dir, "oci-layout"), r.scratch, []byte(layoutMarker)); err != nil {
		return err
	}
	return r.save(newIndex(now))
}

// loadRepository reads a layout that is on disk.
func loadRepository(name Name, dir, scratch string) (*repository, error) {
	r := &repository{name: name, dir: dir, scratch: scratch}
	content, err := os.ReadFile(r.indexPath())
	if err != nil {
		return nil, err
	}
	ix, err := decodeIndex(content)
	if err != nil {
		return nil, refuse(corrupt, "cannot read %s: %w", r.indexPath(), err)
	}
	r.index.Store(ix)
	return r, nil
}

func (r *repository) indexPath() string { return filepath.Join(r.dir, "index.json") }

func (r *repository) blobsDir() string { return filepath.Join(r.dir, "blobs", "sha256") }

func (r *repository) blobPath(d Digest) string { return filepath.Join(r.blobsDir(), d.hex()) }

// save makes ix what the repository contains, on disk first. The caller holds mu, or is the only one that knows r.
func (r *repository) save(ix *index) error {
	content, err := ix.encode()
	if err != nil {
		return err
	}
	if err := writeAtomically(r.indexPath(), r.scratch, content); err != nil {
		return err
	}
	r.index.Store(ix)
	return nil
}

// lock waits for the other writers; it fails when the repository was deleted meanwhile.
func (r *repository) lock() (unlock func(), err error) {
	r.mu.Lock()
	if r.gone {
		r.mu.Unlock()
		return nil, noRepository(r.name)
	}
	return r.mu.Unlock, nil
}

// find returns the image that a reference names, or MANIFEST_UNKNOWN.
func (r *repository) find(ref Reference) (Image, error) {
	img, ok := r.index.Load().find(ref)
	if !ok {
		return Image{}, refuse(manifestUnknown, "repository %q has no image %q", r.name, ref)
	}
	return img, nil
}

// noRepository words the refusal for a repository that doesn't exist.
func noRepository(name Name) error {
	return refuse(nameUnknown, "the repository with name '%s' does not exist in the registry", name)
}
