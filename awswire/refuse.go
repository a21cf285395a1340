package awswire

import "net/http"

// Refuse makes the answer to a request that is turned away before its operation is called, with a code that need be none
// of the operation's own errors.
func Refuse(status int, code, message string) error {
	return &refusal{json: code, query: code, jsonMessage: message, jsonStatus: status, queryStatus: status}
}

// Throttled makes the answer to a caller who sends too many requests. Its code is ThrottlingException in JSON and CBOR,
// Throttling in Query. [Amazon ECS API Reference, Request throttling; AWS Query protocol, Common errors]
func Throttled() error {
	return &refusal{
		json: "ThrottlingException", query: "Throttling", jsonMessage: "Rate exceeded",
		jsonStatus: http.StatusBadRequest, queryStatus: http.StatusBadRequest,
	}
}
