package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	smithy "github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// limits keep one process at half of what AWS allows the whole account, so that several can deploy at once. AWS counts by
// groups of operations; a second: service reads 20, reads of tasks and instances 20, of task definitions 20, of service
// deployments and revisions 20, service changes 5, task definition changes 1. [ECS: request throttling] CloudWatch Logs
// answers 5 searches. [CloudWatch Logs quotas, FilterLogEvents]
type limits struct {
	service, resource, definition, history, other *rate.Limiter
	change, register, search                      *rate.Limiter
}

func newLimits() *limits {
	read := func() *rate.Limiter { return rate.NewLimiter(10, 25) }
	return &limits{
		service: read(), resource: read(), definition: read(), history: read(), other: read(),
		change: rate.NewLimiter(2.5, 10), register: rate.NewLimiter(0.5, 10),
		search: rate.NewLimiter(2.5, 5),
	}
}

func (l *limits) of(operation string) *rate.Limiter {
	switch operation {
	case "DescribeServices":
		return l.service
	case "ListTasks", "DescribeTasks", "ListContainerInstances", "DescribeContainerInstances":
		return l.resource
	case "DescribeTaskDefinition", "ListTaskDefinitions":
		return l.definition
	case "ListServiceDeployments", "DescribeServiceDeployments", "DescribeServiceRevisions":
		return l.history
	case "CreateService", "UpdateService", "DeleteService", "StopServiceDeployment", "ContinueServiceDeployment":
		return l.change
	case "RegisterTaskDefinition", "DeregisterTaskDefinition":
		return l.register
	case "FilterLogEvents":
		return l.search
	}
	return l.other // Elastic Load Balancing and CloudWatch Logs count by themselves
}

// addTo makes every call wait for its turn.
func (l *limits) addTo(stack *smithy.Stack) error {
	return stack.Initialize.Add(smithy.InitializeMiddlewareFunc("SlipwayLimit",
		func(ctx context.Context, in smithy.InitializeInput, next smithy.InitializeHandler) (smithy.InitializeOutput, smithy.Metadata, error) {
			if err := l.of(middleware.GetOperationName(ctx)).Wait(ctx); err != nil {
				return smithy.InitializeOutput{}, smithy.Metadata{}, err
			}
			return next.HandleInitialize(ctx, in)
		}), smithy.After)
}
