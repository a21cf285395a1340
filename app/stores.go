package app

import (
	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/artifact/dir"
)

// Stores are the kinds of artifact stores that Slipway knows. Relative directories are below base.
func Stores(base string) artifact.Openers {
	return artifact.Openers{"dir": dir.Opener(base)}
}
