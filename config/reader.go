package config

import (
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
)

// reader walks a parsed file and collects what is wrong with it.
type reader struct {
	file     string
	empty    string // what is said of a file without content
	problems fault.Problems
}

func (r *reader) at(n *yaml.Node) fault.Position {
	return fault.Position{File: r.file, Line: n.Line, Column: n.Column}
}

func (r *reader) problem(n *yaml.Node, hint, format string, args ...any) {
	r.problems.Add(r.at(n), hint, format, args...)
}

// object is a mapping of the file under its path, for example environments.qa.
type object struct {
	r       *reader
	path    string
	node    *yaml.Node
	members []member
}

type member struct {
	name       string
	key, value *yaml.Node
}

// object reads a mapping. It reports everything else, names that are given twice, and, where known names are stated,
// names that are not among them.
func (r *reader) object(n *yaml.Node, path string, known ...string) (*object, bool) {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		r.problem(n, "", "%s: expected a mapping of names to values, found %s", orFile(path), describe(n))
		return nil, false
	}
	o := &object{r: r, path: path, node: n}
	for i := 0; i+1 < len(n.Content); i += 2 {
		o.add(follow(n.Content[i]), n.Content[i+1], known)
	}
	return o, true
}

func (o *object) add(key, value *yaml.Node, known []string) {
	switch name := key.Value; {
	case key.Kind != yaml.ScalarNode:
		o.r.problem(key, "", "%s: a name is expected here, found %s", orFile(o.path), describe(key))
	case o.find(name) != nil:
		first := o.find(name).key
		o.r.problem(key, fmt.Sprintf("the first one is on line %d", first.Line), "%s is given twice", o.name(name))
	case len(known) > 0 && !slices.Contains(known, name):
		o.r.problem(key, suggest.HintOrList(name, known), "%s: there is no such setting", o.name(name))
	default:
		o.members = append(o.members, member{name, key, value})
	}
}

func (o *object) find(name string) *member {
	for i := range o.members {
		if o.members[i].name == name {
			return &o.members[i]
		}
	}
	return nil
}

func (o *object) name(member string) string {
	if o.path == "" {
		return member
	}
	return o.path + "." + member
}

// get returns the value of a member, or nil when the file does not have it or gives it no value.
func (o *object) get(name string) *yaml.Node {
	m := o.find(name)
	if m == nil {
		return nil
	}
	n := follow(m.value)
	if isNull(n) {
		o.r.problem(m.key, "give it a value, or remove it", "%s has no value", o.name(name))
		return nil
	}
	return n
}

// require is get, and reports a member that is missing.
func (o *object) require(name, hint string) *yaml.Node {
	if o.find(name) == nil {
		o.r.problem(o.node, hint, "%s is missing", o.name(name))
	}
	return o.get(name)
}

// text reads a string. Numbers count as the text they are written as.
func (o *object) text(name string) Text {
	if n := o.get(name); n != nil {
		return o.r.text(n, o.name(name))
	}
	return Text{}
}

func (r *reader) text(n *yaml.Node, path string) Text {
	n = follow(n)
	if n.Kind != yaml.ScalarNode {
		r.problem(n, "", "%s: expected text, found %s", path, describe(n))
		return Text{}
	}
	if n.Value == "" {
		r.problem(n, "", "%s is empty", path)
	}
	pos := r.at(n)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		pos.Column++
	}
	return Text{Text: n.Value, Position: pos}
}

// texts reads a mapping of names to strings.
func (o *object) texts(name string) map[string]Text {
	n := o.get(name)
	if n == nil {
		return nil
	}
	inner, ok := o.r.object(n, o.name(name))
	if !ok {
		return nil
	}
	found := map[string]Text{}
	for _, m := range inner.members {
		found[m.name] = inner.text(m.name)
	}
	return found
}

// list returns the elements of a sequence.
func (o *object) list(name string) []*yaml.Node {
	n := o.get(name)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		o.r.problem(n, "write it as a list: [a, b]", "%s: expected a list, found %s", o.name(name), describe(n))
		return nil
	}
	return n.Content
}

func (o *object) boolean(name string, otherwise bool) bool {
	n := o.get(name)
	if n == nil {
		return otherwise
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		o.r.problem(n, "", "%s: expected true or false, found %s", o.name(name), describe(n))
		return otherwise
	}
	return n.Value[0] == 't' || n.Value[0] == 'T'
}

func (o *object) duration(name string, otherwise, least time.Duration) time.Duration {
	n := o.get(name)
	if n == nil {
		return otherwise
	}
	d, err := time.ParseDuration(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode || err != nil:
		o.r.problem(n, "write a number and a unit, for example 90s, 20m or 1h30m",
			"%s: expected a duration, found %s", o.name(name), describe(n))
	case d < least:
		o.r.problem(n, fmt.Sprintf("at least %s", least), "%s: %s is too short", o.name(name), n.Value)
	default:
		return d
	}
	return otherwise
}

// follow returns the node that an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// describe says what a node is, for sentences of the form "expected x, found y".
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	default:
		return fmt.Sprintf("%q", n.Value)
	}
}
