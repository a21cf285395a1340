// Package examples carries the example projects, for programs that show them where there is no checkout.
package examples

import "embed"

// HIDGenerator is the example service: its source, its templates and its slipway.yaml. What somebody has published or built
// in the checkout is not part of it.
//
//go:embed hid-generator/.gitignore hid-generator/slipway.yaml hid-generator/cmd hid-generator/deploy
var HIDGenerator embed.FS
