package ecsapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// DescribeCapacityProviders describes those that every account has: Fargate's.
func (s *Server) DescribeCapacityProviders(_ context.Context, in *ecs.DescribeCapacityProvidersInput) (*ecs.DescribeCapacityProvidersOutput, error) {
	everyone := []string{"FARGATE", "FARGATE_SPOT"}
	names := slices.Clone(in.CapacityProviders)
	if len(names) == 0 {
		names = slices.Clone(everyone)
	}
	names, next, err := pageInOrder(names, awsdoc.Ascending, in.NextToken, awsdoc.Or(in.MaxResults, 0), 10)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeCapacityProvidersOutput{NextToken: next}
	for _, ref := range names {
		name := engine.ResourceName(ref)
		arn := awsdoc.Text("%s", s.engine.Identity().ARN("ecs", "capacity-provider/"+name))
		if !slices.Contains(everyone, name) {
			out.Failures = append(out.Failures, types.Failure{Arn: arn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		out.CapacityProviders = append(out.CapacityProviders, types.CapacityProvider{
			CapacityProviderArn: arn, Name: &name, Status: types.CapacityProviderStatusActive, Tags: []types.Tag{},
		})
	}
	return out, nil
}
