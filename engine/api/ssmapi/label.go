package ssmapi

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

var labelForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_.-][A-Za-z0-9_.-]{0,99}$`) })

// mostLabels is how many labels a version may have. [API reference, LabelParameterVersion]
const mostLabels = 10

func labelOK(label string) bool {
	l := strings.ToLower(label)
	return labelForm().MatchString(label) && !strings.HasPrefix(l, "aws") && !strings.HasPrefix(l, "ssm")
}

// LabelParameterVersion gives a version labels, taking them from the version that had them.
func (s *Server) LabelParameterVersion(_ context.Context, in *ssm.LabelParameterVersionInput) (*ssm.LabelParameterVersionOutput, error) {
	out := &ssm.LabelParameterVersionOutput{InvalidLabels: []string{}}
	err := s.relabel(in.Name, in.ParameterVersion, func(history []types.ParameterHistory, at int) error {
		out.ParameterVersion = history[at].Version
		for _, label := range in.Labels {
			if !labelOK(label) {
				out.InvalidLabels = append(out.InvalidLabels, label)
				continue
			}
			for i := range history {
				history[i].Labels = slices.DeleteFunc(slices.Clone(history[i].Labels), func(l string) bool { return l == label })
			}
			history[at].Labels = append(history[at].Labels, label)
		}
		if len(history[at].Labels) > mostLabels {
			return &types.ParameterVersionLabelLimitExceeded{Message: awsdoc.Text("A parameter version can have maximum %d labels.", mostLabels)}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UnlabelParameterVersion takes labels from a version.
func (s *Server) UnlabelParameterVersion(_ context.Context, in *ssm.UnlabelParameterVersionInput) (*ssm.UnlabelParameterVersionOutput, error) {
	out := &ssm.UnlabelParameterVersionOutput{RemovedLabels: []string{}, InvalidLabels: []string{}}
	err := s.relabel(in.Name, in.ParameterVersion, func(history []types.ParameterHistory, at int) error {
		for _, label := range in.Labels {
			if !slices.Contains(history[at].Labels, label) {
				out.InvalidLabels = append(out.InvalidLabels, label)
				continue
			}
			history[at].Labels = slices.DeleteFunc(slices.Clone(history[at].Labels), func(l string) bool { return l == label })
			out.RemovedLabels = append(out.RemovedLabels, label)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// relabel changes a copy of a parameter's history; at is the place of the version in question, the newest if none is named.
func (s *Server) relabel(name *string, version *int64, change func(history []types.ParameterHistory, at int) error) error {
	return s.engine.DB().Write(func(tx *state.Tx) error {
		p, ok := tx.Parameter(awsdoc.Or(name, ""))
		if !ok {
			return notFound()
		}
		want := awsdoc.Or(version, p.Newest().Version)
		at := slices.IndexFunc(p.History, func(v types.ParameterHistory) bool { return v.Version == want })
		if at < 0 {
			return &types.ParameterVersionNotFound{Message: awsdoc.Text(
				"Systems Manager could not find version %d of %s. Verify the version and try again.", want, p.Name)}
		}
		changed := *p
		changed.History = slices.Clone(p.History)
		if err := change(changed.History, at); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
}

// AddTagsToResource adds tags to a parameter, or gives those that are there other values.
func (s *Server) AddTagsToResource(_ context.Context, in *ssm.AddTagsToResourceInput) (*ssm.AddTagsToResourceOutput, error) {
	return &ssm.AddTagsToResourceOutput{}, s.retag(in.ResourceType, in.ResourceId, func(tags []types.Tag) []types.Tag {
		for _, t := range in.Tags {
			tags = slices.DeleteFunc(tags, func(old types.Tag) bool { return awsdoc.Or(old.Key, "") == awsdoc.Or(t.Key, "") })
			tags = append(tags, t)
		}
		return tags
	})
}

// RemoveTagsFromResource removes tags by their keys.
func (s *Server) RemoveTagsFromResource(_ context.Context, in *ssm.RemoveTagsFromResourceInput) (*ssm.RemoveTagsFromResourceOutput, error) { //nolint:lll // the form of an operation
	return &ssm.RemoveTagsFromResourceOutput{}, s.retag(in.ResourceType, in.ResourceId, func(tags []types.Tag) []types.Tag {
		return slices.DeleteFunc(tags, func(t types.Tag) bool { return slices.Contains(in.TagKeys, awsdoc.Or(t.Key, "")) })
	})
}

// ListTagsForResource lists a parameter's tags.
func (s *Server) ListTagsForResource(_ context.Context, in *ssm.ListTagsForResourceInput) (*ssm.ListTagsForResourceOutput, error) {
	p, err := tagged(s.engine.DB().Read(), in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &ssm.ListTagsForResourceOutput{TagList: awsdoc.List(p.Tags)}, nil
}

func tagged(snap state.Snapshot, kind types.ResourceTypeForTagging, id *string) (*state.Parameter, error) {
	if kind != types.ResourceTypeForTaggingParameter {
		return nil, &types.InvalidResourceType{Message: awsdoc.Text("Resources of the type %s are not served by this engine.", kind)}
	}
	p, ok := snap.Parameter(awsdoc.Or(id, ""))
	if !ok {
		return nil, &types.InvalidResourceId{Message: awsdoc.Text("The resource ID \"%s\" is not valid. Verify the ID and try again.", awsdoc.Or(id, ""))}
	}
	return p, nil
}

func (s *Server) retag(kind types.ResourceTypeForTagging, id *string, change func([]types.Tag) []types.Tag) error {
	return s.engine.DB().Write(func(tx *state.Tx) error {
		p, err := tagged(tx.Snapshot, kind, id)
		if err != nil {
			return err
		}
		changed := *p
		changed.Tags = change(slices.Clone(p.Tags))
		tx.Put(&changed)
		return nil
	})
}
