// Package cloudmapapi is the AWS Cloud Map API of the engine: namespaces, and the services in them that instances are found under.
package cloudmapapi

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves Cloud Map operations on the engine's state.
type Server struct{ engine *engine.Engine }

// New returns the Cloud Map API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

func (s *Server) write(change func(*state.Tx) error) error { return s.engine.DB().Write(change) }

func (s *Server) read() state.Snapshot { return s.engine.DB().Read() }

func (s *Server) region() string { return s.engine.Identity().Region }

func (s *Server) arn(resource string) *string {
	return aws.String(s.engine.Identity().ARN("servicediscovery", resource))
}

func invalid(format string, args ...any) error {
	return &types.InvalidInput{Message: awsdoc.Text(format, args...)}
}

// lastPart is what an ARN ends with; an id is its own.
func lastPart(arn *string) string {
	text := aws.ToString(arn)
	return text[strings.LastIndexByte(text, '/')+1:]
}

// page cuts one page out of ids.
func page(ids []string, token *string, limit *int32) ([]string, *string, error) {
	const most = 100
	n := int(awsdoc.Or(limit, most))
	if n < 1 || n > most {
		return nil, nil, invalid("MaxResults must be between 1 and %d.", most)
	}
	cut, next, ok := awsdoc.Page(ids, awsdoc.Ascending, token, n)
	if !ok {
		return nil, nil, invalid("The NextToken is not valid.")
	}
	return cut, next, nil
}

// filter is one condition of a list. Of the conditions those are served that the names go with.
type filter struct {
	condition types.FilterCondition
	values    []string
}

func (f filter) lets(value string) bool {
	for _, v := range f.values {
		if v == value || f.condition == types.FilterConditionBeginsWith && strings.HasPrefix(value, v) {
			return true
		}
	}
	return false
}

// keepOperations is how long an operation is still told of.
const keepOperations = time.Hour

// did writes down what has been done, and returns the id under which it can be asked for.
func (s *Server) did(tx *state.Tx, what types.OperationType, targets map[types.OperationTargetType]string) *string {
	now := s.engine.Now()
	for old := range tx.Operations() { // the oldest first
		if now.Sub(aws.ToTime(old.Doc.CreateDate)) < keepOperations {
			break
		}
		tx.Delete(old)
	}
	op := &state.Operation{ID: fmt.Sprintf("%016x%s", now.UnixNano(), engine.NewHexID()[:16])}
	op.Doc = types.Operation{
		Id: &op.ID, Type: what, Status: types.OperationStatusSuccess, CreateDate: &now, UpdateDate: &now, Targets: map[string]string{},
		OwnerAccount: aws.String(s.engine.Identity().Account),
	}
	for kind, id := range targets {
		op.Doc.Targets[string(kind)] = id
	}
	tx.Put(op)
	return &op.ID
}

// GetOperation tells what has become of something that was asked for.
func (s *Server) GetOperation(_ context.Context, in *sd.GetOperationInput) (*sd.GetOperationOutput, error) {
	op, ok := s.read().Operation(aws.ToString(in.OperationId))
	if !ok {
		return nil, &types.OperationNotFound{Message: awsdoc.Text("Operation with id %s not found.", aws.ToString(in.OperationId))}
	}
	return &sd.GetOperationOutput{Operation: &op.Doc}, nil
}

// ListOperations lists what was asked for during the last hour.
func (s *Server) ListOperations(_ context.Context, in *sd.ListOperationsInput) (*sd.ListOperationsOutput, error) {
	snap := s.read()
	var ids []string
	for op := range snap.Operations() {
		lets, err := letsOperation(op, in.Filters)
		if err != nil {
			return nil, err
		}
		if lets {
			ids = append(ids, op.ID)
		}
	}
	ids, next, err := page(ids, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &sd.ListOperationsOutput{Operations: []types.OperationSummary{}, NextToken: next}
	for _, id := range ids {
		op, _ := snap.Operation(id)
		out.Operations = append(out.Operations, types.OperationSummary{Id: &op.ID, Status: op.Doc.Status})
	}
	return out, nil
}

func letsOperation(op *state.Operation, filters []types.OperationFilter) (bool, error) {
	for _, f := range filters {
		var value string
		switch f.Name {
		case types.OperationFilterNameNamespaceId:
			value = op.Doc.Targets[string(types.OperationTargetTypeNamespace)]
		case types.OperationFilterNameServiceId:
			value = op.Doc.Targets[string(types.OperationTargetTypeService)]
		case types.OperationFilterNameStatus:
			value = string(op.Doc.Status)
		case types.OperationFilterNameType:
			value = string(op.Doc.Type)
		default:
			return false, invalid("Operations cannot be filtered by %s here.", f.Name)
		}
		if !(filter{f.Condition, f.Values}).lets(value) {
			return false, nil
		}
	}
	return true, nil
}
