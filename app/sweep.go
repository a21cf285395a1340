package app

import (
	"errors"

	"github.com/slipway-cd/slipway/engine/api/ecrapi"
	"github.com/slipway-cd/slipway/engine/api/logsapi"
)

// expire lets go of what people have said is to be kept only so long: images by lifecycle policies, log lines by retention.
func (e *Engine) expire() {
	if err := errors.Join(ecrapi.Expire(e.engine, e.images), logsapi.Expire(e.engine)); err != nil {
		e.options.Logger.Warn("cannot let go of what has expired", "error", err)
	}
}
