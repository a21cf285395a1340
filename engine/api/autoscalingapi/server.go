// Package autoscalingapi is the Application Auto Scaling API of the engine, for the desired counts of ECS services.
package autoscalingapi

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves Application Auto Scaling operations.
type Server struct{ engine *engine.Engine }

// New returns the Application Auto Scaling API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

func (s *Server) write(change func(*state.Tx) error) error { return s.engine.DB().Write(change) }

func (s *Server) read() state.Snapshot { return s.engine.DB().Read() }

func validation(format string, args ...any) error {
	return &types.ValidationException{Message: awsdoc.Text(format, args...)}
}

// checkNamespace refuses what is not ECS's.
func checkNamespace(n types.ServiceNamespace, d types.ScalableDimension) error {
	if n != types.ServiceNamespaceEcs {
		return validation("The service namespace %s is not served by this engine: use ecs.", n)
	}
	if d != "" && d != types.ScalableDimensionECSServiceDesiredCount {
		return validation("Unsupported service namespace, resource type or scalable dimension: %s. Use %s.", d, types.ScalableDimensionECSServiceDesiredCount)
	}
	return nil
}

// target returns the registered target of a resource.
func target(snap state.Snapshot, n types.ServiceNamespace, d types.ScalableDimension, resource *string) (*state.ScalableTarget, error) {
	if err := checkNamespace(n, d); err != nil {
		return nil, err
	}
	t, ok := snap.ScalableTarget(awsdoc.Or(resource, ""))
	if !ok {
		return nil, notFound("No scalable target registered for service namespace: ecs, resource ID: %s, scalable dimension: %s", awsdoc.Or(resource, ""), d)
	}
	return t, nil
}

func notFound(format string, args ...any) error {
	return &types.ObjectNotFoundException{Message: awsdoc.Text(format, args...)}
}

func page(keys []string, order func(a, b string) int, token *string, size *int32) ([]string, *string, error) {
	const most = 50 // [API reference: DescribeScalableTargets, MaxResults]
	n := int(awsdoc.Or(size, most))
	if n < 1 || n > most {
		return nil, nil, validation("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", n, most)
	}
	cut, next, ok := awsdoc.Page(keys, order, token, n)
	if !ok {
		return nil, nil, &types.InvalidNextTokenException{Message: awsdoc.Text("Invalid next token")}
	}
	return cut, next, nil
}

func checkName(member, name string) error {
	if name == "" || len(name) > 256 || strings.ContainsAny(name, "|:/\x00\n") {
		return validation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: it must have 1 to 256 characters, none of them | : /", name, member)
	}
	return nil
}
