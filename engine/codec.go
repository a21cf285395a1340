package engine

import (
	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine/state"
)

// format is the version of what encode writes. A directory with another one is refused, never guessed at.
const format = "2"

// formatBefore is read, too: it is format without the newest changes in journals.
const formatBefore = "1"

func encode(r state.Record) ([]byte, error) { return awswire.Marshal(r) }

func decode(kind state.Kind, data []byte) (state.Record, error) {
	return state.Decode(kind, func(into any) error { return awswire.Unmarshal(data, into) })
}
