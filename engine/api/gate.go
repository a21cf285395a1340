package api

import (
	"context"
	"path"
	"reflect"
	"slices"

	"github.com/slipway-cd/slipway/awswire"
)

// Gate stands before the AWS APIs, but for Amazon S3. An action is SERVICE:OPERATION with the service's name in the AWS
// CLI: ecs:UpdateService.
type Gate struct {
	// Pass is asked about each request once its sender is known and its input is read; it may take its time. An error that
	// it returns is the answer.
	Pass func(ctx context.Context, action string) error
	// Actions are all that are served, sorted. Handler fills them in.
	Actions []string
}

// nameInCLI has the services whose name in the AWS CLI is not that of the SDK's package.
var nameInCLI = map[string]string{
	"elasticloadbalancing": "elb", "elasticloadbalancingv2": "elbv2", "cloudwatchlogs": "logs", "eventbridge": "events",
	"applicationautoscaling": "application-autoscaling",
}

// actionOf names what an input, a struct of the SDK's, is for.
func actionOf(input reflect.Type, operation string) string {
	service := path.Base(input.PkgPath())
	if name := nameInCLI[service]; name != "" {
		service = name
	}
	return service + ":" + operation
}

// before returns what awswire asks before each operation: the gate, and then whether the input has all that is required.
func (g *Gate) before(services []awswire.Service) func(context.Context, string, any) error {
	complete := required()
	if g == nil {
		return complete
	}
	for _, s := range services {
		for _, operation := range s.Operations() {
			g.Actions = append(g.Actions, actionOf(s.Input(operation), operation))
		}
	}
	slices.Sort(g.Actions)
	return func(ctx context.Context, operation string, input any) error {
		if err := g.Pass(ctx, actionOf(reflect.TypeOf(input).Elem(), operation)); err != nil {
			return err
		}
		return complete(ctx, operation, input)
	}
}
