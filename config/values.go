package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
)

// Value is what a name in a template stands for. A value is final text: nothing in it is expanded again.
type Value struct {
	Text   string
	Origin Origin
}

// Layer is one of the places from which values come.
type Layer string

// The layers, in the order in which they are merged: a later one wins.
const (
	FromProject     Layer = "project"     // values in slipway.yaml
	FromEnvironment Layer = "environment" // the values of an environment in slipway.yaml
	FromCI          Layer = "ci"          // variables of the CI system
	FromVariable    Layer = "variable"    // SLIPWAY_VALUE_name
	FromFlag        Layer = "flag"        // --set name=value
	BuiltIn         Layer = "built-in"    // project, version, imageTag and so on: always there, never overridden
)

// Origin says from where a value came.
type Origin struct {
	Layer    Layer
	Name     string         // the environment's, variable's or CI system's name
	Position fault.Position // in slipway.yaml, for the two layers that are there
	Lookup   *Lookup        // of a value that is found elsewhere; its text is empty until it has been looked up
}

// String returns the origin in words: `slipway.yaml:14:11`, `SLIPWAY_VALUE_family`, `--set`,
// `SSM parameter "/qa/db/host" (slipway.yaml:15:11)`.
func (o Origin) String() string {
	if o.Lookup != nil {
		found := o
		found.Lookup = nil
		return fmt.Sprintf("%s (%s)", o.Lookup, found)
	}
	switch o.Layer {
	case FromProject:
		return o.Position.String()
	case FromEnvironment:
		return fmt.Sprintf("%s (environment %q)", o.Position, o.Name)
	case FromFlag:
		return "--set"
	case BuiltIn:
		return "built in"
	default:
		return o.Name
	}
}

// Values are the values by name.
type Values map[string]Value

// Names returns the names in sorted order.
func (v Values) Names() []string { return slices.Sorted(maps.Keys(v)) }

// Merge returns the values of all layers; where several have a name, the last wins.
func Merge(layers ...Values) Values {
	merged := Values{}
	for _, l := range layers {
		maps.Copy(merged, l)
	}
	return merged
}

// VariablePrefix begins the environment variables that give values: SLIPWAY_VALUE_desiredCount=2.
const VariablePrefix = "SLIPWAY_VALUE_"

// VariableValues returns the values that environment variables give. Each element of environ is NAME=value.
func VariableValues(environ []string) (Values, error) {
	values, problems := Values{}, fault.Problems{}
	for _, e := range environ {
		rest, ok := strings.CutPrefix(e, VariablePrefix)
		if !ok {
			continue
		}
		name, text, _ := strings.Cut(rest, "=")
		if flaw, hint := nameFlaw(name); flaw != "" {
			problems.Add(fault.Position{}, hint, "environment variable %s%s: %s", VariablePrefix, name, flaw)
			continue
		}
		values[name] = Value{text, Origin{Layer: FromVariable, Name: VariablePrefix + name}}
	}
	return values, problems.Err()
}

// FlagValues returns the values that --set gives. Each element of settings is name=value; a later one wins.
func FlagValues(settings []string) (Values, error) {
	values, problems := Values{}, fault.Problems{}
	for _, s := range settings {
		name, text, ok := strings.Cut(s, "=")
		flaw, hint := nameFlaw(name)
		if !ok {
			flaw, hint = "there is no =", "write --set name=value"
		}
		if flaw != "" {
			problems.Add(fault.Position{}, hint, "--set %s: %s", s, flaw)
			continue
		}
		values[name] = Value{text, Origin{Layer: FromFlag, Name: "--set"}}
	}
	return values, problems.Err()
}

// IsValueName reports whether s can stand in a template's ${s}: a letter or _, then letters, digits, _, . and -.
func IsValueName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		other := c >= '0' && c <= '9' || c == '.' || c == '-'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return s != ""
}

// nameFlaw says what is wrong with the name of a value that a user gives, and what to do.
func nameFlaw(name string) (flaw, hint string) {
	switch {
	case !IsValueName(name):
		return fmt.Sprintf("%q is not a name for a value", name), "a letter, then letters, digits, _, . and -"
	case IsBuiltIn(name):
		return fmt.Sprintf("%q is always set by slipway itself", name), "choose another name"
	}
	return "", ""
}

// Environment returns the environment of that name. With an empty name it returns the only one there is: the single
// configured one, or, for a project that configures none, a nameless one on ECS whose cluster the descriptors name.
func (p *Project) Environment(name EnvironmentName) (Environment, error) {
	if len(p.Environments) == 0 && name == "" {
		return Environment{Scheduler: ECS, Policy: p.Policy, Position: fault.Position{File: p.File}}, nil
	}
	if len(p.Environments) == 1 && name == "" {
		return p.Environments[0], nil
	}
	names := make([]string, len(p.Environments))
	for i, e := range p.Environments {
		if e.Name == name {
			return e, nil
		}
		names[i] = string(e.Name)
	}
	switch {
	case len(names) == 0:
		return Environment{}, fault.New(fault.Invalid, "project %q has no environment %q: it configures none", p.Name, name).
			WithHint("leave --environment out, or add environments to %s", p.File)
	case name == "":
		return Environment{}, fault.New(fault.Invalid, "project %q has several environments and none was named", p.Name).
			WithHint("add --environment with one of %s", strings.Join(names, ", "))
	}
	return Environment{}, fault.New(fault.Invalid, "project %q has no environment %q", p.Name, name).
		WithHint("%s", suggest.HintOrList(string(name), names))
}

// AllEnvironments returns the environments for which descriptors are rendered: the configured ones, or the nameless one.
func (p *Project) AllEnvironments() []Environment {
	if len(p.Environments) > 0 {
		return slices.Clone(p.Environments)
	}
	only, _ := p.Environment("")
	return []Environment{only}
}
