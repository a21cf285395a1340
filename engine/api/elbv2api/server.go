// Package elbv2api is the Elastic Load Balancing API of the engine for application and network load balancers.
package elbv2api

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves the operations of load balancers, listeners, rules and target groups on an engine.
type Server struct{ engine *engine.Engine }

// New returns the Elastic Load Balancing v2 API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

var nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$`) })

func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: *awsdoc.Text(format, args...), Fault: smithy.FaultClient}
}

// newID returns 16 random hex digits, as the ARNs of load balancers end with.
func newID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails [crypto/rand]
	return hex.EncodeToString(b)
}

func (s *Server) arn(resource string) string {
	return s.engine.Identity().ARN("elasticloadbalancing", resource)
}

// below returns the path of an ARN's resource without its kind: "app/web/0123456789abcdef".
func below(arn string) string {
	_, resource, _ := strings.Cut(arn, "/")
	return resource
}

func (s *Server) write(change func(*state.Tx) error) error { return s.engine.DB().Write(change) }

func (s *Server) read() state.Snapshot { return s.engine.DB().Read() }

func balancer(snap state.Snapshot, arn *string) (*state.Balancer, error) {
	b, ok := snap.Balancer(awsdoc.Or(arn, ""))
	if !ok {
		return nil, &types.LoadBalancerNotFoundException{Message: awsdoc.Text("Load balancer '%s' not found", awsdoc.Or(arn, ""))}
	}
	return b, nil
}

func listener(snap state.Snapshot, arn *string) (*state.Listener, error) {
	l, ok := snap.Listener(awsdoc.Or(arn, ""))
	if !ok {
		return nil, &types.ListenerNotFoundException{Message: awsdoc.Text("Listener '%s' not found", awsdoc.Or(arn, ""))}
	}
	return l, nil
}

func rule(snap state.Snapshot, arn *string) (*state.Rule, error) {
	r, ok := snap.Rule(awsdoc.Or(arn, ""))
	if !ok {
		return nil, &types.RuleNotFoundException{Message: awsdoc.Text("One or more rules not found")}
	}
	return r, nil
}

func targetGroup(snap state.Snapshot, arn *string) (*state.TargetGroup, error) {
	g, ok := snap.TargetGroup(awsdoc.Or(arn, ""))
	if !ok {
		return nil, &types.TargetGroupNotFoundException{Message: awsdoc.Text("One or more target groups not found")}
	}
	return g, nil
}

// page is how many things one answer describes at most. [API reference: PageSize]
const pageSize = 400

func page(keys []string, marker *string, size *int32) ([]string, *string, error) {
	n := int(awsdoc.Or(size, pageSize))
	if n < 1 || n > pageSize {
		return nil, nil, validation("PageSize must be between 1 and %d", pageSize)
	}
	cut, next, ok := awsdoc.Page(keys, awsdoc.Ascending, marker, n)
	if !ok {
		return nil, nil, validation("Invalid marker")
	}
	return cut, next, nil
}
