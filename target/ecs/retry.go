package ecs

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// reach knows whether the endpoints have ever answered. Until they have, nobody listening there, or there being no such
// host, is most likely a wrong endpoint, and is told at once instead of after the SDK's seconds of trying again. What has
// answered once is tried again as the SDK does, and so is everything else: throttling, 5xx, a connection that breaks.
type reach struct{ answered atomic.Bool }

// addTo notes every answer, whatever it says.
func (r *reach) addTo(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("SlipwayReach",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			if _, unsent := errors.AsType[*smithyhttp.RequestSendError](err); !unsent {
				r.answered.Store(true)
			}
			return out, metadata, err
		}), middleware.After)
}

// retryer returns what makes the retryers of the clients: those that the configuration asks for, but for the exception.
func (r *reach) retryer(cfg aws.Config) func() aws.Retryer {
	return func() aws.Retryer {
		return hasty{r.configured(cfg), r}
	}
}

func (r *reach) configured(cfg aws.Config) aws.RetryerV2 {
	if cfg.Retryer != nil {
		if v2, ok := cfg.Retryer().(aws.RetryerV2); ok {
			return v2
		}
	}
	if cfg.RetryMode == aws.RetryModeAdaptive {
		return retry.NewAdaptiveMode()
	}
	return retry.NewStandard()
}

// hasty is a retryer that gives up at once on an endpoint that was never there.
type hasty struct {
	aws.RetryerV2
	reach *reach
}

func (h hasty) IsErrorRetryable(err error) bool {
	if !h.reach.answered.Load() && absent(err) {
		return false
	}
	return h.RetryerV2.IsErrorRetryable(err)
}

// absent reports that nobody listens at an address, or that there is no host of the name.
func absent(err error) bool {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		return lookup.IsNotFound
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
