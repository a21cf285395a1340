package cloudwatchapi

import (
	"context"
	"slices"

	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// ListTagsForResource lists the tags of an alarm.
func (s *Server) ListTagsForResource(_ context.Context, in *cw.ListTagsForResourceInput) (*cw.ListTagsForResourceOutput, error) {
	a, err := alarmOf(s.read(), in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &cw.ListTagsForResourceOutput{Tags: awsdoc.List(a.Tags)}, nil
}

// TagResource adds tags to an alarm, or gives those that are there other values.
func (s *Server) TagResource(_ context.Context, in *cw.TagResourceInput) (*cw.TagResourceOutput, error) {
	return &cw.TagResourceOutput{}, s.retag(in.ResourceARN, func(tags []types.Tag) []types.Tag {
		for _, t := range in.Tags {
			tags = append(slices.DeleteFunc(tags, func(old types.Tag) bool { return *old.Key == *t.Key }), t)
		}
		return tags
	})
}

// UntagResource removes tags from an alarm by their keys.
func (s *Server) UntagResource(_ context.Context, in *cw.UntagResourceInput) (*cw.UntagResourceOutput, error) {
	return &cw.UntagResourceOutput{}, s.retag(in.ResourceARN, func(tags []types.Tag) []types.Tag {
		return slices.DeleteFunc(tags, func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
	})
}

func (s *Server) retag(arn *string, change func([]types.Tag) []types.Tag) error {
	return s.write(func(tx *state.Tx) error {
		a, err := alarmOf(tx.Snapshot, arn)
		if err != nil {
			return err
		}
		changed := *a
		if changed.Tags = change(slices.Clone(a.Tags)); len(changed.Tags) > 50 {
			return validation("An alarm has at most 50 tags")
		}
		tx.Put(&changed)
		return nil
	})
}
