// Package eventsapi is the Amazon EventBridge API of the engine: the rules, targets and events of its default bus.
package eventsapi

import (
	"context"
	"regexp"
	"strings"
	"sync"

	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves EventBridge operations: rules and destinations are in the engine's state, events go over its bus.
type Server struct {
	engine *engine.Engine
	bus    *bus.Bus
}

// New returns the EventBridge API of an engine and its bus.
func New(e *engine.Engine, b *bus.Bus) *Server { return &Server{e, b} }

func (s *Server) write(change func(*state.Tx) error) error { return s.engine.DB().Write(change) }

func (s *Server) read() state.Snapshot { return s.engine.DB().Read() }

func (s *Server) arn(resource string) string { return s.engine.Identity().ARN("events", resource) }

var nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`) })

func checkName(name *string) error {
	if !nameForm().MatchString(awsdoc.Or(name, "")) {
		return validation("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", awsdoc.Or(name, ""))
	}
	return nil
}

func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: *awsdoc.Text(format, args...), Fault: smithy.FaultClient}
}

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: awsdoc.Text(format, args...)}
}

const defaultBus = "default"

// checkBus refuses buses other than the default one, which can be named by its ARN, too.
func (s *Server) checkBus(name *string) error {
	if n := awsdoc.Or(name, defaultBus); n != defaultBus && n != s.arn("event-bus/"+defaultBus) {
		return notFound("Event bus %s does not exist.", n)
	}
	return nil
}

// rule returns the rule with that name of a bus.
func (s *Server) rule(snap state.Snapshot, bus, name *string) (*state.EventRule, error) {
	if err := s.checkBus(bus); err != nil {
		return nil, err
	}
	r, ok := snap.EventRule(awsdoc.Or(name, ""))
	if !ok {
		return nil, notFound("Rule %s does not exist on EventBus %s.", awsdoc.Or(name, ""), defaultBus)
	}
	return r, nil
}

func page(keys []string, token *string, limit *int32) ([]string, *string, error) {
	const most = 100
	n := int(awsdoc.Or(limit, most))
	if n < 1 || n > most {
		return nil, nil, validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", n, most)
	}
	cut, next, ok := awsdoc.Page(keys, awsdoc.Ascending, token, n)
	if !ok {
		return nil, nil, validation("Invalid token.")
	}
	return cut, next, nil
}

// DescribeEventBus describes the default bus, the only one.
func (s *Server) DescribeEventBus(_ context.Context, in *eb.DescribeEventBusInput) (*eb.DescribeEventBusOutput, error) {
	if err := s.checkBus(in.Name); err != nil {
		return nil, err
	}
	return &eb.DescribeEventBusOutput{Name: awsdoc.Text(defaultBus), Arn: awsdoc.Text("%s", s.arn("event-bus/"+defaultBus))}, nil
}

// ListEventBuses lists the default bus, the only one.
func (s *Server) ListEventBuses(_ context.Context, in *eb.ListEventBusesInput) (*eb.ListEventBusesOutput, error) {
	var names []string
	if strings.HasPrefix(defaultBus, awsdoc.Or(in.NamePrefix, "")) {
		names = append(names, defaultBus)
	}
	names, next, err := page(names, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eb.ListEventBusesOutput{EventBuses: []types.EventBus{}, NextToken: next}
	for _, name := range names {
		out.EventBuses = append(out.EventBuses, types.EventBus{Name: &name, Arn: awsdoc.Text("%s", s.arn("event-bus/"+name))})
	}
	return out, nil
}
