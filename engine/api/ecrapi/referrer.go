package ecrapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/images"
)

// ListImageReferrers lists the artifacts that refer to an image: signatures, bills of materials.
func (s *Server) ListImageReferrers(_ context.Context, in *ecr.ListImageReferrersInput) (*ecr.ListImageReferrersOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	digest, err := images.ParseDigest(awsdoc.Or(awsdoc.Or(in.SubjectId, types.SubjectIdentifier{}).ImageDigest, ""))
	if err != nil {
		return nil, invalid("Invalid parameter at 'subjectId' failed to satisfy constraint: '%s'", err)
	}
	index, err := s.images.Referrers(name, digest, "")
	if err != nil {
		return nil, err
	}
	filter := awsdoc.Or(in.Filter, types.ListImageReferrersFilter{})
	byDigest, digests := map[string]types.ImageReferrer{}, []string{}
	for _, m := range index.Manifests {
		archived := filter.ArtifactStatus == types.ArtifactStatusFilterArchived || filter.ArtifactStatus == types.ArtifactStatusFilterActivating
		if archived || len(filter.ArtifactTypes) > 0 && !slices.Contains(filter.ArtifactTypes, m.ArtifactType) {
			continue
		}
		digests = append(digests, m.Digest.String())
		byDigest[m.Digest.String()] = types.ImageReferrer{
			Digest: awsdoc.Text("%s", m.Digest), MediaType: awsdoc.Text("%s", m.MediaType), Size: &m.Size, ArtifactType: &m.ArtifactType,
			Annotations: m.Annotations, ArtifactStatus: types.ArtifactStatusActive,
		}
	}
	digests, next, err := page(digests, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListImageReferrersOutput{Referrers: []types.ImageReferrer{}, NextToken: next}
	for _, d := range digests {
		out.Referrers = append(out.Referrers, byDigest[d])
	}
	return out, nil
}
