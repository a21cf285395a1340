package registry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/slipway-cd/slipway/fault"
)

// explain turns what went wrong into an error with a kind, a sentence and a remedy.
func explain(ctx context.Context, verb string, ref name.Reference, err error) error {
	host := ref.Context().RegistryStr()
	wrap := func(kind fault.Kind) *fault.Error {
		return fault.New(kind, "cannot %s %s: %w", verb, ref, err)
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return wrap(fault.Interrupted)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return wrap(fault.Timeout).WithHint("the registry %s took too long", host)
	}
	if answer, ok := errors.AsType[*transport.Error](err); ok {
		return explainAnswer(answer, verb, ref, err)
	}
	if _, ok := errors.AsType[*loginError](err); ok {
		return wrap(fault.Denied).WithHint("check the credentials for %s, or its credential helper in Docker's config.json", host)
	}
	if cause, ok := errors.AsType[net.Error](err); ok {
		return fault.New(fault.Unavailable, "cannot %s %s: the registry %s does not answer: %w", verb, ref, host, bare(cause)).
			WithHint("check the registry's name and port, and that it is running")
	}
	return wrap(fault.Internal)
}

// bare returns the innermost network error: those around it repeat the URL.
func bare(err net.Error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns
	}
	return err
}

// explainAnswer words what a registry answered.
func explainAnswer(answer *transport.Error, verb string, ref name.Reference, err error) error {
	host, repository := ref.Context().RegistryStr(), ref.Context().RepositoryStr()
	said := words(answer)
	switch kind := kindOf(answer); kind {
	case fault.NotFound:
		if has(answer, transport.NameUnknownErrorCode) {
			return fault.New(kind, "cannot %s %s: there is no repository %q in %s%s", verb, ref, repository, host, said).
				WithHint("create the repository, or correct its name")
		}
		return fault.New(kind, "cannot %s %s: there is no such image in repository %q of %s%s", verb, ref, repository, host, said).
			WithHint("push the image, or correct the tag")
	case fault.Denied:
		return fault.New(kind, "cannot %s %s: %s refused the credentials, or this account may not do it%s", verb, ref, host, said).
			WithHint("log in to %s again; a registry may also answer so when the repository does not exist", host)
	case fault.Conflict:
		return fault.New(kind, "cannot %s %s: the tag names another image and must not be changed%s", verb, ref, said).
			WithHint("use a new version: a published image is never overwritten")
	case fault.Unavailable:
		return fault.New(kind, "cannot %s %s: the registry %s is not ready: status %d%s", verb, ref, host, answer.StatusCode, said).
			WithHint("try again in a while")
	default:
		return fault.New(kind, "cannot %s %s: %w", verb, ref, err)
	}
}

// kindOf reads the specification's codes first: registries differ in the status they send them with.
func kindOf(answer *transport.Error) fault.Kind {
	switch {
	case has(answer, transport.TagInvalidErrorCode):
		return fault.Conflict // the client has checked the tag's form, so what is left is that it must not move
	case has(answer, transport.NameUnknownErrorCode), has(answer, transport.ManifestUnknownErrorCode):
		return fault.NotFound
	case has(answer, transport.TooManyRequestsErrorCode):
		return fault.Unavailable
	}
	switch status := answer.StatusCode; {
	case status == http.StatusNotFound:
		return fault.NotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fault.Denied
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return fault.Conflict
	case status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return fault.Unavailable
	default:
		return fault.Invalid
	}
}

func has(answer *transport.Error, code transport.ErrorCode) bool {
	for _, d := range answer.Errors {
		if d.Code == code {
			return true
		}
	}
	return false
}

// words returns the registry's own words in parentheses, without the details: those may hold anything.
func words(answer *transport.Error) string {
	var said []string
	for _, d := range answer.Errors {
		if d.Message != "" {
			said = append(said, d.Message)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, "; ") + ")"
}
