package ecrapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/fault"
)

// BatchGetImage returns manifests. What is not found is told in the failures.
func (s *Server) BatchGetImage(_ context.Context, in *ecr.BatchGetImageInput) (*ecr.BatchGetImageOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchGetImageOutput{Images: []types.Image{}, Failures: []types.ImageFailure{}}
	for _, id := range in.ImageIds {
		image, manifest, err := s.manifest(name, id)
		if err != nil {
			out.Failures = append(out.Failures, failure(id, err))
			continue
		}
		if len(in.AcceptedMediaTypes) > 0 && !slices.Contains(in.AcceptedMediaTypes, image.MediaType) {
			out.Failures = append(out.Failures, types.ImageFailure{
				ImageId: &id, FailureCode: types.ImageFailureCodeImageNotFound,
				FailureReason: awsdoc.Text("Requested image has media type %s, which is not among the accepted ones", image.MediaType),
			})
			continue
		}
		id.ImageDigest = awsdoc.Text("%s", image.Digest)
		out.Images = append(out.Images, types.Image{
			RegistryId: awsdoc.Text("%s", s.engine.Identity().Account), RepositoryName: in.RepositoryName, ImageId: &id,
			ImageManifest: awsdoc.Text("%s", manifest), ImageManifestMediaType: &image.MediaType,
		})
	}
	return out, nil
}

func (s *Server) manifest(name images.Name, id types.ImageIdentifier) (images.Image, []byte, error) {
	ref, err := reference(id)
	if err != nil {
		return images.Image{}, nil, err
	}
	return s.images.Manifest(name, ref)
}

// BatchDeleteImage deletes tags, or images by digest with all their tags.
func (s *Server) BatchDeleteImage(_ context.Context, in *ecr.BatchDeleteImageInput) (*ecr.BatchDeleteImageOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchDeleteImageOutput{ImageIds: []types.ImageIdentifier{}, Failures: []types.ImageFailure{}}
	for _, id := range in.ImageIds {
		image, _, err := s.manifest(name, id)
		if err == nil {
			var ref images.Reference
			if ref, err = reference(id); err == nil {
				err = s.images.DeleteImage(name, ref)
			}
		}
		if err != nil {
			out.Failures = append(out.Failures, failure(id, err))
			continue
		}
		id.ImageDigest = awsdoc.Text("%s", image.Digest)
		out.ImageIds = append(out.ImageIds, id)
	}
	return out, nil
}

func failure(id types.ImageIdentifier, err error) types.ImageFailure {
	f := types.ImageFailure{ImageId: &id, FailureCode: types.ImageFailureCodeImageNotFound, FailureReason: awsdoc.Text("Requested image not found")}
	switch fault.KindOf(err) {
	case fault.NotFound:
	case fault.Conflict:
		f.FailureCode, f.FailureReason = types.ImageFailureCodeImageReferencedByManifestList, awsdoc.Text("%s", err)
	default:
		f.FailureCode, f.FailureReason = types.ImageFailureCodeInvalidImageTag, awsdoc.Text("%s", err)
	}
	return f
}
