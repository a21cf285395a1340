package images

import (
	"maps"
	"os"
	"slices"
)

// Tags returns the tags of a repository, sorted.
func (s *Store) Tags(name Name) ([]Tag, error) {
	r, err := s.repository(name)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(r.index.Load().tags)), nil
}

// Images returns all images of a repository, tagged or not, oldest push first.
func (s *Store) Images(name Name) ([]Image, error) {
	r, err := s.repository(name)
	if err != nil {
		return nil, err
	}
	return r.index.Load().list(), nil
}

// Image returns the image that a tag or digest names, or an error of kind NotFound.
func (s *Store) Image(name Name, ref Reference) (Image, error) {
	r, err := s.repository(name)
	if err != nil {
		return Image{}, err
	}
	return r.find(ref)
}

// Manifest returns the image that a tag or digest names, and its manifest byte for byte as it was pushed.
func (s *Store) Manifest(name Name, ref Reference) (Image, []byte, error) {
	r, err := s.repository(name)
	if err != nil {
		return Image{}, nil, err
	}
	img, err := r.find(ref)
	if err != nil {
		return Image{}, nil, err
	}
	content, err := r.read(img)
	return img, content, err
}

// DeleteImage removes a tag, when the reference is one, or an image with all its tags. Layers stay until Sweep finds
// that no image needs them. The error is of kind Conflict for an image that an index contains.
func (s *Store) DeleteImage(name Name, ref Reference) error {
	r, err := s.repository(name)
	if err != nil {
		return err
	}
	unlock, err := r.lock()
	if err != nil {
		return err
	}
	defer unlock()
	img, err := r.find(ref)
	if err != nil {
		return err
	}
	if ref.Digest == "" {
		next := r.index.Load().clone()
		delete(next.tags, ref.Tag)
		return r.save(next)
	}
	if err := r.needed(img.Digest); err != nil {
		return err
	}
	if err := r.save(r.index.Load().without(img.Digest)); err != nil {
		return refuse(unknown, "cannot delete image %s: %w", img.Digest, err)
	}
	return os.Remove(r.blobPath(img.Digest))
}

// needed returns a refusal when a stored manifest refers to the content with this digest.
func (r *repository) needed(d Digest) error {
	for _, img := range r.index.Load().list() {
		m, err := r.parsed(img)
		if err != nil {
			return err
		}
		for _, desc := range append(m.blobs(), m.Manifests...) {
			if Digest(desc.Digest.String()) == d {
				return refuse(inUse, "%s is part of image %s in repository %q: delete that first", d, img.Digest, r.name)
			}
		}
	}
	return nil
}
