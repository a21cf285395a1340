// Package eventpattern tells which events an event pattern of Amazon EventBridge matches.
//
// What it knows is told by the EventBridge User Guide, "Creating Amazon EventBridge event patterns" and "Comparison operators
// for use in event patterns".
package eventpattern

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxDepth bounds how deep a pattern is nested; maxLength is its length. [EventBridge quotas: 2,048 characters]
const (
	maxDepth  = 32
	maxLength = 2048
)

// A Pattern is a parsed event pattern.
type Pattern struct{ root node }

// node is one object of a pattern: its fields must all match, and one of its alternatives if it has any.
type node struct {
	fields []field
	or     []node
}

// field is one name of an object, with either an object or a list of matchers below it.
type field struct {
	name     string
	below    *node
	matchers []matcher
}

// matcher tells whether a value matches; the value is a string, a float64, a bool or nil.
type matcher struct {
	value  func(any) bool
	absent bool // matches a field that is not there
}

// Parse reads a pattern. The error says in words what is wrong with it, and where.
func Parse(text string) (*Pattern, error) {
	if len(text) > maxLength {
		return nil, fmt.Errorf("the pattern is longer than %d characters", maxLength)
	}
	tree, err := decode(text)
	if err != nil {
		return nil, err
	}
	object, ok := tree.(map[string]any)
	if !ok {
		return nil, errors.New("the pattern is not an object")
	}
	root, err := parseNode(object, "", 0)
	if err != nil {
		return nil, err
	}
	return &Pattern{root}, nil
}

// decode reads one JSON document.
func decode(text string) (tree any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no JSON: more than one document")
	}
	return tree, nil
}

func parseNode(object map[string]any, path string, depth int) (node, error) {
	if len(object) == 0 {
		return node{}, fmt.Errorf("%s: empty objects are not allowed", at(path))
	}
	if depth == maxDepth {
		return node{}, fmt.Errorf("%s: nested more than %d levels deep", at(path), maxDepth)
	}
	var n node
	for _, name := range slices.Sorted(maps.Keys(object)) {
		below := strings.TrimPrefix(path+"."+name, ".")
		var err error
		if list, ok := object[name].([]any); ok && name == "$or" {
			n.or, err = parseOr(list, below, depth+1)
		} else {
			n.fields, err = appendField(n.fields, name, object[name], below, depth+1)
		}
		if err != nil {
			return node{}, err
		}
	}
	return n, nil
}

func at(path string) string {
	if path == "" {
		return "the pattern"
	}
	return path
}

func parseOr(list []any, path string, depth int) ([]node, error) {
	if len(list) < 2 {
		return nil, fmt.Errorf("%s: needs at least two alternatives", path)
	}
	var alternatives []node
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: an alternative is not an object", path)
		}
		n, err := parseNode(object, path, depth)
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, n)
	}
	return alternatives, nil
}

func appendField(fields []field, name string, value any, path string, depth int) ([]field, error) {
	switch v := value.(type) {
	case map[string]any:
		n, err := parseNode(v, path, depth)
		return append(fields, field{name: name, below: &n}), err
	case []any:
		if len(v) == 0 {
			return nil, fmt.Errorf("%s: empty lists are not allowed", path)
		}
		f := field{name: name}
		for _, item := range v {
			m, err := parseMatcher(item)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			f.matchers = append(f.matchers, m)
		}
		return append(fields, f), nil
	}
	return nil, fmt.Errorf("%s: is neither an object nor a list of values", path)
}

// Matches reports whether the pattern matches an event, which is JSON. Nothing matches what is no JSON.
func (p *Pattern) Matches(event []byte) bool {
	var tree any
	return json.Unmarshal(event, &tree) == nil && p.root.matches(tree)
}

// matches finds out whether a value matches an object of a pattern: of a list, one element has to match all of it.
func (n *node) matches(value any) bool {
	if list, ok := value.([]any); ok && len(list) > 0 {
		return slices.ContainsFunc(list, n.matches)
	}
	object, _ := value.(map[string]any) // none: every field is absent
	for _, f := range n.fields {
		v, there := object[f.name]
		if f.below != nil && !f.below.matches(v) || f.below == nil && !f.matches(v, there) {
			return false
		}
	}
	return len(n.or) == 0 || slices.ContainsFunc(n.or, func(o node) bool { return o.matches(value) })
}

// matches finds out whether a field matches: one of its matchers, with one of the values of a list.
func (f *field) matches(value any, there bool) bool {
	values, isList := value.([]any)
	if _, isObject := value.(map[string]any); isObject || isList && len(values) == 0 {
		there = false // a field that exists has a value: [EventBridge User Guide, "Exists matching", works on leaves]
	}
	if !isList {
		values = []any{value}
	}
	for _, m := range f.matchers {
		if m.absent && !there || there && m.value != nil && slices.ContainsFunc(values, m.value) {
			return true
		}
	}
	return false
}
