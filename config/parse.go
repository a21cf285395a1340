package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

// maxSize is the size in bytes above which a file is surely no slipway.yaml.
const maxSize = 1 << 20

// Parse reads slipway.yaml. The error, if any, is a fault.Problems with everything that is wrong; file is how the
// problems call the file.
func Parse(file string, content []byte) (*Project, error) {
	r := &reader{file: file, empty: "the file is empty: expected project, version, image and descriptors"}
	root := r.load(content)
	if root == nil {
		return nil, r.problems.Err()
	}
	p := r.project(root)
	if err := r.problems.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// load parses the file's single document.
func (r *reader) load(content []byte) *yaml.Node {
	start := fault.Position{File: r.file, Line: 1, Column: 1}
	if len(content) > maxSize {
		r.problems.Add(start, "", "the file has %d bytes, more than such a file can have", len(content))
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		r.syntax(err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.problem(&second, "keep one", "the file has a second document")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(err)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || isNull(doc.Content[0]) {
		r.problems.Add(start, "", "%s", r.empty)
		return nil
	}
	return doc.Content[0]
}

// syntax reports what the YAML parser found.
func (r *reader) syntax(err error) {
	pos := fault.Position{File: r.file, Line: 1, Column: 1}
	if errors.Is(err, io.EOF) {
		r.problems.Add(pos, "", "%s", r.empty)
		return
	}
	if all, ok := errors.AsType[*yaml.LoadErrors](err); ok {
		for _, e := range all.Errors {
			r.syntax(e)
		}
		return
	}
	e, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		r.problems.Add(pos, "", "the file is not YAML: %s", err)
		return
	}
	if e.Mark.Line > 0 {
		pos.Line, pos.Column = e.Mark.Line, e.Mark.Column
	}
	message := strings.TrimSpace(e.Message)
	if e.ContextMsg != "" {
		message = strings.TrimSpace(e.ContextMsg) + ": " + message
	}
	r.problems.Add(pos, "", "the file is not YAML: %s", message)
}

func (r *reader) project(root *yaml.Node) *Project {
	o, ok := r.object(root, "", "project", "version", "branches", "image", "descriptors", "artifacts", "values",
		"environments", "checks", "policy", "passUnknown")
	if !ok {
		return nil
	}
	p := &Project{File: r.file, PassUnknown: o.boolean("passUnknown", false), Artifacts: "dir:artifacts"}
	if n := o.require("project", "name the project, for example project: hid-generator"); n != nil {
		p.Name = ProjectName(r.name(n, "project"))
	}
	if n := o.require("version", `for example version: "1.0.15", or {file: VERSION}, or {gitTag: "v*"}`); n != nil {
		p.Version = r.versionSource(n)
	}
	p.Branches = r.branches(o)
	if n := o.require("image", "say where the image lives, for example image: {repository: 127.0.0.1:4566/hid-generator}"); n != nil {
		p.Image = r.image(n)
	}
	if n := o.require("descriptors", "name the templates, for example descriptors: {taskDefinition: deploy/task-definition.json}"); n != nil {
		p.Descriptors = r.descriptors(n)
	}
	if n := o.get("artifacts"); n != nil {
		p.Artifacts = r.storeURL(n)
	}
	if n := o.get("values"); n != nil {
		p.Values = r.values(n, "values", Origin{Layer: FromProject})
	}
	p.Policy = r.policy(o, Policy{Timeout: 20 * time.Minute, Rollback: true})
	p.Environments = r.environments(o, p)
	for i, n := range o.list("checks") {
		p.Checks = append(p.Checks, r.check(n, fmt.Sprintf("checks[%d]", i)))
	}
	return p
}

// nameForm is what project and environment names look like. AWS's names (family, service, cluster) allow as much.
var nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`) })

func (r *reader) name(n *yaml.Node, path string) string {
	t := r.text(n, path)
	if !t.IsZero() && !nameForm().MatchString(t.Text) {
		r.problem(n, "a letter or digit, then letters, digits, _ and -, at most 100", "%s: %q is not a name", path, t.Text)
	}
	return t.Text
}

func (r *reader) versionSource(n *yaml.Node) VersionSource {
	if n.Kind != yaml.MappingNode {
		t := r.text(n, "version")
		number, err := version.ParseNumber(t.Text)
		if err != nil && !t.IsZero() {
			r.problem(n, fault.HintOf(err), "version: %s", err)
		}
		return VersionSource{Literal: &number}
	}
	o, _ := r.object(n, "version", "file", "gitTag")
	s := VersionSource{File: o.text("file"), GitTag: o.text("gitTag")}
	if len(o.members) != 1 {
		r.problem(n, `{file: VERSION} or {gitTag: "v*"}`, "version: expected exactly one of file and gitTag")
	}
	if !s.GitTag.IsZero() {
		if err := version.CheckPattern(s.GitTag.Text); err != nil {
			r.problem(n, "for example v*", "version.gitTag: %q can match no tag", s.GitTag.Text)
		}
	}
	return s
}

func (r *reader) branches(o *object) version.Template {
	rules := []version.Rule{{Pattern: "master", Tag: version.Release}, {Pattern: "development", Tag: "MILESTONE"}}
	if n := o.get("branches"); n != nil {
		inner, ok := r.object(n, "branches")
		if !ok {
			return version.Template{}
		}
		if len(inner.members) == 0 {
			r.problem(n, "for example branches: {master: RELEASE}", "branches: no branch is named, so nothing is ever versioned")
		}
		rules = r.rules(inner)
	}
	t, err := version.NewTemplate(rules...)
	if err != nil {
		r.problem(o.node, fault.HintOf(err), "branches: %s", err)
	}
	return t
}

// rules returns the rules that are right, and reports the others one by one.
func (r *reader) rules(o *object) []version.Rule {
	var rules []version.Rule
	for _, m := range o.members {
		tag := o.text(m.name)
		patternErr, tagErr := version.CheckPattern(m.name), version.CheckTag(tag.Text)
		if patternErr != nil {
			r.problem(m.key, fault.HintOf(patternErr), "branches: %s", patternErr)
		}
		if tagErr != nil && !tag.IsZero() {
			r.problem(follow(m.value), fault.HintOf(tagErr), "%s: %s", o.name(m.name), tagErr)
		}
		if patternErr == nil && tagErr == nil {
			rules = append(rules, version.Rule{Pattern: m.name, Tag: version.Tag(tag.Text)})
		}
	}
	return rules
}

func (r *reader) values(n *yaml.Node, path string, origin Origin) Values {
	o, ok := r.object(n, path)
	if !ok {
		return nil
	}
	values := Values{}
	for _, m := range o.members {
		if flaw, hint := nameFlaw(m.name); flaw != "" {
			r.problem(m.key, hint, "%s: %s", path, flaw)
			continue
		}
		v := follow(m.value)
		switch {
		case v.Kind == yaml.MappingNode:
			origin.Position = r.at(v)
			found := origin
			found.Lookup = r.lookup(v, o.name(m.name))
			values[m.name] = Value{Origin: found}
		case v.Kind != yaml.ScalarNode:
			r.problem(v, "a value is text, a number, true or false, or a look-up such as {ssm: /qa/db/host}", "%s: expected one value, found %s", o.name(m.name), describe(v))
		case isNull(v) && v.Value != "null":
			r.problem(m.key, `write "" for empty text, or null`, "%s has no value", o.name(m.name))
		default:
			origin.Position = r.at(v)
			values[m.name] = Value{v.Value, origin}
		}
	}
	return values
}

func (r *reader) policy(o *object, otherwise Policy) Policy {
	n := o.get("policy")
	if n == nil {
		return otherwise
	}
	inner, ok := r.object(n, o.name("policy"), "timeout", "bake", "rollback", "setDesiredCount")
	if !ok {
		return otherwise
	}
	return Policy{
		Timeout:  inner.duration("timeout", otherwise.Timeout, time.Second),
		Bake:     inner.duration("bake", otherwise.Bake, 0),
		Rollback: inner.boolean("rollback", otherwise.Rollback),
		SetCount: inner.boolean("setDesiredCount", otherwise.SetCount),
	}
}
