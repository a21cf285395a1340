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

// checkTags refuses tags that no resource can have. [API reference: Tag]
func checkTags(tags []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		key, value := awsdoc.Or(t.Key, ""), awsdoc.Or(t.Value, "")
		switch {
		case key == "" || len([]rune(key)) > 128:
			return invalid("Tag keys must have between 1 and 128 characters, but one was %q.", key)
		case len([]rune(value)) > 256:
			return invalid("Tag values can have at most 256 characters; that of the key %q has more.", key)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalid("Tag keys must not begin with aws:, but one was %q.", key)
		case seen[key]:
			return invalid("Duplicate tag key %q.", key)
		}
		seen[key] = true
	}
	if len(tags) > maxTags {
		return invalid("A resource can have at most %d tags.", maxTags)
	}
	return nil
}

// tagged finds the resource of an ARN and returns its tags and what puts it back with others.
func tagged(snap state.Snapshot, arn string) (tags []types.Tag, put func(*state.Tx, []types.Tag), err error) {
	_, resource, _ := strings.Cut(arn, ":ecs:")
	if parts := strings.SplitN(resource, ":", 3); len(parts) == 3 {
		resource = parts[2]
	}
	kind, name, _ := strings.Cut(resource, "/")
	find, ok := taggable[kind]
	if !ok {
		return nil, nil, invalid("The specified resource ARN is not valid: %s", arn)
	}
	if tags, put, ok = find(snap, arn, name); ok {
		return tags, put, nil
	}
	return nil, nil, &types.ResourceNotFoundException{Message: awsdoc.Text("The specified resource was not found: %s", arn)}
}

// finder finds the resource of an ARN, or of what follows its kind there.
type finder func(snap state.Snapshot, arn, name string) ([]types.Tag, func(*state.Tx, []types.Tag), bool)

var taggable = map[string]finder{
	"cluster":            taggedCluster,
	"service":            taggedService,
	"task":               taggedTask,
	"task-set":           taggedTaskSet,
	"task-definition":    taggedTaskDefinition,
	"container-instance": taggedInstance,
	"capacity-provider":  taggedProvider,
}

func taggedCluster(snap state.Snapshot, _, name string) ([]types.Tag, func(*state.Tx, []types.Tag), bool) {
	c, ok := snap.Cluster(state.ClusterName(name))
	if !ok {
		return nil, nil, false
	}
	return c.Doc.Tags, func(tx *state.Tx, t []types.Tag) { n := *c; n.Doc.Tags = t; tx.Put(&n) }, true
}

func taggedService(snap state.Snapshot, arn, _ string) ([]types.Tag, func(*state.Tx, []types.Tag), bool) {
	key, _ := keyOfServiceARN(arn)
	svc, ok := snap.Service(key)
	if !ok {
		return nil, nil, false
	}
	return svc.Doc.Tags, func(tx *state.Tx, t []types.Tag) { n := *svc; n.Doc.Tags = t; tx.Put(&n) }, true
}

func taggedTask(snap state.Snapshot, _, name string) ([]types.Tag, func(*state.Tx, []types.Tag), bool) {
	t, ok := snap.Task(state.TaskID(engine.ResourceName(name)))
	if !ok {
		return nil, nil, false
	}
	return t.Tags, func(tx *state.Tx, tags []types.Tag) { n := *t; n.Tags = tags; tx.Put(&n) }, true
}

func taggedTaskSet(snap state.Snapshot, arn, _ string) ([]types.Tag, func(*state.Tx, []types.Tag), bool) {
	set, ok := snap.TaskSet(arn)
	if !ok {
		return nil, nil, false
	}
	return set.Doc.Tags, func(tx *state.Tx, t []types.Tag) { n := *set; n.Doc.Tags = t; tx.Put(&n) }, true
}

func taggedTaskDefinition(snap state.Snapshot, arn, _ string) ([]types.Tag, func(*state.Tx, []types.Tag), bool) {
	d, ok := findTaskDefinition(snap, arn)
	if !ok {
		return nil, nil, false
	}
	return d.Tags, func(tx *state.Tx, t []types.Tag) { n := *d; n.Tags = t; tx.Put(&n) }, true
}

func taggedInstance(snap state.Snapshot, _, name string) ([]types.Tag, func(*state.Tx, []types.Tag), bool) {
	i, ok := snap.Instance(state.InstanceID(engine.ResourceName(name)))
	if !ok {
		return nil, nil, false
	}
	return i.Doc.Tags, func(tx *state.Tx, t []types.Tag) { n := *i; n.Doc.Tags = t; tx.Put(&n) }, true
}

func taggedProvider(snap state.Snapshot, _, name string) ([]types.Tag, func(*state.Tx, []types.Tag), bool) {
	p, ok := snap.CapacityProvider(name)
	if !ok {
		return nil, nil, false
	}
	return p.Doc.Tags, func(tx *state.Tx, t []types.Tag) { n := *p; n.Doc.Tags = t; tx.Put(&n) }, true
}

// ListTagsForResource lists the tags of a resource.
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
		return tags, checkTags(in.Tags)
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
