package ecrapi

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// SetRepositoryPolicy records who may do what with a repository. Everybody may do everything here.
func (s *Server) SetRepositoryPolicy(_ context.Context, in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(awsdoc.Or(in.PolicyText, "")), &policy) != nil || policy.Statement == nil {
		return nil, invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	}
	r, err := s.change(name, func(r *state.Repository) error {
		r.Policy = *in.PolicyText
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.SetRepositoryPolicyOutput{RegistryId: r.Doc.RegistryId, RepositoryName: in.RepositoryName, PolicyText: &r.Policy}, nil
}

// known returns the record of a repository, whether something was decided about it or not.
func (s *Server) known(repository *string) (*state.Repository, error) {
	name, err := s.find(repository)
	if err != nil {
		return nil, err
	}
	found, err := s.images.Repository(name)
	if err != nil {
		return nil, err
	}
	r := s.record(s.engine.DB().Read(), found)
	return &r, nil
}

func (s *Server) noPolicy(kind, name string) *string {
	return awsdoc.Text("%s policy does not exist for the repository with name '%s' in the registry with id '%s'", kind, name, s.engine.Identity().Account)
}

// GetRepositoryPolicy returns what was recorded.
func (s *Server) GetRepositoryPolicy(_ context.Context, in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
	r, err := s.known(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Policy == "" {
		return nil, &types.RepositoryPolicyNotFoundException{Message: s.noPolicy("Repository", r.Name)}
	}
	return &ecr.GetRepositoryPolicyOutput{RegistryId: r.Doc.RegistryId, RepositoryName: in.RepositoryName, PolicyText: &r.Policy}, nil
}

// DeleteRepositoryPolicy forgets it.
func (s *Server) DeleteRepositoryPolicy(ctx context.Context, in *ecr.DeleteRepositoryPolicyInput) (*ecr.DeleteRepositoryPolicyOutput, error) {
	was, err := s.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: in.RepositoryName})
	if err != nil {
		return nil, err
	}
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	_, err = s.change(name, func(r *state.Repository) error {
		r.Policy = ""
		return nil
	})
	return &ecr.DeleteRepositoryPolicyOutput{RegistryId: was.RegistryId, RepositoryName: was.RepositoryName, PolicyText: was.PolicyText}, err
}
