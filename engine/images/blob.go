package images

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// OpenBlob opens a layer or configuration for reading; the caller closes it. The error is of kind NotFound when the
// repository doesn't have it.
func (s *Store) OpenBlob(name Name, d Digest) (*os.File, error) {
	r, err := s.repository(name)
	if err != nil {
		return nil, err
	}
	if _, err := ParseDigest(string(d)); err != nil {
		return nil, err
	}
	f, err := os.Open(r.blobPath(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noBlob(name, d)
	}
	if err != nil {
		return nil, refuse(unknown, "cannot open blob %s: %w", d, err)
	}
	return f, nil
}

// HasBlob returns a layer's or configuration's size in bytes, or an error of kind NotFound. Having been asked for it,
// the store keeps it for as long as a push may need to come to its manifest.
func (s *Store) HasBlob(name Name, d Digest) (int64, error) {
	r, err := s.repository(name)
	if err != nil {
		return 0, err
	}
	if _, err := ParseDigest(string(d)); err != nil {
		return 0, err
	}
	size, ok := exists(r.blobPath(d))
	if !ok {
		return 0, noBlob(name, d)
	}
	return size, s.touch(r, d)
}

// Mount makes a blob of one repository one of another, without copying it where the file system has hard links. The
// error is of kind NotFound when the source has no such blob.
func (s *Store) Mount(from, to Name, d Digest) error {
	source, err := s.repository(from)
	if err != nil {
		return err
	}
	if _, ok := exists(source.blobPath(d)); !ok {
		return noBlob(from, d)
	}
	target, err := s.ensure(to)
	if err != nil {
		return err
	}
	unlock, err := target.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := linkOrCopy(source.blobPath(d), target.blobPath(d), target.scratch); err != nil {
		return refuse(unknown, "cannot mount blob %s: %w", d, err)
	}
	return s.touch(target, d)
}

// DeleteBlob removes a blob. The error is of kind Conflict while an image needs it.
func (s *Store) DeleteBlob(name Name, d Digest) error {
	r, err := s.repository(name)
	if err != nil {
		return err
	}
	unlock, err := r.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if _, isManifest := r.index.Load().images[d]; isManifest {
		return refuse(inUse, "%s is a manifest: delete it as one", d)
	}
	if _, ok := exists(r.blobPath(d)); !ok {
		return noBlob(name, d)
	}
	if err := r.needed(d); err != nil {
		return err
	}
	return os.Remove(r.blobPath(d))
}

// touch makes a blob young for Sweep.
func (s *Store) touch(r *repository, d Digest) error {
	now := s.options.Now()
	if err := os.Chtimes(r.blobPath(d), time.Time{}, now); err != nil {
		return refuse(unknown, "cannot keep blob %s: %w", d, err)
	}
	return nil
}

func noBlob(name Name, d Digest) error {
	return refuse(blobUnknown, "repository %q has no blob %s", name, d)
}
