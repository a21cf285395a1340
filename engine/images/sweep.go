package images

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// Sweep removes what no image needs and nobody has touched for the given time: uploads that were broken off, and
// layers of deleted images. Too short a time takes layers from a push that is
// under way: use UnfinishedFor. A repository that can't be read doesn't keep the others from being swept.
func (s *Store) Sweep(ctx context.Context, untouched time.Duration) error {
	before := s.options.Now().Add(-untouched)
	if err := s.sweepUploads(before); err != nil {
		return fault.New(fault.Internal, "cannot remove unfinished uploads: %w", err)
	}
	var failed []error
	for _, repo := range s.Repositories() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.sweepBlobs(repo.Name, before); err != nil && fault.KindOf(err) != fault.NotFound {
			failed = append(failed, fault.New(fault.KindOf(err), "cannot sweep repository %q: %w", repo.Name, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Store) sweepUploads(before time.Time) error {
	return filepath.WalkDir(s.uploadsDir(), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() || !olderThan(entry, before) {
			return err
		}
		s.uploads.remove(UploadID(entry.Name()))
		return ignoreMissing(os.Remove(path))
	})
}

func (s *Store) sweepBlobs(name Name, before time.Time) error {
	r, err := s.repository(name)
	if err != nil {
		return err
	}
	unlock, err := r.lock()
	if err != nil {
		return err
	}
	defer unlock()
	entries, err := os.ReadDir(r.blobsDir())
	if err != nil {
		return err
	}
	needed, err := r.contents()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if needed[entry.Name()] || !olderThan(entry, before) {
			continue
		}
		if err := ignoreMissing(os.Remove(filepath.Join(r.blobsDir(), entry.Name()))); err != nil {
			return err
		}
	}
	return nil
}

// contents returns the file names of all blobs that the repository's images consist of.
func (r *repository) contents() (map[string]bool, error) {
	needed := map[string]bool{}
	for d, img := range r.index.Load().images {
		m, err := r.parsed(img)
		if err != nil {
			return nil, err
		}
		needed[d.hex()] = true
		for _, desc := range m.blobs() {
			needed[desc.Digest.Hex] = true
		}
	}
	return needed, nil
}

// olderThan is false for a file that has gone meanwhile.
func olderThan(entry fs.DirEntry, before time.Time) bool {
	info, err := entry.Info()
	return err == nil && info.ModTime().Before(before)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
