package cloudmapapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// tagged returns the tags of what has that ARN, and a copy of it with others.
func tagged(snap state.Snapshot, arn *string) ([]types.Tag, func([]types.Tag) state.Record, error) {
	if strings.Contains(aws.ToString(arn), ":namespace/") {
		if n, ok := snap.Namespace(lastPart(arn)); ok {
			return n.Tags, func(tags []types.Tag) state.Record {
				changed := *n
				changed.Tags = tags
				return &changed
			}, nil
		}
	}
	if r, ok := snap.Registry(lastPart(arn)); ok {
		return r.Tags, func(tags []types.Tag) state.Record {
			changed := *r
			changed.Tags = tags
			return &changed
		}, nil
	}
	return nil, nil, &types.ResourceNotFoundException{Message: awsdoc.Text("Resource with ARN %s not found.", aws.ToString(arn))}
}

// ListTagsForResource lists the tags of a namespace or service.
func (s *Server) ListTagsForResource(_ context.Context, in *sd.ListTagsForResourceInput) (*sd.ListTagsForResourceOutput, error) {
	tags, _, err := tagged(s.read(), in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &sd.ListTagsForResourceOutput{Tags: awsdoc.List(tags)}, nil
}

// TagResource adds tags, or gives those that are there other values.
func (s *Server) TagResource(_ context.Context, in *sd.TagResourceInput) (*sd.TagResourceOutput, error) {
	return &sd.TagResourceOutput{}, s.retag(in.ResourceARN, func(tags []types.Tag) []types.Tag {
		for _, t := range in.Tags {
			tags = append(slices.DeleteFunc(tags, func(old types.Tag) bool { return *old.Key == *t.Key }), t)
		}
		return tags
	})
}

// UntagResource removes tags by their keys.
func (s *Server) UntagResource(_ context.Context, in *sd.UntagResourceInput) (*sd.UntagResourceOutput, error) {
	return &sd.UntagResourceOutput{}, s.retag(in.ResourceARN, func(tags []types.Tag) []types.Tag {
		return slices.DeleteFunc(tags, func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
	})
}

func (s *Server) retag(arn *string, change func([]types.Tag) []types.Tag) error {
	return s.write(func(tx *state.Tx) error {
		tags, with, err := tagged(tx.Snapshot, arn)
		if err != nil {
			return err
		}
		tx.Put(with(change(slices.Clone(tags))))
		return nil
	})
}
