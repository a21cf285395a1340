package images

import (
	"maps"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Referrers returns, as an index, the manifests whose subject has the digest, with their artifact types and annotations.
// An artifactType that is not empty leaves out the others. A subject nobody refers to, or that doesn't exist, has none.
func (s *Store) Referrers(name Name, subject Digest, artifactType string) (v1.IndexManifest, error) {
	found := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	r, err := s.repository(name)
	if err != nil {
		return found, err
	}
	for _, img := range r.index.Load().list() {
		if img.Subject != subject {
			continue
		}
		m, err := r.parsed(img)
		if err != nil {
			return found, err
		}
		if artifactType != "" && m.artifact() != artifactType {
			continue
		}
		desc, err := descriptor(img)
		if err != nil {
			return found, err
		}
		desc.ArtifactType = m.artifact()
		desc.Annotations = maps.Clone(m.Annotations)
		found.Manifests = append(found.Manifests, desc)
	}
	return found, nil
}
