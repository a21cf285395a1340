package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v4"
)

// The parts of a scenario's file.
const (
	partScenario = "scenario.yaml"
	partHappens  = "happens"
	partEnds     = "ends"
)

// Scenario is one file: what is set up, what is done at which time, and what happens then.
type Scenario struct {
	Path string
	file *txtar.Archive
	Plan

	Happens, Ends string
}

// Plan is the scenario.yaml of a scenario.
type Plan struct {
	Docker    bool              `yaml:"docker"`    // it is played on Docker, too
	Shows     []string          `yaml:"shows"`     // what is told beside events, deployments and ends of tasks
	Instances *int              `yaml:"instances"` // container instances, spread over the zones: 2 unless told otherwise
	Zones     []string          `yaml:"zones"`     // letters: a and b unless told otherwise
	CPU       int               `yaml:"cpu"`       // of an instance, in CPU units
	Memory    int               `yaml:"memory"`    // of an instance, in MiB
	Balancer  *Balancer         `yaml:"balancer"`
	Hooks     map[string]string `yaml:"hooks"` // lifecycle stage → what the function "check" answers there, in JSON; "|" between two calls
	Revisions []yaml.Node       `yaml:"revisions"`
	Steps     []Step            `yaml:"steps"`
	Until     Duration          `yaml:"until"` // how long is looked on after the last step
}

// Balancer is an application load balancer. Its target groups are "blue" and "green"; "green" takes the test traffic.
type Balancer struct {
	Group      yaml.Node         `yaml:"group"`      // members of CreateTargetGroup, for both groups
	Attributes map[string]string `yaml:"attributes"` // of both target groups
}

// Step is one thing that is done: one operation of AWS's, or something that befalls the cluster.
type Step struct {
	Line  int
	At    *time.Duration // since the scenario began
	When  string         // what has to have happened since the step before: a part of a line
	After time.Duration  // how long after that
	Does  string         // the operation
	With  yaml.Node      // its members
}

// Duration is a time.Duration in Go's spelling.
type Duration time.Duration

// UnmarshalYAML reads "1m30s".
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return problem(n, "expected a duration such as 1m30s, found %q", n.Value)
	}
	*d = Duration(v)
	return nil
}

// UnmarshalYAML reads a mapping of when and what.
func (s *Step) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return problem(n, "expected a step: {at: 30s, OPERATION: {...}}")
	}
	s.Line = n.Line
	var errs []error
	for i := 0; i < len(n.Content); i += 2 {
		errs = append(errs, s.member(n.Content[i], n.Content[i+1]))
	}
	if s.Does == "" {
		errs = append(errs, problem(n, "the step does nothing: expected an operation such as UpdateService"))
	}
	if (s.At == nil) == (s.When == "") {
		errs = append(errs, problem(n, "expected either at or when"))
	}
	return errors.Join(errs...)
}

func (s *Step) member(key, value *yaml.Node) error {
	var d Duration
	switch key.Value {
	case "at":
		err := d.UnmarshalYAML(value)
		s.At = (*time.Duration)(&d)
		return err
	case "after":
		err := d.UnmarshalYAML(value)
		s.After = time.Duration(d)
		return err
	case "when":
		s.When = value.Value
		return nil
	}
	if s.Does != "" {
		return problem(key, "the step does two things: %s and %s", s.Does, key.Value)
	}
	s.Does, s.With = key.Value, *value
	return checkStep(key, value)
}

// mistake is something wrong in a scenario.
type mistake struct {
	line int // of the part
	text string
}

func (m mistake) Error() string { return fmt.Sprintf("line %d: %s", m.line, m.text) }

func problem(n *yaml.Node, format string, args ...any) error {
	return mistake{n.Line, fmt.Sprintf(format, args...)}
}

// readScenario reads a file. Its error has all mistakes, each with file and line.
func readScenario(path string) (*Scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseScenario(path, data)
}

func parseScenario(path string, data []byte) (*Scenario, error) {
	s := &Scenario{Path: path, file: txtar.Parse(data)}
	known := false
	for _, f := range s.file.Files {
		switch f.Name {
		case partScenario:
			known = true
			if err := s.plan(f.Data); err != nil {
				return nil, located(path, lineOf(data, f.Name), err)
			}
		case partHappens:
			s.Happens = string(f.Data)
		case partEnds:
			s.Ends = string(f.Data)
		default:
			return nil, fmt.Errorf("%s:%d: the part %q is none of %s, %s, %s", path, lineOf(data, f.Name), f.Name, partScenario, partHappens, partEnds)
		}
	}
	switch {
	case !known:
		return nil, fmt.Errorf("%s: there is no part %s", path, partScenario)
	case strings.TrimSpace(string(s.file.Comment)) == "":
		return nil, fmt.Errorf("%s:1: say in words what happens, and where it is known from", path)
	}
	return s, nil
}

func (s *Scenario) plan(data []byte) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&s.Plan); err != nil {
		return err
	}
	return s.check()
}

// check looks for what the types of a plan cannot say.
func (s *Scenario) check() error {
	var errs []error
	for _, name := range s.Shows {
		if !shown[name] {
			errs = append(errs, mistake{1, fmt.Sprintf("nothing called %q can be shown", name)})
		}
	}
	for i := range s.Revisions {
		_, err := definitionOf(&s.Revisions[i], i+1, nil)
		errs = append(errs, err)
	}
	if s.Balancer != nil {
		errs = append(errs, checkGroup(&s.Balancer.Group))
	}
	if len(s.Steps) == 0 {
		errs = append(errs, mistake{1, "there are no steps"})
	}
	return errors.Join(errs...)
}

// lineOf is the number of the line that begins a part.
func lineOf(data []byte, part string) int {
	before, _, _ := bytes.Cut(data, []byte("-- "+part+" --"))
	return bytes.Count(before, []byte("\n")) + 1
}

// located puts file and line before every mistake.
func located(path string, offset int, err error) error {
	var lines []string
	for _, e := range flatten(err) {
		if m, ok := errors.AsType[mistake](e); ok {
			lines = append(lines, fmt.Sprintf("%s:%d: %s", path, m.line+offset, m.text))
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: in %s, which begins at line %d: %v", path, partScenario, offset+1, e))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// flatten takes errors apart that were joined, also by the YAML reader.
func flatten(err error) []error {
	var parts []error
	switch e := err.(type) { //nolint:errorlint // each layer is taken off by itself
	case *yaml.LoadErrors:
		for _, one := range e.Errors {
			parts = append(parts, one)
		}
	case interface{ Unwrap() []error }:
		parts = e.Unwrap()
	case *yaml.LoadError:
		inner := e.Unwrap()
		if inner == nil || len(flatten(inner)) == 1 && !errors.As(inner, new(mistake)) {
			return []error{mistake{e.Mark.Line, e.Message}}
		}
		return flatten(inner)
	default:
		return []error{err}
	}
	var all []error
	for _, one := range parts {
		all = append(all, flatten(one)...)
	}
	return all
}

// write puts what has happened into the file.
func (s *Scenario) write(happens, ends string) error {
	s.file.Files = slices.DeleteFunc(s.file.Files, func(f txtar.File) bool { return f.Name != partScenario })
	s.file.Files = append(s.file.Files, txtar.File{Name: partHappens, Data: []byte(happens)}, txtar.File{Name: partEnds, Data: []byte(ends)})
	return os.WriteFile(s.Path, txtar.Format(s.file), 0o644)
}

// scenarios returns the paths of all scenarios.
func scenarios() ([]string, error) {
	paths, err := filepath.Glob(filepath.Join("testdata", "scenarios", "*.txtar"))
	if err == nil && len(paths) == 0 {
		err = fs.ErrNotExist
	}
	return paths, err
}
