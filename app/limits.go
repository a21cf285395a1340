package app

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/fault"
)

// Limits says how often clients may call the engine.
type Limits string

// The limits. AWSLimits are those of an AWS account, whatever the engine's speed: clients have the same time.
const (
	NoLimits  Limits = "none"
	AWSLimits Limits = "aws"
)

func (l Limits) check() error {
	switch l {
	case "", NoLimits, AWSLimits:
		return nil
	}
	return fault.New(fault.Invalid, "there are no limits %q", l).WithHint("choose one of none, aws")
}

// pass lets a request through to the AWS APIs, unless there were too many or a fault is in force.
func (e *Engine) pass(ctx context.Context, action string) error {
	now := time.Now()
	if e.options.Limits == AWSLimits && !e.buckets.Take(action, now) {
		return awswire.Throttled()
	}
	return e.suffer(ctx, action, now)
}
