package eventsapi

import (
	"context"
	"slices"
	"strings"

	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// tagged returns the rule with that ARN.
func tagged(snap state.Snapshot, arn *string) (*state.EventRule, error) {
	_, name, _ := strings.Cut(awsdoc.Or(arn, ""), ":rule/")
	name = strings.TrimPrefix(name, defaultBus+"/")
	r, ok := snap.EventRule(name)
	if !ok {
		return nil, notFound("Rule %s does not exist on EventBus %s.", name, defaultBus)
	}
	return r, nil
}

// ListTagsForResource lists the tags of a rule.
func (s *Server) ListTagsForResource(_ context.Context, in *eb.ListTagsForResourceInput) (*eb.ListTagsForResourceOutput, error) {
	r, err := tagged(s.read(), in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &eb.ListTagsForResourceOutput{Tags: awsdoc.List(r.Tags)}, nil
}

// TagResource adds tags to a rule, or gives those that are there other values.
func (s *Server) TagResource(_ context.Context, in *eb.TagResourceInput) (*eb.TagResourceOutput, error) {
	return &eb.TagResourceOutput{}, s.retag(in.ResourceARN, func(tags []types.Tag) []types.Tag {
		for _, t := range in.Tags {
			tags = append(slices.DeleteFunc(tags, func(old types.Tag) bool { return *old.Key == *t.Key }), t)
		}
		return tags
	})
}

// UntagResource removes tags from a rule by their keys.
func (s *Server) UntagResource(_ context.Context, in *eb.UntagResourceInput) (*eb.UntagResourceOutput, error) {
	return &eb.UntagResourceOutput{}, s.retag(in.ResourceARN, func(tags []types.Tag) []types.Tag {
		return slices.DeleteFunc(tags, func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
	})
}

func (s *Server) retag(arn *string, change func([]types.Tag) []types.Tag) error {
	return s.write(func(tx *state.Tx) error {
		r, err := tagged(tx.Snapshot, arn)
		if err != nil {
			return err
		}
		changed := *r
		changed.Tags = change(slices.Clone(r.Tags))
		tx.Put(&changed)
		return nil
	})
}
