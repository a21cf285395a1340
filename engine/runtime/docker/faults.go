package docker

import (
	"context"
	"errors"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/fault"
)

// saying are the words by which errors are told apart that Docker gives no better kind than "internal" or "not found".
// The first that fits counts. [moby distribution/errors.go, libnetwork portallocator, runc]
var saying = []struct {
	words string
	kind  fault.Kind
}{
	{"port is already allocated", fault.Conflict},
	{"address already in use", fault.Conflict},
	{"no matching manifest", fault.Invalid},
	{"does not provide the specified platform", fault.Invalid},
	{"unauthorized", fault.Denied},
	{"no basic auth credentials", fault.Denied},
	{"pull access denied", fault.Denied},
	{"manifest unknown", fault.NotFound},
	{"marked for removal", fault.NotFound},
	{"executable file not found", fault.Invalid},
	{"OCI runtime create failed", fault.Invalid},
	{"failed to create task for container", fault.Invalid},
	{"denied", fault.Denied},
	{"403 Forbidden", fault.Denied},
	{"connection refused", fault.Unavailable},
	{"no such host", fault.Unavailable},
	{"i/o timeout", fault.Unavailable},
	{"Client.Timeout", fault.Unavailable},
	{"toomanyrequests", fault.Unavailable},
	{"unexpected status code 5", fault.Unavailable},
}

// failed gives an error of Docker's its kind.
func failed(err error, format string, args ...any) error {
	return fault.New(kindOf(err), format+": %w", append(args, err)...)
}

func kindOf(err error) fault.Kind {
	switch {
	case errors.Is(err, context.Canceled):
		return fault.Interrupted
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Timeout
	case client.IsErrConnectionFailed(err):
		return fault.Unavailable
	}
	text := err.Error()
	for _, s := range saying {
		if strings.Contains(text, s.words) {
			return s.kind
		}
	}
	switch {
	case errdefs.IsNotFound(err):
		return fault.NotFound
	case errdefs.IsConflict(err):
		return fault.Conflict
	case errdefs.IsInvalidArgument(err):
		return fault.Invalid
	case errdefs.IsUnauthorized(err), errdefs.IsPermissionDenied(err):
		return fault.Denied
	case errdefs.IsUnavailable(err):
		return fault.Unavailable
	}
	return fault.Internal
}
