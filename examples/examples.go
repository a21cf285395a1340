// Package examples carries the example projects, for programs that show them where there is no checkout.
package examples

import "embed"

// HIDGenerator is the example service: its source, its templates and its slipway.yaml.
//
//go:embed all:hid-generator
var HIDGenerator embed.FS
