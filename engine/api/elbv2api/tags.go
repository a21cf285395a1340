package elbv2api

import (
	"context"
	"slices"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// tagged finds the resource of an ARN and returns its tags and what puts it back with others.
func tagged(snap state.Snapshot, arn string) (tags []types.Tag, put func(*state.Tx, []types.Tag), err error) {
	if b, ok := snap.Balancer(arn); ok {
		return b.Tags, func(tx *state.Tx, t []types.Tag) { n := *b; n.Tags = t; tx.Put(&n) }, nil
	}
	if g, ok := snap.TargetGroup(arn); ok {
		return g.Tags, func(tx *state.Tx, t []types.Tag) { n := *g; n.Tags = t; tx.Put(&n) }, nil
	}
	if l, ok := snap.Listener(arn); ok {
		return l.Tags, func(tx *state.Tx, t []types.Tag) { n := *l; n.Tags = t; tx.Put(&n) }, nil
	}
	if r, ok := snap.Rule(arn); ok {
		return r.Tags, func(tx *state.Tx, t []types.Tag) { n := *r; n.Tags = t; tx.Put(&n) }, nil
	}
	return nil, nil, &types.LoadBalancerNotFoundException{Message: awsdoc.Text("'%s' not found", arn)}
}

// DescribeTags describes the tags of load balancers, target groups, listeners and rules.
func (s *Server) DescribeTags(_ context.Context, in *v2.DescribeTagsInput) (*v2.DescribeTagsOutput, error) {
	out, snap := &v2.DescribeTagsOutput{}, s.read()
	for _, arn := range in.ResourceArns {
		tags, _, err := tagged(snap, arn)
		if err != nil {
			return nil, err
		}
		out.TagDescriptions = append(out.TagDescriptions, types.TagDescription{ResourceArn: &arn, Tags: awsdoc.List(tags)})
	}
	return out, nil
}

// AddTags adds tags, or gives those that are there other values.
func (s *Server) AddTags(_ context.Context, in *v2.AddTagsInput) (*v2.AddTagsOutput, error) {
	return &v2.AddTagsOutput{}, s.retag(in.ResourceArns, func(tags []types.Tag) []types.Tag {
		for _, t := range in.Tags {
			tags = slices.DeleteFunc(tags, func(old types.Tag) bool { return awsdoc.Or(old.Key, "") == awsdoc.Or(t.Key, "") })
			tags = append(tags, t)
		}
		return tags
	})
}

// RemoveTags removes tags by their keys.
func (s *Server) RemoveTags(_ context.Context, in *v2.RemoveTagsInput) (*v2.RemoveTagsOutput, error) {
	return &v2.RemoveTagsOutput{}, s.retag(in.ResourceArns, func(tags []types.Tag) []types.Tag {
		return slices.DeleteFunc(tags, func(t types.Tag) bool { return slices.Contains(in.TagKeys, awsdoc.Or(t.Key, "")) })
	})
}

func (s *Server) retag(arns []string, change func([]types.Tag) []types.Tag) error {
	return s.write(func(tx *state.Tx) error {
		for _, arn := range arns {
			tags, put, err := tagged(tx.Snapshot, arn)
			if err != nil {
				return err
			}
			put(tx, change(slices.Clone(tags)))
		}
		return nil
	})
}
