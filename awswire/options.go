package awswire

import (
	"context"
	"log/slog"
	"time"
)

// Options say how a Handler behaves. The zero value serves everybody, without credentials, with the limits below.
type Options struct {
	// Credentials maps access keys to secret keys. When it is nil, signatures are not looked at.
	Credentials map[string]string

	// Sessions finds the temporary credentials that are accepted beside Credentials; nil: there are none.
	Sessions Sessions

	// OmitEmpty names list members that are left out of an answer when their slice is nil: "tags" in any structure, or
	// "ContainerDefinition.command" in one (its Go type). Every other nil slice is sent as an empty list, and a slice
	// that is empty but not nil always is: scripts break on a list that AWS sends and we do not. Nil means {"tags"}.
	OmitEmpty []string

	// Before is called with the decoded input before the operation. An error that it returns is the answer.
	Before func(ctx context.Context, operation string, input any) error

	// UnknownMember is told of members of a request that the SDK's types don't know. AWS ignores them, and so do we.
	UnknownMember func(operation, path string)

	// Page is where the operations that are served are listed; who asks for another one is told of it. Empty: nowhere.
	Page string

	// Log takes what callers are not told: panics and errors that are no API errors. Nil discards it.
	Log *slog.Logger

	MaxBody  int64            // bytes of a request's body; 0 means 1 MiB
	MaxItems int              // list elements and map entries in one request, all together; 0 means 20,000
	Now      func() time.Time // the clock that signatures are judged by; nil means time.Now
}

const (
	defaultMaxBody  = 1 << 20
	defaultMaxItems = 20_000
	maxDepth        = 64      // nesting of a request; the deepest of the SDK's inputs has 9
	maxTarget       = 256     // bytes of X-Amz-Target
	maxPath         = 512     // bytes of the path of an RPC request
	maxAuth         = 8 << 10 // bytes of an Authorization header
	maxSigned       = 64      // signed headers
)

func (o Options) withDefaults() Options {
	if o.OmitEmpty == nil {
		o.OmitEmpty = []string{"tags"}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.MaxItems == 0 {
		o.MaxItems = defaultMaxItems
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// A Caller is what a request says of its sender. It is proven only when Options.Credentials is set.
type Caller struct {
	AccessKey string // empty when the request is not signed
	Region    string // the region that the request was signed for
	Service   string // the service's signing name: "ecs", "elasticloadbalancing"
}

type requestKey struct{}

type requestInfo struct {
	id     string
	caller Caller
}

// CallerOf returns the sender of the request that an operation is called for.
func CallerOf(ctx context.Context) Caller {
	info, _ := ctx.Value(requestKey{}).(requestInfo)
	return info.caller
}

// RequestID returns the id of the request that an operation is called for, as its answer will state it.
func RequestID(ctx context.Context) string {
	info, _ := ctx.Value(requestKey{}).(requestInfo)
	return info.id
}
