package ecrapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/state"
)

// named resolves the ARN of a repository.
func (s *Server) named(arn *string) (images.Name, error) {
	_, name, ok := strings.Cut(awsdoc.Or(arn, ""), ":repository/")
	if !ok {
		return "", invalid("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")
	}
	return s.find(&name)
}

// ListTagsForResource lists the tags of a repository.
func (s *Server) ListTagsForResource(_ context.Context, in *ecr.ListTagsForResourceInput) (*ecr.ListTagsForResourceOutput, error) {
	name, err := s.named(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &ecr.ListTagsForResourceOutput{Tags: []types.Tag{}}
	if r, ok := s.engine.DB().Read().Repository(string(name)); ok {
		out.Tags = awsdoc.List(r.Tags)
	}
	return out, nil
}

// TagResource adds tags to a repository, or gives those that are there other values.
func (s *Server) TagResource(_ context.Context, in *ecr.TagResourceInput) (*ecr.TagResourceOutput, error) {
	return &ecr.TagResourceOutput{}, s.retag(in.ResourceArn, func(tags []types.Tag) []types.Tag {
		for _, t := range in.Tags {
			tags = append(without(tags, awsdoc.Or(t.Key, "")), t)
		}
		return tags
	})
}

// UntagResource removes tags of a repository by their keys.
func (s *Server) UntagResource(_ context.Context, in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	return &ecr.UntagResourceOutput{}, s.retag(in.ResourceArn, func(tags []types.Tag) []types.Tag {
		for _, key := range in.TagKeys {
			tags = without(tags, key)
		}
		return tags
	})
}

func without(tags []types.Tag, key string) []types.Tag {
	return slices.DeleteFunc(tags, func(t types.Tag) bool { return awsdoc.Or(t.Key, "") == key })
}

func (s *Server) retag(arn *string, change func([]types.Tag) []types.Tag) error {
	name, err := s.named(arn)
	if err != nil {
		return err
	}
	_, err = s.change(name, func(r *state.Repository) error {
		r.Tags = change(slices.Clone(r.Tags))
		return nil
	})
	return err
}
