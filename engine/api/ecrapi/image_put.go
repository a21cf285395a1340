package ecrapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/fault"
)

// PutImage stores a manifest, mostly to give an image that is there one more tag.
func (s *Server) PutImage(_ context.Context, in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	manifest := awsdoc.Or(in.ImageManifest, "")
	sum := sha256.Sum256([]byte(manifest))
	digest := images.Digest("sha256:" + hex.EncodeToString(sum[:]))
	if given := awsdoc.Or(in.ImageDigest, string(digest)); given != string(digest) {
		return nil, &types.ImageDigestDoesNotMatchException{Message: awsdoc.Text("The calculated digest %s does not match the digest %s", digest, given)}
	}
	ref := images.Reference{Digest: digest}
	if in.ImageTag != nil {
		tag, err := images.ParseTag(*in.ImageTag)
		if err != nil {
			return nil, invalid("Invalid parameter at 'imageTag': %s", err)
		}
		ref = images.Reference{Tag: tag}
	}
	if err := s.fresh(name, ref, digest); err != nil {
		return nil, err
	}
	image, err := s.images.PutManifest(name, ref, mediaType(in), []byte(manifest))
	switch fault.KindOf(err) {
	case fault.Conflict:
		return nil, &types.ImageTagAlreadyExistsException{Message: awsdoc.Text("%s", err)}
	case fault.Invalid, fault.NotFound:
		return nil, invalid("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '%s'", err)
	}
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageOutput{Image: &types.Image{
		RegistryId: awsdoc.Text("%s", s.engine.Identity().Account), RepositoryName: in.RepositoryName,
		ImageId:       &types.ImageIdentifier{ImageDigest: awsdoc.Text("%s", digest), ImageTag: in.ImageTag},
		ImageManifest: in.ImageManifest, ImageManifestMediaType: &image.MediaType,
	}}, nil
}

// fresh refuses what is there already, as AWS does.
func (s *Server) fresh(name images.Name, ref images.Reference, digest images.Digest) error {
	image, err := s.images.Image(name, images.Reference{Digest: digest})
	if err != nil || ref.Tag != "" && !slices.Contains(image.Tags, ref.Tag) {
		return nil //nolint:nilerr // it is not there, which is what is asked
	}
	return &types.ImageAlreadyExistsException{Message: awsdoc.Text(
		"Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'",
		digest, ref.Tag, name, s.engine.Identity().Account)}
}

// mediaType is what the request says of its manifest, or else the manifest itself.
func mediaType(in *ecr.PutImageInput) string {
	var said struct{ MediaType string }
	_ = json.Unmarshal([]byte(awsdoc.Or(in.ImageManifest, "")), &said) // what is no JSON is refused where it is stored
	return awsdoc.Or(in.ImageManifestMediaType, said.MediaType)
}
