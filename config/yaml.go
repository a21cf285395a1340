package config

import (
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-cd/slipway/fault"
)

// Tree is a value of a YAML file of any shape, with aliases followed and merge keys (<<) done. A part that an alias
// names is there once, and pointed at from everywhere.
type Tree struct {
	Kind     TreeKind
	Text     string // of a scalar: quotes and escapes resolved, nothing else
	Plain    bool   // of a scalar: it stands without quotes and tag, so that it may be a number, true, false or nothing
	Members  []TreeMember
	Elements []*Tree
	Position fault.Position
}

// TreeKind is what a Tree is.
type TreeKind string

// The kinds of trees.
const (
	Scalar  TreeKind = "scalar"
	List    TreeKind = "list"
	Mapping TreeKind = "mapping"
)

// TreeMember is a member of a mapping, in the order of the file. Its name is a scalar; two may have the same.
type TreeMember struct{ Name, Value *Tree }

// ReadYAML reads a YAML file of one document into a tree. file is how problems call the file.
func ReadYAML(file string, content []byte) (*Tree, fault.Problems) {
	r := &reader{file: file, empty: "the file is empty"}
	root := r.load(content)
	if root == nil {
		return nil, r.problems
	}
	g := &grower{reader: r, grown: map[*yaml.Node]*Tree{}}
	tree := g.grow(root)
	return tree, r.problems
}

// grower turns the library's nodes into trees.
type grower struct {
	*reader
	grown   map[*yaml.Node]*Tree
	growing []*yaml.Node
}

func (g *grower) grow(n *yaml.Node) *Tree {
	alias := n
	n = follow(n)
	if t := g.grown[n]; t != nil {
		return t
	}
	t := &Tree{Kind: Scalar, Text: n.Value, Position: g.at(n)}
	if slices.Contains(g.growing, n) {
		g.problem(alias, "", "the alias *%s stands inside of what it names", alias.Value)
		return t
	}
	g.growing = append(g.growing, n)
	switch n.Kind {
	case yaml.MappingNode:
		t.Kind = Mapping
		g.members(t, n)
	case yaml.SequenceNode:
		t.Kind = List
		for _, e := range n.Content {
			t.Elements = append(t.Elements, g.grow(e))
		}
	default:
		g.scalar(t, n)
	}
	g.growing = g.growing[:len(g.growing)-1]
	g.grown[n] = t
	return t
}

// scalar refuses tags that give text another meaning: !!binary, or what other programs define, such as !Ref.
func (g *grower) scalar(t *Tree, n *yaml.Node) {
	quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	tagged := n.Style&yaml.TaggedStyle != 0
	if tagged && !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!null"}, n.ShortTag()) {
		g.problem(n, "write the value itself", "the tag %s means nothing here", n.Tag)
	}
	t.Plain = !quoted && !tagged || tagged && n.ShortTag() != "!!str"
}

func (g *grower) members(t *Tree, n *yaml.Node) {
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := follow(n.Content[i]), n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			g.problem(key, "", "a name is expected here, found %s", describe(key))
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
		default:
			t.Members = append(t.Members, TreeMember{g.grow(key), g.grow(value)})
		}
	}
	for _, m := range merged {
		g.merge(t, m)
	}
}

// merge adds the members that the mapping doesn't have itself. Of several mappings that are merged the first wins.
func (g *grower) merge(t *Tree, n *yaml.Node) {
	from := g.grow(n)
	sources := []*Tree{from}
	if from.Kind == List {
		sources = from.Elements
	}
	for _, source := range sources {
		if source.Kind != Mapping {
			g.problem(n, "for example <<: *name", "<< takes a mapping, or a list of mappings")
			return
		}
		for _, m := range source.Members {
			has := func(other TreeMember) bool { return other.Name.Text == m.Name.Text }
			if !slices.ContainsFunc(t.Members, has) {
				t.Members = append(t.Members, m)
			}
		}
	}
}

// IsNull reports whether a scalar says that there is nothing, as YAML 1.2 writes it.
func (t *Tree) IsNull() bool {
	return t.Kind == Scalar && t.Plain && slices.Contains([]string{"", "~", "null", "Null", "NULL"}, t.Text)
}

// Boolean returns what a scalar says when it is one of YAML 1.2's ways to write true and false.
func (t *Tree) Boolean() (value, ok bool) {
	if t.Kind != Scalar || !t.Plain {
		return false, false
	}
	value = slices.Contains([]string{"true", "True", "TRUE"}, t.Text)
	return value, value || slices.Contains([]string{"false", "False", "FALSE"}, t.Text)
}
