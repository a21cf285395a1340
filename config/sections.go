package config

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
	"github.com/slipway-cd/slipway/version"
)

func (r *reader) image(n *yaml.Node) Image {
	o, ok := r.object(n, "image", "repository", "build")
	if !ok {
		return Image{}
	}
	o.require("repository", "for example repository: ${registry}/hid-generator")
	img := Image{Repository: textOf(o, "repository")}
	if n := o.get("build"); n != nil {
		img.Build = r.build(n)
	}
	return img
}

// textOf reads a member whose absence has been reported already.
func textOf(o *object, name string) Text {
	if m := o.find(name); m == nil || isNull(follow(m.value)) {
		return Text{}
	}
	return o.text(name)
}

func (r *reader) build(n *yaml.Node) *Build {
	o, ok := r.object(n, "image.build", "context", "dockerfile", "args", "go", "ldflags", "env")
	if !ok {
		return nil
	}
	b := &Build{
		Context: o.text("context"), Dockerfile: o.text("dockerfile"), Args: o.texts("args"),
		Go: o.text("go"), LDFlags: o.text("ldflags"), Env: o.texts("env"),
	}
	other, why := []string{"ldflags", "env"}, "belongs to a Go program's image, and go is not given"
	if o.find("go") != nil {
		other, why = []string{"context", "dockerfile", "args"}, "belongs to a Dockerfile, and go is given"
	}
	for _, name := range other {
		if m := o.find(name); m != nil {
			r.problem(m.key, "either {go: ./cmd/name} or {context: ., dockerfile: Dockerfile}", "%s %s", o.name(name), why)
		}
	}
	if o.find("go") == nil {
		b.Context = orDefault(b.Context, ".", r.at(n))
		b.Dockerfile = orDefault(b.Dockerfile, "Dockerfile", r.at(n))
	}
	return b
}

func orDefault(t Text, text string, pos fault.Position) Text {
	if t.IsZero() {
		return Text{Text: text, Position: pos}
	}
	return t
}

func (r *reader) descriptors(n *yaml.Node) Descriptors {
	o, ok := r.object(n, "descriptors", "taskDefinition", "serviceDefinition", "serviceUpdate", "autoscaling",
		"scheduledTasks")
	if !ok {
		return Descriptors{}
	}
	o.require("taskDefinition", "for example taskDefinition: deploy/task-definition.json")
	d := Descriptors{
		TaskDefinition:    textOf(o, "taskDefinition"),
		ServiceDefinition: o.text("serviceDefinition"),
		ServiceUpdate:     o.text("serviceUpdate"),
		Autoscaling:       o.text("autoscaling"),
		ScheduledTasks:    o.text("scheduledTasks"),
	}
	for _, t := range []Text{d.TaskDefinition, d.ServiceDefinition, d.ServiceUpdate, d.Autoscaling, d.ScheduledTasks} {
		if filepath.IsAbs(t.Text) {
			r.problems.Add(t.Position, "write it relative to "+FileName, "descriptors: %q is an absolute path", t.Text)
		}
	}
	return d
}

// schemes are the kinds of artifact stores, each with an example.
var schemes = map[string]string{
	"dir":               "dir:artifacts",
	"s3":                "s3://bucket/prefix",
	"artifactory+https": "artifactory+https://host/repository/path",
	"artifactory+http":  "artifactory+http://host/repository/path",
	"oci":               "oci://host/repository",
}

func (r *reader) storeURL(n *yaml.Node) StoreURL {
	t := r.text(n, "artifacts")
	if flaw, hint := storeFlaw(t.Text); flaw != "" && !t.IsZero() {
		r.problem(n, hint, "artifacts: %s", flaw)
	}
	return StoreURL(t.Text)
}

// CheckStoreURL returns an error when s cannot say where versions are published.
func CheckStoreURL(s string) error {
	if flaw, hint := storeFlaw(s); flaw != "" {
		shown := s
		if u, err := url.Parse(s); err == nil && u.User != nil {
			shown = u.Redacted() // the password would stay in CI's log
		}
		return fault.New(fault.Invalid, "cannot use the artifact store %q: %s", shown, flaw).WithHint("%s", hint)
	}
	return nil
}

func storeFlaw(s string) (flaw, hint string) {
	scheme, rest, _ := strings.Cut(s, ":")
	example, known := schemes[scheme]
	if !known {
		names := []string{"artifactory+http", "artifactory+https", "dir", "oci", "s3"}
		if !strings.Contains(s, ":") {
			return strconv.Quote(s) + " names no kind of store", "for a directory write dir:" + s
		}
		return "there is no store of the kind " + strconv.Quote(scheme), suggest.HintOrList(scheme, names)
	}
	hint = "for example " + example
	if scheme == "dir" {
		if rest == "" {
			return "the directory is missing", hint
		}
		return "", ""
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || !strings.HasPrefix(rest, "//") || u.Host == "":
		return strconv.Quote(s) + " is not a URL with a host", hint
	case u.User != nil:
		return "credentials don't belong into a file", "use the environment variables of the store"
	case u.RawQuery != "" || u.Fragment != "":
		return strconv.Quote(s) + " has a query or a fragment", hint
	case scheme != "s3" && strings.Trim(u.Path, "/") == "":
		return strconv.Quote(s) + " names no repository", hint
	}
	return "", ""
}

func (r *reader) environments(o *object, p *Project) []Environment {
	n := o.get("environments")
	if n == nil {
		return nil
	}
	all, ok := r.object(n, "environments")
	if !ok {
		return nil
	}
	var found []Environment
	for _, m := range all.members {
		if !nameForm().MatchString(m.name) {
			r.problem(m.key, "a letter or digit, then letters, digits, _ and -", "environments: %q is not a name", m.name)
		}
		env := Environment{Name: EnvironmentName(m.name), Scheduler: ECS, Policy: p.Policy, Position: r.at(m.key)}
		if v := follow(m.value); !isNull(v) {
			r.environment(v, all.name(m.name), &env, p.Branches)
		}
		found = append(found, env)
	}
	return found
}

func (r *reader) environment(n *yaml.Node, path string, env *Environment, branches version.Template) {
	o, ok := r.object(n, path, "scheduler", "region", "deployFrom", "values", "policy")
	if !ok {
		return
	}
	if s := o.text("scheduler"); !s.IsZero() {
		env.Scheduler = Scheduler(s.Text)
		if known := []string{string(ECS), string(Nomad)}; !slices.Contains(known, s.Text) {
			r.problem(o.get("scheduler"), suggest.HintOrList(s.Text, known), "%s: there is no scheduler %q", o.name("scheduler"), s.Text)
		}
	}
	env.Region = o.text("region").Text
	for _, b := range o.list("deployFrom") {
		env.DeployFrom = append(env.DeployFrom, r.deployFrom(b, o.name("deployFrom"), branches))
	}
	if v := o.get("values"); v != nil {
		env.Values = r.values(v, o.name("values"), Origin{Layer: FromEnvironment, Name: string(env.Name)})
	}
	env.Policy = r.policy(o, env.Policy)
}

func (r *reader) deployFrom(n *yaml.Node, path string, branches version.Template) string {
	t := r.text(n, path)
	if t.IsZero() {
		return ""
	}
	if err := version.CheckPattern(t.Text); err != nil {
		r.problem(n, fault.HintOf(err), "%s: %s", path, err)
		return t.Text
	}
	if m := branches.Match(t.Text); !m.Matched && !strings.ContainsAny(t.Text, "*?") && len(branches.Rules()) > 0 {
		r.problem(n, "add it to branches, or remove it here", "%s: %q never has a version: it is not among the branches", path, t.Text)
	}
	return t.Text
}

func (r *reader) check(n *yaml.Node, path string) Check {
	c := Check{Status: 200, Timeout: 5 * time.Second, Position: r.at(n)}
	o, ok := r.object(n, path, "http", "expect", "command", "alarms", "timeout")
	if !ok {
		return c
	}
	r.onlyOne(o, n, `for example http: "http://${loadBalancer}/healthz"`, "http", "command", "alarms")
	c.HTTP = textOf(o, "http")
	if flaw := urlFlaw(c.HTTP.Text); flaw != "" && !c.HTTP.IsZero() {
		r.problems.Add(c.HTTP.Position, "", "%s: %s", o.name("http"), flaw)
	}
	if c.Command = o.words("command"); len(c.Command) > 0 {
		c.Timeout = time.Minute
	}
	c.Alarms = o.words("alarms")
	c.Timeout = o.duration("timeout", c.Timeout, time.Millisecond)
	if e := o.get("expect"); e != nil {
		if o.get("http") == nil {
			r.problem(e, "remove it: a command succeeds with exit code 0, an alarm by not sounding", "%s: only an http check has expectations", o.name("expect"))
		}
		r.expect(e, o.name("expect"), &c)
	}
	return c
}

// onlyOne holds a mapping to having exactly one of some members.
func (r *reader) onlyOne(o *object, n *yaml.Node, hint string, members ...string) {
	var have []string
	for _, m := range members {
		if o.find(m) != nil {
			have = append(have, m)
		}
	}
	switch {
	case len(have) == 0:
		r.problem(n, hint, "%s: one of %s is missing", o.path, strings.Join(members, ", "))
	case len(have) > 1:
		r.problem(n, "make two of it", "%s: %s exclude each other", o.path, strings.Join(have, " and "))
	}
}

// words reads a list of templates.
func (o *object) words(name string) []Text {
	var all []Text
	for _, n := range o.list(name) {
		all = append(all, o.r.text(n, o.name(name)))
	}
	return all
}

func (r *reader) expect(n *yaml.Node, path string, c *Check) {
	o, ok := r.object(n, path, "status", "body")
	if !ok {
		return
	}
	if s := o.get("status"); s != nil {
		code, err := strconv.Atoi(s.Value)
		if err != nil || s.Kind != yaml.ScalarNode || code < 100 || code > 599 {
			r.problem(s, "", "%s: expected an HTTP status from 100 to 599, found %s", o.name("status"), describe(s))
		}
		c.Status = code
	}
	c.Body = o.text("body")
}

// placeholder is what expansion will replace; for judging a URL any host name does.
var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{[^{}]*\}`) })

func urlFlaw(template string) string {
	u, err := url.Parse(placeholder().ReplaceAllString(template, "1"))
	switch {
	case err != nil:
		return strconv.Quote(template) + " is not a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return strconv.Quote(template) + " is not an http or https URL"
	case u.Host == "":
		return strconv.Quote(template) + " names no host"
	}
	return ""
}
