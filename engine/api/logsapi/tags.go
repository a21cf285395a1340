package logsapi

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/slipway-cd/slipway/engine/state"
)

// mostTags is how many tags a group has at most. [API reference: TagResource]
const mostTags = 50

// ListTagsForResource lists the tags of a log group.
func (s *Server) ListTagsForResource(_ context.Context, in *cloudwatchlogs.ListTagsForResourceInput) (*cloudwatchlogs.ListTagsForResourceOutput, error) {
	g, err := group(s.engine.DB().Read(), in.ResourceArn, nil)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.ListTagsForResourceOutput{Tags: map[string]string{}}
	maps.Copy(out.Tags, g.Tags)
	return out, nil
}

// TagResource adds tags to a log group, or gives those that are there other values.
func (s *Server) TagResource(_ context.Context, in *cloudwatchlogs.TagResourceInput) (*cloudwatchlogs.TagResourceOutput, error) {
	return &cloudwatchlogs.TagResourceOutput{}, s.retag(in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource removes tags of a log group by their keys.
func (s *Server) UntagResource(_ context.Context, in *cloudwatchlogs.UntagResourceInput) (*cloudwatchlogs.UntagResourceOutput, error) {
	return &cloudwatchlogs.UntagResourceOutput{}, s.retag(in.ResourceArn, func(tags map[string]string) { without(tags, in.TagKeys) })
}

// ListTagsLogGroup lists the tags of a log group by its name, as older clients ask for them.
func (s *Server) ListTagsLogGroup(_ context.Context, in *cloudwatchlogs.ListTagsLogGroupInput) (*cloudwatchlogs.ListTagsLogGroupOutput, error) {
	g, err := group(s.engine.DB().Read(), in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.ListTagsLogGroupOutput{Tags: map[string]string{}}
	maps.Copy(out.Tags, g.Tags)
	return out, nil
}

// TagLogGroup adds tags to a log group by its name.
func (s *Server) TagLogGroup(_ context.Context, in *cloudwatchlogs.TagLogGroupInput) (*cloudwatchlogs.TagLogGroupOutput, error) {
	return &cloudwatchlogs.TagLogGroupOutput{}, s.retag(in.LogGroupName, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagLogGroup removes tags of a log group by its name.
func (s *Server) UntagLogGroup(_ context.Context, in *cloudwatchlogs.UntagLogGroupInput) (*cloudwatchlogs.UntagLogGroupOutput, error) {
	return &cloudwatchlogs.UntagLogGroupOutput{}, s.retag(in.LogGroupName, func(tags map[string]string) { without(tags, in.Tags) })
}

func without(tags map[string]string, keys []string) {
	for _, key := range keys {
		delete(tags, key)
	}
}

// retag changes the tags of a group that is named by its name or ARN.
func (s *Server) retag(name *string, change func(map[string]string)) error {
	return s.engine.DB().Write(func(tx *state.Tx) error {
		g, err := group(tx.Snapshot, name, nil)
		if err != nil {
			return err
		}
		changed := *g
		changed.Tags = map[string]string{}
		maps.Copy(changed.Tags, g.Tags)
		change(changed.Tags)
		if len(changed.Tags) > mostTags {
			return invalid("A log group can have at most %d tags, and this would be %d.", mostTags, len(changed.Tags))
		}
		tx.Put(&changed)
		return nil
	})
}

// checkTags refuses too many tags of a new group.
func checkTags(tags map[string]string) error {
	if len(tags) > mostTags {
		return invalid("A log group can have at most %d tags, and this would be %d.", mostTags, len(tags))
	}
	return nil
}
