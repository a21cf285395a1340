// Package fault names the kinds of errors that Slipway tells apart, and the problems it finds in a user's files.
//
// An error that a user meets has three readers: a Kind for the program (it decides the exit code), a sentence for the
// user (Error, and Hint where a remedy is known), and the wrapped chain for the operator (errors.Unwrap).
package fault

import (
	"errors"
	"fmt"
)

// A Kind says what sort of thing went wrong, so that callers can decide without reading the sentence.
type Kind string

// The kinds. Internal is what an error without a kind is taken for.
const (
	Internal    Kind = "internal"    // none of the others
	Invalid     Kind = "invalid"     // wrong usage, or a problem in the user's files
	NotFound    Kind = "not-found"   // the named thing does not exist
	Conflict    Kind = "conflict"    // it exists already with other content, or somebody else changed it meanwhile
	Denied      Kind = "denied"      // credentials are missing, wrong, expired or not sufficient
	Unavailable Kind = "unavailable" // the other side does not answer
	Throttled   Kind = "throttled"   // the other side asks to slow down
	Corrupt     Kind = "corrupt"     // content is not what its digest says
	Refused     Kind = "refused"     // a policy forbids it: locked, frozen, held, not approved
	Timeout     Kind = "timeout"     // it did not come to an end in the time allowed
	Interrupted Kind = "interrupted" // the user stopped it
)

// Error is an error with a kind, a sentence that names the object, and, where one is known, a remedy.
type Error struct {
	Kind    Kind
	Message string // lower case, names the object, tells the cause: `cannot read service "web": connection refused`
	Hint    string // what the user can do; empty when there is nothing to say
	Err     error  // the cause, for errors.Is and errors.As; its text is part of Message; may be nil
}

// Error returns the sentence, without the hint.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of the given kind. A %w verb in the format wraps a cause.
func New(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// WithHint returns a copy of the error that carries a remedy.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// KindOf returns the kind of the first error in the chain that has one, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if _, ok := errors.AsType[Problems](err); ok {
		return Invalid
	}
	return Internal
}

// MayPass reports that the same may succeed when it is tried again later: nobody answered, or somebody asked to slow down.
func MayPass(err error) bool {
	kind := KindOf(err)
	return kind == Unavailable || kind == Throttled
}

// HintOf returns the remedy of the first error in the chain that has one, or "".
func HintOf(err error) string {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}
