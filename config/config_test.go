package config

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

// base is a file with everything that has to be there; tests add to it.
const base = `project: hid-generator
version: "1.0.15"
image: {repository: "${registry}/hid-generator"}
descriptors: {taskDefinition: deploy/task-definition.json}
`

func parse(t *testing.T, content string) *Project {
	t.Helper()
	p, err := Parse(FileName, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDefaultsAreInPlace(t *testing.T) {
	t.Parallel()
	p := parse(t, base+"environments: {qa: }\nchecks: [{http: http://localhost/}]\n")
	if p.Artifacts != "dir:artifacts" || p.PassUnknown {
		t.Errorf("artifacts %q, passUnknown %t", p.Artifacts, p.PassUnknown)
	}
	want := Policy{Timeout: 20 * time.Minute, Rollback: true}
	if p.Policy != want || p.Environments[0].Policy != want || p.Environments[0].Scheduler != ECS {
		t.Errorf("policy %+v, environment %+v", p.Policy, p.Environments[0])
	}
	if c := p.Checks[0]; c.Status != 200 || c.Timeout != 5*time.Second || !c.Body.IsZero() {
		t.Errorf("check %+v", c)
	}
	for branch, tag := range map[string]version.Tag{"master": "RELEASE", "development": "MILESTONE", "feature/x": ""} {
		if got := p.Branches.Match(branch).Tag; got != tag {
			t.Errorf("branch %s: %q, want %q", branch, got, tag)
		}
	}
}

func TestEverythingThatTheFileSaysIsRead(t *testing.T) {
	t.Parallel()
	p := parse(t, `
project: hid-generator
version: {gitTag: "v*"}
branches: {master: RELEASE, "release/*": RC}
image:
  repository: ${registry}/hid
  build: {go: ./cmd/hid, ldflags: "-X main.version=${version}", env: {PORT: 8080}}
descriptors: {taskDefinition: t.json, serviceDefinition: s.json, serviceUpdate: u.json}
artifacts: s3://bucket/prefix
passUnknown: true
policy: {bake: 30s}
values: &values {family: hid, desiredCount: 2, debug: false, none: null, empty: "", ratio: 1.50}
environments:
  qa:
    scheduler: nomad
    region: us-east-1
    deployFrom: [master, "release/*"]
    values: {clusterName: qa, desiredCount: 4}
    policy: {timeout: 5m, rollback: false}
  production: {values: *values}
checks:
  - {http: "https://${loadBalancer}/healthz", expect: {status: 204, body: "${version}"}, timeout: 2s}
`)
	if p.Version.GitTag.Text != "v*" || p.Version.Literal != nil || p.Artifacts != "s3://bucket/prefix" || !p.PassUnknown {
		t.Errorf("got %+v", p)
	}
	if b := p.Image.Build; b.Go.Text != "./cmd/hid" || b.Env["PORT"].Text != "8080" || !b.Dockerfile.IsZero() {
		t.Errorf("build %+v", b)
	}
	qa := p.Environments[0]
	if diff := cmp.Diff(Environment{
		Name: "qa", Scheduler: Nomad, Region: "us-east-1", DeployFrom: []string{"master", "release/*"},
		Policy: Policy{Timeout: 5 * time.Minute, Bake: 30 * time.Second},
	}, qa, cmpopts.IgnoreFields(Environment{}, "Values", "Position")); diff != "" {
		t.Error(diff)
	}
	texts := map[string]string{}
	for name, v := range p.Values {
		texts[name] = v.Text
	}
	want := map[string]string{"family": "hid", "desiredCount": "2", "debug": "false", "none": "null", "empty": "", "ratio": "1.50"}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if got := p.Environments[1].Values["family"].Origin.String(); got != `slipway.yaml:12:26 (environment "production")` {
		t.Errorf("origin %s", got)
	}
	if c := p.Checks[0]; c.Status != 204 || c.Body.Text != "${version}" || c.HTTP.Position.Column != 13 {
		t.Errorf("check %+v", c)
	}
}

func TestProblemsAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"empty":          {"", []string{`slipway.yaml:1:1: the file is empty: expected project, version, image and descriptors`}},
		"only a comment": {"# nothing\n", []string{`slipway.yaml:1:1: the file is empty: expected project, version, image and descriptors`}},
		"a list":         {"[a]", []string{`slipway.yaml:1:1: the file: expected a mapping of names to values, found a list`}},
		"everything missing": {"artifacts: dir:x\n", []string{
			`slipway.yaml:1:1: project is missing (name the project, for example project: hid-generator)`,
			`slipway.yaml:1:1: version is missing (for example version: "1.0.15", or {file: VERSION}, or {gitTag: "v*"})`,
			`slipway.yaml:1:1: image is missing (say where the image lives, for example image: {repository: 127.0.0.1:4566/hid-generator})`,
			`slipway.yaml:1:1: descriptors is missing (name the templates, for example descriptors: {taskDefinition: deploy/task-definition.json})`,
		}},
		"two documents":      {base + "---\nproject: x\n", []string{`slipway.yaml:5:1: the file has a second document (keep one)`}},
		"unknown setting":    {base + "envronments: {}\n", []string{`slipway.yaml:5:1: envronments: there is no such setting (did you mean "environments"?)`}},
		"twice":              {base + "project: x\n", []string{`slipway.yaml:5:1: project is given twice (the first one is on line 1)`}},
		"no value":           {base + "artifacts:\n", []string{`slipway.yaml:5:1: artifacts has no value (give it a value, or remove it)`}},
		"project's name":     {strings.Replace(base, "hid-generator", "../x", 1), []string{`slipway.yaml:1:10: project: "../x" is not a name (a letter or digit, then letters, digits, _ and -, at most 100)`}},
		"version":            {strings.Replace(base, `"1.0.15"`, "1.0", 1), []string{`slipway.yaml:2:10: version: "1.0" is not a version number (expected major.minor.patch, for example 1.0.15)`}},
		"version of nothing": {strings.Replace(base, `"1.0.15"`, "{}", 1), []string{`slipway.yaml:2:10: version: expected exactly one of file and gitTag ({file: VERSION} or {gitTag: "v*"})`}},
		"branches": {base + "branches: {\"a b\": X, master: RELEASE.1, \"release/*\": RC}\n", []string{
			`slipway.yaml:5:12: branches: the branch pattern "a b" contains a blank (write a branch's name, or a pattern such as release/*)`,
			`slipway.yaml:5:30: branches.master: the tag "RELEASE.1" contains '.' (letters, digits, _ and - are allowed)`,
		}},
		"no branches": {base + "branches: {}\n", []string{`slipway.yaml:5:11: branches: no branch is named, so nothing is ever versioned (for example branches: {master: RELEASE})`}},
		"scheduler":   {base + "environments:\n  qa: {scheduler: ECS}\n", []string{`slipway.yaml:6:19: environments.qa.scheduler: there is no scheduler "ECS" (did you mean "ecs"?)`}},
		"scheduler 2": {base + "environments:\n  qa: {scheduler: kubernetes}\n", []string{`slipway.yaml:6:19: environments.qa.scheduler: there is no scheduler "kubernetes" (one of ecs, nomad)`}},
		"environment": {base + "environments:\n  ../qa: {deployFrom: [feature/x], bake: 1s}\n", []string{
			`slipway.yaml:6:3: environments: "../qa" is not a name (a letter or digit, then letters, digits, _ and -)`,
			`slipway.yaml:6:24: environments.../qa.deployFrom: "feature/x" never has a version: it is not among the branches (add it to branches, or remove it here)`,
			`slipway.yaml:6:36: environments.../qa.bake: there is no such setting (one of deployFrom, policy, region, scheduler, values)`,
		}},
		"policy": {base + "policy: {timeout: 20, bake: -1s, rollback: maybe}\n", []string{
			`slipway.yaml:5:19: policy.timeout: expected a duration, found "20" (write a number and a unit, for example 90s, 20m or 1h30m)`,
			`slipway.yaml:5:29: policy.bake: -1s is too short (at least 0s)`,
			`slipway.yaml:5:44: policy.rollback: expected true or false, found "maybe"`,
		}},
		"values": {base + "values: {version: 1, a b: x, list: [1], nothing: , family: x}\n", []string{
			`slipway.yaml:5:10: values: "version" is always set by slipway itself (choose another name)`,
			`slipway.yaml:5:22: values: "a b" is not a name for a value (a letter, then letters, digits, _, . and -)`,
			`slipway.yaml:5:36: values.list: expected one value, found a list (a value is text, a number, true or false, or a look-up such as {ssm: /qa/db/host})`,
			`slipway.yaml:5:41: values.nothing has no value (write "" for empty text, or null)`,
		}},
		"store without a kind": {base + "artifacts: artifacts\n", []string{`slipway.yaml:5:12: artifacts: "artifacts" names no kind of store (for a directory write dir:artifacts)`}},
		"unknown store":        {base + "artifacts: s4://x\n", []string{`slipway.yaml:5:12: artifacts: there is no store of the kind "s4" (did you mean "s3"?)`}},
		"bucket missing":       {base + "artifacts: \"s3:\"\n", []string{`slipway.yaml:5:12: artifacts: "s3:" is not a URL with a host (for example s3://bucket/prefix)`}},
		"password":             {base + "artifacts: artifactory+https://u:p@host/repo\n", []string{`slipway.yaml:5:12: artifacts: credentials don't belong into a file (use the environment variables of the store)`}},
		"checks of other kinds": {base + "checks:\n  - {command: ./smoke.sh fast, expect: {status: 200}}\n  - {command: [a], alarms: [b]}\n  - {alarms: [\"\"]}\n", []string{
			`slipway.yaml:6:15: checks[0].command: expected a list, found "./smoke.sh fast" (write it as a list: [a, b])`,
			`slipway.yaml:6:40: checks[0].expect: only an http check has expectations (remove it: a command succeeds with exit code 0, an alarm by not sounding)`,
			`slipway.yaml:7:5: checks[1]: command and alarms exclude each other (make two of it)`,
			`slipway.yaml:8:15: checks[2].alarms is empty`,
		}},
		"checks": {base + "checks:\n  - {http: \"ftp://x/\", expect: {status: 99, boddy: x}}\n  - {}\n", []string{
			`slipway.yaml:6:13: checks[0].http: "ftp://x/" is not an http or https URL`,
			`slipway.yaml:6:41: checks[0].expect.status: expected an HTTP status from 100 to 599, found "99"`,
			`slipway.yaml:6:45: checks[0].expect.boddy: there is no such setting (did you mean "body"?)`,
			`slipway.yaml:7:5: checks[1]: one of http, command, alarms is missing (for example http: "http://${loadBalancer}/healthz")`,
		}},
		"build": {strings.Replace(base, `hid-generator"}`, `hid-generator", build: {go: ./x, dockerfile: D}}`, 1), []string{
			`slipway.yaml:3:67: image.build.dockerfile belongs to a Dockerfile, and go is given (either {go: ./cmd/name} or {context: ., dockerfile: Dockerfile})`,
		}},
		"absolute template": {strings.Replace(base, "deploy/", "/deploy/", 1), []string{`slipway.yaml:4:31: descriptors: "/deploy/task-definition.json" is an absolute path (write it relative to slipway.yaml)`}},
	} {
		_, err := Parse(FileName, []byte(c.content))
		var got []string
		if problems, ok := errors.AsType[fault.Problems](err); ok {
			got = strings.Split(problems.Error(), "\n")
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBrokenYAMLIsToldWithItsPlace(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"project: [a\nversion: 1\n": "slipway.yaml:2:",
		"a: b: c\n":                 "slipway.yaml:1:",
		"\tproject: x\n":            "slipway.yaml:1:",
		"a: *unknown\n":             "slipway.yaml:1:",
		"a: \"x\n":                  "slipway.yaml:",
	} {
		_, err := Parse(FileName, []byte(content))
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "is not YAML: ") {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestTheExamplesFileIsRight(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../examples/hid-generator/slipway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, string(content))
	env, err := p.Environment("")
	if err != nil || env.Name != "" || env.Scheduler != ECS {
		t.Errorf("environment %+v, %v", env, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte(base + "values: &a {x: 1}\nenvironments: {qa: {values: *a, deployFrom: [master]}}\nchecks: [{http: http://x/}]\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("? [complex]\n: x\n<<: {a: b}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := Parse(FileName, content)
		if (p == nil) == (err == nil) {
			t.Fatalf("project %v, error %v", p, err)
		}
		problems, ok := errors.AsType[fault.Problems](err)
		if err != nil && !ok {
			t.Fatalf("not problems: %v", err)
		}
		for _, problem := range problems {
			if problem.Position.Line < 1 || problem.Position.File != FileName {
				t.Errorf("a problem without a place: %v", problem)
			}
		}
	})
}
