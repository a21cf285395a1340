package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

func TestLaterLayersWinAndValuesRememberTheirOrigin(t *testing.T) {
	t.Parallel()
	p := parse(t, base+"values: {a: project, b: project, c: project, d: project, e: project}\n"+
		"environments: {qa: {values: {b: environment, c: environment, d: environment, e: environment}}}\n")
	env, err := p.Environment("")
	if err != nil {
		t.Fatal(err)
	}
	environ := []string{"bamboo_buildKey=X", "bamboo_c=ci", "bamboo_d=ci", "bamboo_e=ci", "SLIPWAY_VALUE_d=variable", "SLIPWAY_VALUE_e=variable"}
	variables, err := VariableValues(environ)
	if err != nil {
		t.Fatal(err)
	}
	flags, err := FlagValues([]string{"e=x", "e=flag=y"})
	if err != nil {
		t.Fatal(err)
	}
	merged := Merge(p.Values, env.Values, CIValues(environ), variables, flags)
	got := map[string]string{}
	for name, v := range merged {
		got[name] = v.Text + " from " + v.Origin.String()
	}
	want := map[string]string{
		"a": "project from slipway.yaml:5:13", "b": `environment from slipway.yaml:6:33 (environment "qa")`,
		"c": "ci from bamboo_c (Bamboo)", "d": "variable from SLIPWAY_VALUE_d", "e": "flag=y from --set",
		"buildKey": "X from bamboo_buildKey (Bamboo)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCIVariablesBecomeValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ []string
		want    map[string]string
	}{
		"no CI":     {[]string{"bamboo_family=x", "BUILD_NUMBER=1"}, map[string]string{}},
		"Bamboo":    {[]string{"bamboo_agentId=1", "bamboo_family=x", "bamboo_version=9", "bamboo_buildNumber=12"}, map[string]string{"agentId": "1", "family": "x", "buildNumber": "12"}},
		"GitHub":    {[]string{"GITHUB_ACTIONS=true", "GITHUB_RUN_NUMBER=7", "GITHUB_RUN_ID=99", "SECRET=x"}, map[string]string{"buildNumber": "7", "buildId": "99"}},
		"GitLab":    {[]string{"GITLAB_CI=true", "CI_PIPELINE_IID=7"}, map[string]string{"buildNumber": "7"}},
		"Jenkins":   {[]string{"JENKINS_URL=http://x", "BUILD_NUMBER=7", "BUILD_URL=http://x/7"}, map[string]string{"buildNumber": "7", "buildUrl": "http://x/7"}},
		"CodeBuild": {[]string{"CODEBUILD_BUILD_ID=a:b", "CODEBUILD_BUILD_NUMBER=3"}, map[string]string{"buildId": "a:b", "buildNumber": "3"}},
	} {
		got := map[string]string{}
		for name, v := range CIValues(c.environ) {
			got[name] = v.Text
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSettingsThatCannotBeAreAllReported(t *testing.T) {
	t.Parallel()
	_, err := FlagValues([]string{"novalue", "1x=2", "version=3", "ok=1"})
	if err == nil || strings.Count(err.Error(), "\n") != 2 || fault.KindOf(err) != fault.Invalid {
		t.Errorf("flags: %v", err)
	}
	_, err = VariableValues([]string{"SLIPWAY_VALUE_=x", "SLIPWAY_VALUE_imageTag=x", "OTHER=x"})
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("variables: %v", err)
	}
}

func TestBuiltInValuesAreAlwaysThere(t *testing.T) {
	t.Parallel()
	v, err := version.Parse("1.0.15.RELEASE")
	if err != nil {
		t.Fatal(err)
	}
	values := BuiltInValues(Facts{Project: "hid", Version: v, Branch: "master", Commit: "abc", Environment: "qa"})
	if diff := cmp.Diff(BuiltInNames(), values.Names()); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"imageTag": "1.0.15.RELEASE", "major": "1", "patch": "15", "tag": "RELEASE", "environment": "qa"} {
		if got := values[name].Text; got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	token := ClientToken("hid", v, "qa")
	if len(token) != 32 || token == ClientToken("hid", v, "production") || token == ClientToken("hidq", v, "a") || token != ClientToken("hid", v, "qa") {
		t.Errorf("token %q", token)
	}
}

func TestEnvironmentsAreFoundByName(t *testing.T) {
	t.Parallel()
	none := parse(t, base)
	two := parse(t, base+"environments: {qa: {}, production: {}}\n")
	if e, err := none.Environment(""); err != nil || e.Name != "" || len(none.AllEnvironments()) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	for _, c := range []struct {
		p          *Project
		name       EnvironmentName
		want, hint string
	}{
		{none, "qa", "configures none", "leave --environment out"},
		{two, "", "several environments", "one of qa, production"},
		{two, "prodution", `no environment "prodution"`, `did you mean "production"?`},
	} {
		_, err := c.p.Environment(c.name)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%q: %v (%s)", c.name, err, fault.HintOf(err))
		}
	}
	if e, err := two.Environment("qa"); err != nil || e.Name != "qa" || len(two.AllEnvironments()) != 2 {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestLookupsAreParsedWithTheirPlaces(t *testing.T) {
	t.Parallel()
	p, err := Parse("slipway.yaml", []byte(base+`values:
  a: {env: HOME}
  b: {file: deploy/motd}
  c: {ssm: "/${environment}/db/host"}
  d: {secretArn: db-password}
  e: {cloudformation: infra.LoadBalancerArn}
  f: {terraform: s3://bucket/key, output: vpc}
  g: {terraform: t.tfstate, resource: "module.a.aws_subnet.b[0]", attribute: tags.Name, sensitive: true}
  h: plain
`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"a": `environment variable "HOME"`, "b": `file "deploy/motd"`, "c": `SSM parameter "/${environment}/db/host"`,
		"d": `the ARN of secret "db-password"`, "e": `CloudFormation output "infra.LoadBalancerArn"`,
		"f": `output "vpc" of Terraform state "s3://bucket/key"`,
		"g": `tags.Name of module.a.aws_subnet.b[0] in Terraform state "t.tfstate"`,
	}
	for name, words := range want {
		l := p.Values[name].Origin.Lookup
		if l == nil || l.String() != words {
			t.Errorf("%s is %v, want %s", name, l, words)
		}
	}
	if o := p.Values["a"].Origin.String(); !strings.HasPrefix(o, `environment variable "HOME" (slipway.yaml:`) {
		t.Errorf("origin %q", o)
	}
	if p.Values["h"].Origin.Lookup != nil || !p.Values["g"].Origin.Lookup.Sensitive || p.Values["f"].Origin.Lookup.Sensitive {
		t.Error("wrong parts")
	}
}

func TestLookupsThatCannotBeAreAllReported(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{}":                              "values.x: expected a value, or where to look it up",
		"{sssm: /a}":                      `values.x.sssm: there is no such setting (did you mean "ssm"?)`,
		"{ssm: /a, env: B}":               "values.x: a value is found in one place, and ssm is another (keep one)",
		"{output: a}":                     "values.x: where to look is missing",
		"{ssm: /a, output: b}":            "values.x.output belongs to terraform, and this is ssm (remove it)",
		"{terraform: a}":                  "values.x: expected either output, or resource and attribute",
		"{terraform: a, resource: b}":     "values.x: expected either output, or resource and attribute",
		"{cloudformation: a}":             `values.x.cloudformation: "a" doesn't name a stack and one of its outputs (write STACK.Output)`,
		"{file: /etc/motd}":               `values.x.file: "/etc/motd" is an absolute path`,
		"{ssm: [a]}":                      "values.x.ssm: expected text, found a list",
		"{env: A, sensitive: true}":       "values.x.sensitive belongs to terraform",
		"[a]":                             "values.x: expected one value, found a list (a value is text, a number, true or false, or a look-up such as {ssm: /qa/db/host})",
		"{ssm: }":                         "values.x.ssm has no value",
		"{terraform: a, output: [b]}":     "values.x.output: expected text, found a list",
		`{cloudformation: "${s}.Output"}`: "",
	} {
		_, err := Parse("slipway.yaml", []byte(base+"values:\n  x: "+text+"\n"))
		switch {
		case want == "" && err != nil, want != "" && err == nil, err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}
