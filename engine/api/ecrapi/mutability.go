package ecrapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// checkMutability refuses what the registry does not hold to.
func checkMutability(m types.ImageTagMutability) error {
	switch m {
	case "", types.ImageTagMutabilityMutable, types.ImageTagMutabilityImmutable:
		return nil
	default:
		return invalid("Invalid parameter at 'imageTagMutability': %s is not served by this engine. Use MUTABLE or IMMUTABLE.", m)
	}
}

// PutImageTagMutability decides whether a tag may be moved to another image.
func (s *Server) PutImageTagMutability(_ context.Context, in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkMutability(in.ImageTagMutability); err != nil {
		return nil, err
	}
	r, err := s.change(name, func(r *state.Repository) error {
		awsdoc.Assign(&r.Doc, in, "RegistryId")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageTagMutabilityOutput{
		RepositoryName: in.RepositoryName, RegistryId: r.Doc.RegistryId, ImageTagMutability: r.Doc.ImageTagMutability,
	}, nil
}

// Immutable reports whether the state says that a repository's tags must not move: the registry asks it before each push.
func Immutable(snap state.Snapshot, name string) bool {
	r, ok := snap.Repository(name)
	return ok && r.Doc.ImageTagMutability == types.ImageTagMutabilityImmutable
}
