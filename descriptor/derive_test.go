package descriptor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/config"
)

func TestAnUpdateIsDerivedFromTheDefinition(t *testing.T) {
	t.Parallel()
	const definition = `{"cluster":"qa","serviceName":"web","taskDefinition":"web","desiredCount":2,"clientToken":"t","role":"r",
		"launchType":"FARGATE","schedulingStrategy":"REPLICA","tags":[{"key":"a"}],"deploymentController":{"type":"ECS"},
		"deploymentConfiguration":{"maximumPercent":200,"addedTomorrow":1.50},"loadBalancers":[],"enableExecuteCommand":true,
		"healthCheckGracePeriodSeconds":5,"addedTomorrow":{"x":[1]}}`
	const derived = `{"cluster":"qa","service":"web","taskDefinition":"web",
		"deploymentConfiguration":{"maximumPercent":200,"addedTomorrow":1.50},"loadBalancers":[],"enableExecuteCommand":true,
		"healthCheckGracePeriodSeconds":5,"addedTomorrow":{"x":[1]}}`
	for _, file := range []string{"s.json", "s.yaml"} {
		doc, problems := Expand(Template{Kind: ServiceDefinition, File: file, Text: []byte(definition)}, config.Values{})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		before := string(doc.Body)
		update := DeriveUpdate(doc, false)
		if diff := cmp.Diff(decode(t, []byte(derived)), decode(t, update.Body)); diff != "" || update.Kind != ServiceUpdate {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
		if string(doc.Body) != before || doc.Kind != ServiceDefinition || !doc.view().get("serviceName").exists() {
			t.Error("the definition has changed")
		}
		if problems := update.CheckShape(Options{PassUnknown: true}); len(problems) > 0 {
			t.Error(problems)
		}
		if set := DeriveUpdate(doc, true); !set.view().get("desiredCount").exists() {
			t.Error("desiredCount is not set")
		}
	}
}
