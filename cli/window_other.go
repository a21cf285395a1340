//go:build !unix

package cli

import (
	"context"

	"github.com/slipway-cd/slipway/rollout"
)

// watch tells the size of the terminal once: there is no signal when it changes.
func (c console) watch(_ context.Context, sizes chan<- rollout.WindowSize) (stop func()) {
	if size, err := c.size(); err == nil {
		sizes <- size
	}
	return func() {}
}
