package ecsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// ListAttributes lists the attributes of container instances that placement constraints can name.
func (s *Server) ListAttributes(_ context.Context, in *ecs.ListAttributesInput) (*ecs.ListAttributesOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	found, keys := map[string]types.Attribute{}, []string{}
	for i := range snap.Instances(c.Name) {
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
