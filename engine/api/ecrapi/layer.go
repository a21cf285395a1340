package ecrapi

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/fault"
)

// partSize is what clients are told to send at a time, in bytes. [API reference: InitiateLayerUpload]
const partSize = 20 << 20

// BatchCheckLayerAvailability tells which layers a push need not send.
func (s *Server) BatchCheckLayerAvailability(_ context.Context, in *ecr.BatchCheckLayerAvailabilityInput) (*ecr.BatchCheckLayerAvailabilityOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &ecr.BatchCheckLayerAvailabilityOutput{Layers: []types.Layer{}, Failures: []types.LayerFailure{}}
	for _, digest := range in.LayerDigests {
		size, err := s.images.HasBlob(name, images.Digest(digest))
		switch fault.KindOf(err) {
		case fault.Invalid:
			out.Failures = append(out.Failures, types.LayerFailure{
				LayerDigest: &digest, FailureCode: types.LayerFailureCodeInvalidLayerDigest, FailureReason: awsdoc.Text("Invalid layer digest"),
			})
		case fault.NotFound:
			out.Layers = append(out.Layers, types.Layer{LayerDigest: &digest, LayerAvailability: types.LayerAvailabilityUnavailable})
		default:
			if err != nil {
				return nil, err
			}
			out.Layers = append(out.Layers, types.Layer{
				LayerDigest: &digest, LayerAvailability: types.LayerAvailabilityAvailable, LayerSize: &size,
				MediaType: awsdoc.Text("application/vnd.docker.image.rootfs.diff.tar.gzip"),
			})
		}
	}
	return out, nil
}

// GetDownloadUrlForLayer returns where the registry serves a layer.
func (s *Server) GetDownloadUrlForLayer(_ context.Context, in *ecr.GetDownloadUrlForLayerInput) (*ecr.GetDownloadUrlForLayerOutput, error) { //nolint:revive // AWS's own name
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	digest := awsdoc.Or(in.LayerDigest, "")
	_, err = s.images.HasBlob(name, images.Digest(digest))
	switch fault.KindOf(err) {
	case fault.Invalid:
		return nil, invalid("Invalid parameter at 'layerDigest' failed to satisfy constraint: '%s'", err)
	case fault.NotFound:
		return nil, &types.LayersNotFoundException{Message: awsdoc.Text(
			"Layers with digests '[%s]' required by the request do not exist in the repository with name '%s' in registry with id '%s'",
			digest, name, s.engine.Identity().Account)}
	}
	if err != nil {
		return nil, err
	}
	return &ecr.GetDownloadUrlForLayerOutput{LayerDigest: &digest, DownloadUrl: awsdoc.Text("http://%s/v2/%s/blobs/%s", s.host(), name, digest)}, nil
}

// InitiateLayerUpload begins a layer that comes in parts.
func (s *Server) InitiateLayerUpload(_ context.Context, in *ecr.InitiateLayerUploadInput) (*ecr.InitiateLayerUploadOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	id, err := s.images.StartUpload(name)
	if err != nil {
		return nil, err
	}
	size := int64(partSize)
	return &ecr.InitiateLayerUploadOutput{UploadId: awsdoc.Text("%s", id), PartSize: &size}, nil
}

// UploadLayerPart takes the next part of a layer.
func (s *Server) UploadLayerPart(ctx context.Context, in *ecr.UploadLayerPartInput) (*ecr.UploadLayerPartOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	id := images.UploadID(awsdoc.Or(in.UploadId, ""))
	have, err := s.images.UploadSize(ctx, name, id)
	if err != nil {
		return nil, s.uploadError(name, id, err)
	}
	first, last := awsdoc.Or(in.PartFirstByte, 0), awsdoc.Or(in.PartLastByte, 0)
	if len(in.LayerPartBlob) > partSize {
		return nil, invalid("Invalid parameter at 'layerPartBlob' failed to satisfy constraint: 'Member must have length less than or equal to %d'", partSize)
	}
	if first != have || last-first+1 != int64(len(in.LayerPartBlob)) {
		received := have - 1
		return nil, &types.InvalidLayerPartException{
			Message:    awsdoc.Text("The layer part of bytes %d to %d with %d bytes does not follow the %d bytes that were received", first, last, len(in.LayerPartBlob), have),
			RegistryId: awsdoc.Text("%s", s.engine.Identity().Account), RepositoryName: in.RepositoryName, UploadId: in.UploadId, LastValidByteReceived: &received,
		}
	}
	if _, err := s.images.Append(ctx, name, id, first, bytes.NewReader(in.LayerPartBlob)); err != nil {
		return nil, s.uploadError(name, id, err)
	}
	return &ecr.UploadLayerPartOutput{
		RegistryId: awsdoc.Text("%s", s.engine.Identity().Account), RepositoryName: in.RepositoryName, UploadId: in.UploadId, LastByteReceived: &last,
	}, nil
}

func (s *Server) uploadError(name images.Name, id images.UploadID, err error) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	return &types.UploadNotFoundException{Message: awsdoc.Text(
		"The upload with id '%s' does not exist in the repository with name '%s' in registry with id '%s'", id, name, s.engine.Identity().Account)}
}

// CompleteLayerUpload makes a layer of the parts that were sent, if it has the digest.
func (s *Server) CompleteLayerUpload(ctx context.Context, in *ecr.CompleteLayerUploadInput) (*ecr.CompleteLayerUploadOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if len(in.LayerDigests) != 1 {
		return nil, invalid("Invalid parameter at 'layerDigests' failed to satisfy constraint: 'there must be one digest'")
	}
	digest, id := images.Digest(in.LayerDigests[0]), images.UploadID(awsdoc.Or(in.UploadId, ""))
	have, err := s.images.UploadSize(ctx, name, id)
	switch {
	case err != nil:
		return nil, s.uploadError(name, id, err)
	case have == 0:
		return nil, &types.EmptyUploadException{Message: awsdoc.Text("The upload with id '%s' has no parts", id)}
	}
	if _, err := s.images.HasBlob(name, digest); err == nil {
		_ = s.images.CancelUpload(ctx, name, id) // what is left of it is swept
		return nil, &types.LayerAlreadyExistsException{Message: awsdoc.Text("Layer with digest '%s' already exists in the repository with name '%s'", digest, name)}
	}
	err = s.images.Finish(ctx, name, id, have, bytes.NewReader(nil), digest)
	switch fault.KindOf(err) {
	case fault.Invalid:
		return nil, &types.InvalidLayerException{Message: awsdoc.Text("%s", err)}
	case fault.NotFound:
		return nil, s.uploadError(name, id, err)
	}
	if err != nil {
		return nil, err
	}
	return &ecr.CompleteLayerUploadOutput{
		RegistryId: awsdoc.Text("%s", s.engine.Identity().Account), RepositoryName: in.RepositoryName, UploadId: in.UploadId, LayerDigest: awsdoc.Text("%s", digest),
	}, nil
}
