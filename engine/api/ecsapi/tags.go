package ecsapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// maxTags is how many tags a resource can have. [ecs-behaviour 1.10]
const maxTags = 50

// tagged finds the resource of an ARN and returns its tags and what puts it back with others.
func tagged(snap state.Snapshot, arn string) (tags []types.Tag, put func(*state.Tx, []types.Tag), err error) {
	_, resource, _ := strings.Cut(arn, ":ecs:")
	if parts := strings.SplitN(resource, ":", 3); len(parts) == 3 {
		resource = parts[2]
	}
	kind, name, _ := strings.Cut(resource, "/")
	switch kind {
	case "cluster":
		if c, ok := snap.Cluster(state.ClusterName(name)); ok {
			return c.Doc.Tags, func(tx *state.Tx, t []types.Tag) { n := *c; n.Doc.Tags = t; tx.Put(&n) }, nil
		}
	case "service":
		if key, ok := keyOfServiceARN(arn); ok {
			if svc, ok := snap.Service(key); ok {
				return svc.Doc.Tags, func(tx *state.Tx, t []types.Tag) { n := *svc; n.Doc.Tags = t; tx.Put(&n) }, nil
			}
		}
	case "task":
		if t, ok := snap.Task(state.TaskID(engine.ResourceName(name))); ok {
			return t.Tags, func(tx *state.Tx, tags []types.Tag) { n := *t; n.Tags = tags; tx.Put(&n) }, nil
		}
	case "task-definition":
		if d, ok := findTaskDefinition(snap, arn); ok {
			return d.Tags, func(tx *state.Tx, t []types.Tag) { n := *d; n.Tags = t; tx.Put(&n) }, nil
		}
	case "container-instance":
		if i, ok := snap.Instance(state.InstanceID(engine.ResourceName(name))); ok {
			return i.Doc.Tags, func(tx *state.Tx, t []types.Tag) { n := *i; n.Doc.Tags = t; tx.Put(&n) }, nil
		}
	default:
		return nil, nil, invalid("The specified resource ARN is not valid: %s", arn)
	}
	return nil, nil, &types.ResourceNotFoundException{Message: awsdoc.Text("The specified resource was not found: %s", arn)}
}

// ListTagsForResource lists the tags of a cluster, service, task, task definition or container instance.
func (s *Server) ListTagsForResource(_ context.Context, in *ecs.ListTagsForResourceInput) (*ecs.ListTagsForResourceOutput, error) {
	tags, _, err := tagged(s.engine.DB().Read(), awsdoc.Or(in.ResourceArn, ""))
	if err != nil {
		return nil, err
	}
	return &ecs.ListTagsForResourceOutput{Tags: awsdoc.List(tags)}, nil
}

// TagResource adds tags, or gives those that are there other values.
func (s *Server) TagResource(_ context.Context, in *ecs.TagResourceInput) (*ecs.TagResourceOutput, error) {
	return &ecs.TagResourceOutput{}, s.retag(in.ResourceArn, func(tags []types.Tag) ([]types.Tag, error) {
		for _, t := range in.Tags {
			if at := slices.IndexFunc(tags, func(old types.Tag) bool { return awsdoc.Or(old.Key, "") == awsdoc.Or(t.Key, "") }); at >= 0 {
				tags[at] = t
			} else {
				tags = append(tags, t)
			}
		}
		if len(tags) > maxTags {
			return nil, invalid("A resource can have at most %d tags.", maxTags)
		}
		return tags, nil
	})
}

// UntagResource removes tags by their keys.
func (s *Server) UntagResource(_ context.Context, in *ecs.UntagResourceInput) (*ecs.UntagResourceOutput, error) {
	return &ecs.UntagResourceOutput{}, s.retag(in.ResourceArn, func(tags []types.Tag) ([]types.Tag, error) {
		return slices.DeleteFunc(tags, func(t types.Tag) bool { return slices.Contains(in.TagKeys, awsdoc.Or(t.Key, "")) }), nil
	})
}

func (s *Server) retag(arn *string, change func([]types.Tag) ([]types.Tag, error)) error {
	return s.engine.DB().Write(func(tx *state.Tx) error {
		tags, put, err := tagged(tx.Snapshot, awsdoc.Or(arn, ""))
		if err != nil {
			return err
		}
		tags, err = change(slices.Clone(tags))
		if err == nil {
			put(tx, tags)
		}
		return err
	})
}
