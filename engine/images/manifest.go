package images

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// LargestManifest is the size in bytes up to which a manifest is accepted: the 4 MiB that the OCI Distribution
// Specification 1.1 asks of every registry ("Pushing Manifests").
const LargestManifest = 4 << 20

// manifest is what the registry needs to know of a manifest; the bytes themselves are stored as they came.
type manifest struct {
	SchemaVersion int64           `json:"schemaVersion"`
	MediaType     types.MediaType `json:"mediaType"`
	ArtifactType  string          `json:"artifactType"`
	Config        *v1.Descriptor  `json:"config"`
	Layers        []v1.Descriptor `json:"layers"`
	Manifests     []v1.Descriptor `json:"manifests"`
	Subject       *v1.Descriptor  `json:"subject"`

	Annotations map[string]string `json:"annotations"`
}

// parseManifest reads a manifest that was sent, or is stored, with a media type; an empty one is taken from the content.
func parseManifest(mediaType string, content []byte) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return m, refuse(manifestInvalid, "the manifest is no JSON document of its kind: %w", err)
	}
	sent, _, err := mime.ParseMediaType(mediaType)
	if err != nil && mediaType != "" {
		return m, refuse(manifestInvalid, "%q is no media type", mediaType)
	}
	switch {
	case m.MediaType == "":
		m.MediaType = types.MediaType(sent)
	case sent != "" && types.MediaType(sent) != m.MediaType:
		return m, refuse(manifestInvalid, "the manifest says that it is %q, but was sent as %q", m.MediaType, sent)
	}
	return m, m.check()
}

// check refuses what the registry can't serve as what it claims to be.
func (m manifest) check() error {
	switch {
	case m.MediaType.IsSchema1():
		return refuse(manifestInvalid, "Docker's image manifest version 1 is not supported: push with a newer client")
	case !m.MediaType.IsImage() && !m.MediaType.IsIndex():
		return refuse(manifestInvalid, "%q is no media type of a manifest", m.MediaType)
	case m.SchemaVersion != 2:
		return refuse(manifestInvalid, "the manifest has schemaVersion %d, expected 2", m.SchemaVersion)
	case m.MediaType.IsImage() && m.Config == nil:
		return refuse(manifestInvalid, "the image manifest has no config")
	case m.MediaType.IsImage() && m.Manifests != nil, m.MediaType.IsIndex() && (m.Config != nil || m.Layers != nil):
		return refuse(manifestInvalid, "the manifest is both an image and an index")
	}
	for _, d := range m.everything() {
		if _, err := ParseDigest(d.Digest.String()); err != nil || d.Size < 0 {
			return refuse(manifestInvalid, "the manifest has a descriptor with digest %q and size %d", d.Digest, d.Size)
		}
	}
	return nil
}

// everything returns all descriptors.
func (m manifest) everything() []v1.Descriptor {
	all := append(m.blobs(), m.Manifests...)
	if m.Subject != nil {
		all = append(all, *m.Subject)
	}
	return all
}

// blobs returns the descriptors of configuration and layers.
func (m manifest) blobs() []v1.Descriptor {
	var all []v1.Descriptor
	if m.Config != nil {
		all = append(all, *m.Config)
	}
	return append(all, m.Layers...)
}

// artifact returns the type by which the referrers API filters: artifactType, else the configuration's media type.
func (m manifest) artifact() string {
	if m.ArtifactType == "" && m.Config != nil {
		return string(m.Config.MediaType)
	}
	return m.ArtifactType
}

// PutManifest stores a manifest under a tag, or under its digest, and returns it with all its tags. What it refers to
// must be in the repository already. Errors: Invalid for a manifest that is none or incomplete, Conflict for a tag that
// must not move, NotFound for an unknown repository.
func (s *Store) PutManifest(name Name, ref Reference, mediaType string, content []byte) (Image, error) {
	if len(content) > LargestManifest {
		return Image{}, refuse(sizeInvalid, "the manifest has more than %d bytes", LargestManifest)
	}
	digest := digestOf(content)
	if ref.Digest != "" && ref.Digest != digest {
		return Image{}, refuse(digestInvalid, "the manifest's digest is %s, not %s", digest, ref.Digest)
	}
	m, err := parseManifest(mediaType, content)
	if err != nil {
		return Image{}, err
	}
	r, err := s.ensure(name)
	if err != nil {
		return Image{}, err
	}
	unlock, err := r.lock()
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if err := s.mayTag(r, ref.Tag, digest); err != nil {
		return Image{}, err
	}
	return s.store(r, ref.Tag, digest, m, content)
}

// mayTag asks the owner whether a tag may name another image than it does. Naming the same once more changes nothing
// and is always allowed.
func (s *Store) mayTag(r *repository, tag Tag, digest Digest) error {
	if tag == "" || s.options.Immutable == nil {
		return nil
	}
	current, taken := r.index.Load().tags[tag]
	if !taken || current == digest || !s.options.Immutable(r.name, tag) {
		return nil
	}
	// The words are those of Amazon ECR.
	return refuse(tagFixed, "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", tag, r.name)
}

// store writes a checked manifest to a locked repository.
func (s *Store) store(r *repository, tag Tag, digest Digest, m manifest, content []byte) (Image, error) {
	next := r.index.Load().clone()
	img, known := next.images[digest]
	if !known {
		size, err := r.contentSize(m)
		if err != nil {
			return Image{}, err
		}
		img = Image{
			Digest: digest, MediaType: string(m.MediaType), ArtifactType: m.ArtifactType,
			Size: int64(len(content)), ContentSize: size, PushedAt: s.options.Now(),
		}
		if m.Subject != nil {
			img.Subject = Digest(m.Subject.Digest.String())
		}
		if err := writeAtomically(r.blobPath(digest), r.scratch, content); err != nil {
			return Image{}, refuse(unknown, "cannot store manifest %s: %w", digest, err)
		}
	}
	next.images[digest] = img
	if tag != "" {
		next.tags[tag] = digest
	}
	if err := r.save(next); err != nil {
		return Image{}, refuse(unknown, "cannot store manifest %s: %w", digest, err)
	}
	return r.find(Reference{Digest: digest})
}

// contentSize returns the bytes of everything that a manifest refers to, or a refusal when a part of it isn't there.
// Layers that may not be distributed are fetched from elsewhere, so they may be missing.
func (r *repository) contentSize(m manifest) (int64, error) {
	var sum int64
	for _, d := range m.blobs() {
		size, ok := exists(r.blobPath(Digest(d.Digest.String())))
		switch {
		case !ok && (!d.MediaType.IsDistributable() || len(d.URLs) > 0):
		case !ok:
			return 0, refuse(manifestBlobUnknown, "the manifest refers to blob %s, which is not in repository %q", d.Digest, r.name)
		case size != d.Size:
			return 0, refuse(manifestInvalid, "the manifest says that blob %s has %d bytes, it has %d", d.Digest, d.Size, size)
		}
		sum += d.Size
	}
	known := r.index.Load().images
	for _, d := range m.Manifests {
		child, ok := known[Digest(d.Digest.String())]
		if !ok {
			return 0, refuse(manifestBlobUnknown, "the index refers to image %s, which is not in repository %q", d.Digest, r.name)
		}
		sum += child.ContentSize
	}
	return sum, nil
}

// read returns a stored manifest, its digest checked.
func (r *repository) read(img Image) ([]byte, error) {
	content, err := os.ReadFile(r.blobPath(img.Digest))
	if err != nil {
		return nil, refuse(unknown, "cannot read manifest %s: %w", img.Digest, err)
	}
	if got := digestOf(content); got != img.Digest {
		return nil, refuse(corrupt, "manifest %s has the digest %s on disk: push it again", img.Digest, got)
	}
	return content, nil
}

// parsed returns a stored manifest, parsed.
func (r *repository) parsed(img Image) (manifest, error) {
	content, err := r.read(img)
	if err != nil {
		return manifest{}, err
	}
	return parseManifest(img.MediaType, content)
}

func digestOf(content []byte) Digest {
	sum := sha256.Sum256(content)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}
