package descriptor

import (
	"path"
	"strings"
)

// Format is how a template is written.
type Format string

// The formats of templates. What is published is JSON, whatever the template is.
const (
	JSON    Format = "json" // with comments and trailing commas
	YAML    Format = "yaml"
	Jsonnet Format = "jsonnet"
)

// FormatOf returns the format that a file's name says. Names that say nothing are taken for JSON.
func FormatOf(file string) Format {
	switch strings.ToLower(path.Ext(file)) {
	case ".yaml", ".yml":
		return YAML
	case ".jsonnet", ".libsonnet":
		return Jsonnet
	}
	return JSON
}
