package elbapi

import (
	"context"
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// DescribeTags describes the tags of load balancers.
func (s *Server) DescribeTags(_ context.Context, in *elb.DescribeTagsInput) (*elb.DescribeTagsOutput, error) {
	out, snap := &elb.DescribeTagsOutput{}, s.engine.DB().Read()
	for _, name := range in.LoadBalancerNames {
		b, err := find(snap, &name)
		if err != nil {
			return nil, err
		}
		out.TagDescriptions = append(out.TagDescriptions, types.TagDescription{LoadBalancerName: &name, Tags: awsdoc.List(b.Tags)})
	}
	return out, nil
}

// AddTags adds tags, or gives those that are there other values.
func (s *Server) AddTags(_ context.Context, in *elb.AddTagsInput) (*elb.AddTagsOutput, error) {
	return &elb.AddTagsOutput{}, s.retag(in.LoadBalancerNames, func(tags []types.Tag) []types.Tag {
		for _, t := range in.Tags {
			tags = append(without(tags, awsdoc.Or(t.Key, "")), t)
		}
		return tags
	})
}

// RemoveTags removes tags by their keys.
func (s *Server) RemoveTags(_ context.Context, in *elb.RemoveTagsInput) (*elb.RemoveTagsOutput, error) {
	return &elb.RemoveTagsOutput{}, s.retag(in.LoadBalancerNames, func(tags []types.Tag) []types.Tag {
		for _, k := range in.Tags {
			tags = without(tags, awsdoc.Or(k.Key, ""))
		}
		return tags
	})
}

func without(tags []types.Tag, key string) []types.Tag {
	return slices.DeleteFunc(tags, func(t types.Tag) bool { return awsdoc.Or(t.Key, "") == key })
}

func (s *Server) retag(names []string, change func([]types.Tag) []types.Tag) error {
	return s.engine.DB().Write(func(tx *state.Tx) error {
		for _, name := range names {
			b, err := find(tx.Snapshot, &name)
			if err != nil {
				return err
			}
			changed := *b
			changed.Tags = change(slices.Clone(b.Tags))
			tx.Put(&changed)
		}
		return nil
	})
}
