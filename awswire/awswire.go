// Package awswire lets a Go value speak the AWS JSON, RPC v2 CBOR and AWS Query protocols in the SDK's own types.
//
// A server is any value with methods of the form
//
//	func (s *Server) CreateService(ctx context.Context, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error)
//
// JSON, RPC and Query find those methods by reflection and make a Service of them; Handler serves any number of Services on
// one endpoint. There is no table of operations and no copying of members: what the SDK's types and schemas hold is
// what goes over the wire, so a member that AWS adds arrives with the next version of the SDK.
//
// Errors are the SDK's own exceptions (types.ServiceNotFoundException and the like) or smithy.GenericAPIError. Any other
// error is answered as a ServerException that tells nothing of its cause; the cause goes to Options.Log.
package awswire

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/fault"

	"github.com/aws/smithy-go"
)

type protocol string

const (
	protocolJSON  protocol = "json"
	protocolCBOR  protocol = "cbor"
	protocolQuery protocol = "query"
)

// A Service is a server value with the operations found in it, ready for Handler.
type Service struct {
	operations map[string]*operation
	target     string       // X-Amz-Target prefix; empty: speaks no JSON
	rpc        string       // the name in the paths of RPC v2 CBOR; empty: speaks none
	inputs     *inputReader // JSON and CBOR only
	version    string       // API version of Query; empty: speaks no Query
	xmlns      string       // namespace of Query answers
}

// operation is one method of a server value.
type operation struct {
	name    string
	in, out reflect.Type // the struct types, not the pointers
	call    func(ctx context.Context, in any) (any, error)
}

// JSON makes a Service that speaks AWS JSON 1.0 and 1.1 of every method of server with the shape of an operation.
//
// The prefix is what comes before the operation's name in X-Amz-Target: "AmazonEC2ContainerServiceV20141113" (ECS),
// "AmazonEC2ContainerRegistry_V20150921" (ECR), "Logs_20140328" (CloudWatch Logs). It fails when server has no such
// method, when a method is one by its form but not by its types' names, or when the types carry no schema.
//
// An operation whose input holds a union at its top level needs the union's members named, as pointers to their types
// (of ECS only CreateGateway and UpdateGateway: &types.GatewayConfigurationMemberHostSharedAlb{}); unions further down
// and in answers need nothing.
func JSON(prefix string, server any, unions ...any) (Service, error) {
	s, err := newService(server)
	if err != nil {
		return Service{}, err
	}
	s.target, s.inputs = prefix, withUnions(unions)
	for _, name := range s.Operations() {
		op := s.operations[name]
		for _, t := range []reflect.Type{op.in, op.out} {
			if _, err := schemaOf(t); err != nil {
				return Service{}, fault.New(fault.Internal, "cannot serve operation %q: %w", name, err)
			}
		}
	}
	return s, nil
}

// RPC makes a Service that speaks RPC v2 CBOR, and AWS JSON too, under the same name: "GraniteServiceVersion20100801"
// (CloudWatch). The rest is as with JSON.
func RPC(name string, server any, unions ...any) (Service, error) {
	s, err := JSON(name, server, unions...)
	s.rpc = name
	return s, err
}

// WithQuery returns the service speaking AWS Query as well: some changed their protocol, and clients of both ages are
// about. Unions cannot be said in Query: an answer must hold none.
func (s Service) WithQuery(version, xmlns string) Service {
	s.version, s.xmlns = version, xmlns
	return s
}

// Query makes a Service that speaks AWS Query: Action and Version in a form, answers in XML.
//
// The versions and namespaces: "2012-06-01" with "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/" (classic
// load balancers), "2015-12-01" with "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/" (application load
// balancers), "2011-06-15" with "https://sts.amazonaws.com/doc/2011-06-15/" (STS).
func Query(version, xmlns string, server any) (Service, error) {
	s, err := newService(server)
	if err != nil {
		return Service{}, err
	}
	return s.WithQuery(version, xmlns), nil
}

// Operations returns the names of the operations, sorted.
func (s Service) Operations() []string { return slices.Sorted(maps.Keys(s.operations)) }

func newService(server any) (Service, error) {
	v := reflect.ValueOf(server)
	if !v.IsValid() {
		return Service{}, fault.New(fault.Internal, "cannot serve nil: give a value with operations as methods")
	}
	s := Service{operations: map[string]*operation{}}
	for i := range v.NumMethod() {
		op, err := newOperation(v.Type().Method(i).Name, v.Method(i))
		if err != nil {
			return Service{}, err
		}
		if op != nil {
			s.operations[op.name] = op
		}
	}
	if len(s.operations) == 0 {
		return Service{}, fault.New(fault.Internal,
			"cannot serve %T: no method has the form func(context.Context, *XInput) (*XOutput, error)", server)
	}
	return s, nil
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// newOperation returns nil for a method that is no operation.
func newOperation(name string, method reflect.Value) (*operation, error) {
	t := method.Type()
	if t.IsVariadic() || t.NumIn() != 2 || t.NumOut() != 2 || t.In(0) != contextType || t.Out(1) != errorType {
		return nil, nil
	}
	in, out := t.In(1), t.Out(0)
	if !isPointerToStruct(in) || !isPointerToStruct(out) || !strings.HasSuffix(in.Elem().Name(), "Input") {
		return nil, nil
	}
	in, out = in.Elem(), out.Elem()
	if in.Name() != name+"Input" || out.Name() != name+"Output" || in.PkgPath() != out.PkgPath() {
		return nil, fault.New(fault.Internal, "cannot serve operation %q: it takes %s and returns %s", name, in, out)
	}
	return &operation{name: name, in: in, out: out, call: func(ctx context.Context, in any) (any, error) {
		results := method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(in)})
		if err, _ := reflect.TypeAssert[error](results[1]); err != nil {
			return nil, err
		}
		if results[0].IsNil() {
			return nil, &smithy.GenericAPIError{Code: codeServer, Message: name + " returned nothing", Fault: smithy.FaultServer}
		}
		return results[0].Interface(), nil
	}}, nil
}

func isPointerToStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}
