// Package cloudwatchapi is the Amazon CloudWatch API of the engine: alarms, and the metrics that clients put.
package cloudwatchapi

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves CloudWatch operations: alarms are in the engine's state, data points in its memory.
type Server struct{ engine *engine.Engine }

// New returns the CloudWatch API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

func (s *Server) write(change func(*state.Tx) error) error { return s.engine.DB().Write(change) }

func (s *Server) read() state.Snapshot { return s.engine.DB().Read() }

const alarmResource = "alarm:"

func (s *Server) arn(alarm string) *string {
	return awsdoc.Text("%s", s.engine.Identity().ARN("cloudwatch", alarmResource+alarm))
}

// alarmOf returns the alarm with that ARN.
func alarmOf(snap state.Snapshot, arn *string) (*state.Alarm, error) {
	_, name, _ := strings.Cut(awsdoc.Or(arn, ""), ":"+alarmResource)
	a, ok := snap.Alarm(name)
	if !ok || awsdoc.Or(a.Doc.AlarmArn, "") != *arn {
		return nil, &types.ResourceNotFoundException{
			Message: awsdoc.Text("Unknown"), ResourceType: awsdoc.Text("Resource"), ResourceId: arn,
		}
	}
	return a, nil
}

func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: *awsdoc.Text(format, args...), Fault: smithy.FaultClient}
}

func notServed(member string) error {
	return validation("%s is not served by this engine.", member)
}

// page cuts one page of keys in that order.
func page(keys []string, order func(a, b string) int, token *string, size *int32, usual, most int) ([]string, *string, error) {
	n := int(awsdoc.Or(size, int32(usual)))
	if n < 1 || n > most {
		return nil, nil, validation("Value '%d' at 'maxRecords' failed to satisfy constraint: Member must have value between 1 and %d", n, most)
	}
	cut, next, ok := awsdoc.Page(keys, order, token, n)
	if !ok {
		return nil, nil, &types.InvalidNextToken{Message: awsdoc.Text("Invalid nextToken")}
	}
	return cut, next, nil
}

// Unions names the members of the unions in inputs, as awswire.RPC needs them.
func Unions() []any {
	return []any{
		&types.EvaluationCriteriaMemberPromQLCriteria{},
		&types.EvaluationWindowMemberSlidingWindow{}, &types.EvaluationWindowMemberWallClockWindow{},
	}
}
