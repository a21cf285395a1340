package descriptor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/version"
)

const example = "../examples/hid-generator"

// exampleProject reads the example's slipway.yaml and templates.
func exampleProject(t *testing.T) (*config.Project, []Template) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(example, config.FileName))
	if err != nil {
		t.Fatal(err)
	}
	p, err := config.Parse(config.FileName, content)
	if err != nil {
		t.Fatal(err)
	}
	var templates []Template
	for kind, path := range map[Kind]config.Text{
		TaskDefinition: p.Descriptors.TaskDefinition, ServiceDefinition: p.Descriptors.ServiceDefinition,
		ServiceUpdate: p.Descriptors.ServiceUpdate,
	} {
		text, err := os.ReadFile(filepath.Join(example, path.Text))
		if err != nil {
			t.Fatal(err)
		}
		templates = append(templates, Template{Kind: kind, File: path.Text, Text: text})
	}
	return p, templates
}

func TestTheUsersTemplatesRenderToTheSameContentWithValuesInPlace(t *testing.T) {
	t.Parallel()
	p, templates := exampleProject(t)
	v, _ := p.Branches.Version(*p.Version.Literal, "master")
	facts := config.Facts{Project: p.Name, Version: v, Branch: "master"}
	docs, err := Render(templates, config.Merge(p.Values, config.BuiltInValues(facts)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[Kind]string{
		TaskDefinition: `{"family":"hid-generator","containerDefinitions":[{"name":"hid-generator",
			"image":"127.0.0.1:4566/hid-generator:1.0.15.RELEASE","memory":256,
			"portMappings":[{"containerPort":8080,"hostPort":1234,"protocol":"tcp"}],"essential":true,
			"hostname":"hid-generator","dockerLabels":{"release":"1.0.15.RELEASE"}}]}`,
		ServiceDefinition: `{"cluster":"default","serviceName":"hid-generator","taskDefinition":"hid-generator",
			"loadBalancers":[{"loadBalancerName":"hid-generator","containerName":"hid-generator","containerPort":8080}],
			"desiredCount":2,"clientToken":"` + config.ClientToken(p.Name, v, "") + `","role":"ecsServiceRole",
			"deploymentConfiguration":{"maximumPercent":200,"minimumHealthyPercent":25}}`,
		ServiceUpdate: `{"cluster":"default","service":"hid-generator","desiredCount":2,"taskDefinition":"hid-generator",
			"deploymentConfiguration":{"maximumPercent":200,"minimumHealthyPercent":25}}`,
	}
	for _, d := range docs {
		if diff := cmp.Diff(decode(t, []byte(want[d.Kind])), decode(t, d.Body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d.Kind, diff)
		}
	}
	if got, want := FileName(p.Name, v, TaskDefinition), "hid-generator-1.0.15.RELEASE-task-definition.json"; got != want {
		t.Errorf("FileName = %q, want %q", got, want)
	}
	if tag := version.Tag("RELEASE"); v.Tag != tag {
		t.Errorf("tag %q", v.Tag)
	}
}

func decode(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	return v
}
