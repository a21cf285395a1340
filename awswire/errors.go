package awswire

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// rpcProtocol is what the header Smithy-Protocol says.
const rpcProtocol = "rpc-v2-cbor"

// Codes that AWS's front ends answer with before an operation is called: for JSON and CBOR, and for Query.
const (
	codeServer           = "ServerException"
	codeSerialization    = "SerializationException"
	codeUnknownOperation = "UnknownOperationException"
	codeTooLarge         = "RequestEntityTooLargeException"

	codeQueryServer    = "InternalFailure"
	codeQueryAction    = "InvalidAction"
	codeQueryNoAction  = "MissingAction"
	codeQueryMalformed = "MalformedInput"
)

// refusal is an answer that is given before the operation is called, worded for either protocol.
type refusal struct {
	json, query             string // codes
	jsonMessage             string
	queryMessage            string // empty: the same as jsonMessage
	jsonStatus, queryStatus int    // 0: 400
}

func (r *refusal) Error() string { return r.json + ": " + r.jsonMessage }

func malformed(format string, args ...any) *refusal {
	return &refusal{json: codeSerialization, query: codeQueryMalformed, jsonMessage: fmt.Sprintf(format, args...)}
}

// answer is an error in the form in which it goes over the wire.
type answer struct {
	status  int
	code    string
	message string
	fault   smithy.ErrorFault
	members any    // the exception itself when it is a modeled one, else nil
	query   string // the code under which Query knows a modeled exception, when it is another one
}

// queryCode is the code for clients that know the service by its older protocol, Query.
func (a answer) queryCode() string {
	if a.query != "" {
		return a.query
	}
	return a.code
}

// sender says whose fault it is, in the words of Query.
func (a answer) sender() string {
	if a.status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// answerFor turns whatever an operation, a hook or this package returned into what the caller is told. The second
// result says that the cause is withheld and should be logged.
func answerFor(err error, p protocol) (answer, bool) {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.answer(p), false
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return internalAnswer(p), true
	}
	a := answer{status: http.StatusBadRequest, code: api.ErrorCode(), message: api.ErrorMessage(), fault: api.ErrorFault()}
	if _, generic := api.(*smithy.GenericAPIError); !generic {
		a.members = api
	}
	if a.fault == smithy.FaultServer || a.code == codeServer {
		a.status, a.fault = http.StatusInternalServerError, smithy.FaultServer
	}
	if schema := exceptionSchema(api); schema != nil {
		if trait, ok := smithy.SchemaTrait[*traits.HTTPError](schema); ok {
			a.status = trait.Code
		}
		if trait, ok := smithy.SchemaTrait[*traits.AWSQueryError](schema); ok {
			a.query = trait.ErrorCode
		}
	} else if strings.HasPrefix(a.code, "AccessDenied") {
		a.status = http.StatusForbidden
	}
	return a, false
}

// exceptionSchema returns nil for generic errors, for the server's own and for exceptions of Query services.
func exceptionSchema(err smithy.APIError) *smithy.Schema {
	t := reflect.TypeOf(err)
	if !isPointerToStruct(t) {
		return nil
	}
	schema, _ := schemaOf(t.Elem())
	return schema
}

func (r *refusal) answer(p protocol) answer {
	a := answer{status: r.jsonStatus, code: r.json, message: r.jsonMessage, fault: smithy.FaultClient}
	if p == protocolQuery {
		a.status, a.code = r.queryStatus, r.query
		if r.queryMessage != "" {
			a.message = r.queryMessage
		}
	}
	if a.status == 0 {
		a.status = http.StatusBadRequest
	}
	return a
}

func internalAnswer(p protocol) answer {
	a := answer{
		status: http.StatusInternalServerError, code: codeServer, fault: smithy.FaultServer,
		message: "The server met an internal error. Its log names the cause under this request's id.",
	}
	if p == protocolQuery {
		a.code = codeQueryServer
	}
	return a
}
