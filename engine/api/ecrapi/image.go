package ecrapi

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/images"
)

// reference reads an image identifier; a digest counts more than a tag.
func reference(id types.ImageIdentifier) (images.Reference, error) {
	text := awsdoc.Or(id.ImageDigest, awsdoc.Or(id.ImageTag, ""))
	ref, err := images.ParseReference(text)
	if err != nil {
		return ref, invalid("Invalid parameter at 'imageIds': %s", err)
	}
	return ref, nil
}

// DescribeImages describes images of a repository, by tag or digest, or all.
func (s *Server) DescribeImages(_ context.Context, in *ecr.DescribeImagesInput) (*ecr.DescribeImagesOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	list, err := s.images.Images(name)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, id := range in.ImageIds {
		ref, err := reference(id)
		if err != nil {
			return nil, err
		}
		image, err := s.images.Image(name, ref)
		if err != nil {
			return nil, &types.ImageNotFoundException{Message: awsdoc.Text(
				"The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'",
				awsdoc.Or(id.ImageDigest, "null"), awsdoc.Or(id.ImageTag, "null"), name, s.engine.Identity().Account)}
		}
		wanted[string(image.Digest)] = true
	}
	byDigest, digests := map[string]images.Image{}, []string{}
	for _, image := range list {
		d := string(image.Digest)
		if (len(wanted) == 0 || wanted[d]) && (in.Filter == nil || tagStatus(image, in.Filter.TagStatus)) {
			byDigest[d], digests = image, append(digests, d)
		}
	}
	digests, next, err := page(digests, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeImagesOutput{ImageDetails: []types.ImageDetail{}, NextToken: next}
	for _, d := range digests {
		out.ImageDetails = append(out.ImageDetails, s.detail(name, byDigest[d]))
	}
	return out, nil
}

func tagStatus(image images.Image, status types.TagStatus) bool {
	switch status {
	case types.TagStatusTagged:
		return len(image.Tags) > 0
	case types.TagStatusUntagged:
		return len(image.Tags) == 0
	default:
		return true
	}
}

func (s *Server) detail(name images.Name, image images.Image) types.ImageDetail {
	d := types.ImageDetail{
		RegistryId: awsdoc.Text("%s", s.engine.Identity().Account), RepositoryName: awsdoc.Text("%s", name),
		ImageDigest: awsdoc.Text("%s", image.Digest), ImageManifestMediaType: awsdoc.Text("%s", image.MediaType),
		ImageSizeInBytes: &image.ContentSize, ImagePushedAt: &image.PushedAt, ImageTags: tags(image),
		ArtifactMediaType: awsdoc.Text("%s", image.ArtifactType),
	}
	if image.ArtifactType == "" {
		d.ArtifactMediaType = awsdoc.Text("application/vnd.oci.image.config.v1+json")
	}
	return d
}

func tags(image images.Image) []string {
	var list []string
	for _, t := range image.Tags {
		list = append(list, string(t))
	}
	return list
}

// ListImages lists tags and digests of a repository: an image with several tags several times.
func (s *Server) ListImages(_ context.Context, in *ecr.ListImagesInput) (*ecr.ListImagesOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	list, err := s.images.Images(name)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, image := range list {
		if in.Filter != nil && !tagStatus(image, in.Filter.TagStatus) {
			continue
		}
		if len(image.Tags) == 0 {
			keys = append(keys, string(image.Digest)+" ")
		}
		for _, t := range image.Tags {
			keys = append(keys, string(image.Digest)+" "+string(t))
		}
	}
	keys, next, err := page(keys, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListImagesOutput{ImageIds: []types.ImageIdentifier{}, NextToken: next}
	for _, key := range keys {
		digest, tag, _ := strings.Cut(key, " ")
		id := types.ImageIdentifier{ImageDigest: &digest}
		if tag != "" {
			id.ImageTag = &tag
		}
		out.ImageIds = append(out.ImageIds, id)
	}
	return out, nil
}
