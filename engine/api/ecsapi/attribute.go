package ecsapi

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// maxAttributes is how many attributes one request can name, and how many of their own an instance can have.
// [API reference: PutAttributes]
const maxAttributes = 10

var (
	attributeName  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_/\\.-]{1,128}$`) })
	attributeValue = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.@/\\: -]{1,128}$`) })
)

// ListAttributes lists the attributes of container instances that placement constraints can name.
func (s *Server) ListAttributes(_ context.Context, in *ecs.ListAttributesInput) (*ecs.ListAttributesOutput, error) {
	if in.TargetType != "" && in.TargetType != types.TargetTypeContainerInstance {
		return nil, invalid("Invalid target type: %s", in.TargetType)
	}
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	found, keys := map[string]types.Attribute{}, []string{}
	for i := range snap.Instances(c.Name) {
		if !i.Gone.IsZero() {
			continue
		}
		for n, a := range i.Doc.Attributes {
			if (in.AttributeName != nil && *in.AttributeName != awsdoc.Or(a.Name, "")) ||
				(in.AttributeValue != nil && *in.AttributeValue != awsdoc.Or(a.Value, "")) {
				continue
			}
			a.TargetId = i.Doc.ContainerInstanceArn
			key := fmt.Sprintf("%s %03d", i.ID, n)
			keys, found[key] = append(keys, key), a
		}
	}
	keys, next, err := page(keys, in.NextToken, awsdoc.Or(in.MaxResults, 0))
	if err != nil {
		return nil, err
	}
	out := &ecs.ListAttributesOutput{NextToken: next}
	for _, key := range keys {
		out.Attributes = append(out.Attributes, found[key])
	}
	return out, nil
}

// PutAttributes gives container instances attributes, or those that they have other values.
func (s *Server) PutAttributes(_ context.Context, in *ecs.PutAttributesInput) (*ecs.PutAttributesOutput, error) {
	out := &ecs.PutAttributesOutput{}
	return out, s.changeAttributes(in.Cluster, in.Attributes, func(have []types.Attribute, a types.Attribute) ([]types.Attribute, error) {
		if err := checkAttribute(a); err != nil {
			return nil, err
		}
		have = withAttributes(have, []types.Attribute{{Name: a.Name, Value: a.Value}})
		if own(have) > maxAttributes {
			return nil, &types.AttributeLimitExceededException{Message: awsdoc.Text("The container instance can have at most %d custom attributes.", maxAttributes)}
		}
		out.Attributes = append(out.Attributes, a)
		return have, nil
	})
}

// DeleteAttributes takes attributes away from container instances. One that an instance has not is no error.
func (s *Server) DeleteAttributes(_ context.Context, in *ecs.DeleteAttributesInput) (*ecs.DeleteAttributesOutput, error) {
	out := &ecs.DeleteAttributesOutput{}
	return out, s.changeAttributes(in.Cluster, in.Attributes, func(have []types.Attribute, a types.Attribute) ([]types.Attribute, error) {
		if awsdoc.Or(a.Name, "") == "" {
			return nil, invalid("Attribute name can not be blank.")
		}
		at := slices.IndexFunc(have, func(h types.Attribute) bool { return awsdoc.Or(h.Name, "") == *a.Name })
		if at < 0 || a.Value != nil && awsdoc.Or(have[at].Value, "") != *a.Value {
			return have, nil
		}
		out.Attributes = append(out.Attributes, a)
		return slices.Delete(slices.Clone(have), at, at+1), nil
	})
}

func checkAttribute(a types.Attribute) error {
	switch name := awsdoc.Or(a.Name, ""); {
	case !attributeName().MatchString(name):
		return invalid("Invalid attribute name: %q", name)
	case a.Value != nil && (!attributeValue().MatchString(*a.Value) || strings.TrimSpace(*a.Value) != *a.Value):
		return invalid("Invalid attribute value: %q", *a.Value)
	}
	return nil
}

// own counts the attributes that no agent has given.
func own(list []types.Attribute) int {
	n := 0
	for _, a := range list {
		if name := awsdoc.Or(a.Name, ""); !strings.HasPrefix(name, "ecs.") && !strings.HasPrefix(name, "com.amazonaws.ecs.") {
			n++
		}
	}
	return n
}

// withAttributes returns the attributes with others set.
func withAttributes(have, others []types.Attribute) []types.Attribute {
	list := slices.Clone(have)
	for _, a := range others {
		a.TargetId, a.TargetType = nil, ""
		if at := slices.IndexFunc(list, func(h types.Attribute) bool { return awsdoc.Or(h.Name, "") == awsdoc.Or(a.Name, "") }); at >= 0 {
			list[at] = a
		} else {
			list = append(list, a)
		}
	}
	return list
}

// changeAttributes changes the attributes of each target that a request names: all of them, or none.
func (s *Server) changeAttributes(
	cluster *string, attributes []types.Attribute, change func([]types.Attribute, types.Attribute) ([]types.Attribute, error),
) error {
	if len(attributes) == 0 || len(attributes) > maxAttributes {
		return invalid("Attributes must have between 1 and %d elements.", maxAttributes)
	}
	return s.engine.DB().Write(func(tx *state.Tx) error {
		for _, a := range attributes {
			i, err := targetOf(tx.Snapshot, cluster, a)
			if err != nil {
				return err
			}
			changed := *i
			if changed.Doc.Attributes, err = change(i.Doc.Attributes, a); err != nil {
				return err
			}
			changed.Doc.Version++
			tx.Put(&changed)
		}
		return nil
	})
}

// targetOf finds the container instance that an attribute is for.
func targetOf(snap state.Snapshot, cluster *string, a types.Attribute) (*state.Instance, error) {
	ref := awsdoc.Or(a.TargetId, "")
	switch {
	case ref == "":
		return nil, invalid("Target id can not be blank.")
	case !strings.HasPrefix(ref, "arn:") && a.TargetType == "":
		return nil, invalid("The target type must be specified when the short form of the target id is used.")
	}
	if _, err := activeCluster(snap, cluster); err != nil {
		return nil, err
	}
	i, err := knownInstance(snap, cluster, a.TargetId)
	if err != nil {
		return nil, &types.TargetNotFoundException{Message: awsdoc.Text("Unable to find the specified target %s.", ref)}
	}
	return i, nil
}
