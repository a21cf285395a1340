package conformance

import (
	"strings"
	"testing"
)

// TestMistakesInAScenarioAreToldWithTheirLines holds the format to what it promises: nothing is overlooked.
func TestMistakesInAScenarioAreToldWithTheirLines(t *testing.T) {
	t.Parallel()
	const step = "steps:\n- {at: 0s, CreateService: {serviceName: web}}\n"
	for name, tc := range map[string]struct{ scenario, want string }{
		"a member that there isn't":        {"instance: 2\n" + step, "x.txtar:3: "},
		"an operation that there isn't":    {"steps:\n- {at: 0s, CreateServices: {}}\n", "x.txtar:4: there is no operation CreateServices"},
		"a member that AWS doesn't know":   {"steps:\n- at: 0s\n  CreateService:\n    serviceName: web\n    desired: 2\n", "x.txtar:7: CreateServiceInput has no member desired"},
		"a value of the wrong kind":        {"steps:\n- at: 0s\n  CreateService:\n    desiredCount: two\n", `x.txtar:6: expected a value of type int32, found "two"`},
		"a list that is none":              {"steps:\n- at: 0s\n  CreateService:\n    loadBalancers: blue\n", "x.txtar:6: expected a list"},
		"a step without a time":            {"steps:\n- CreateService: {}\n", "x.txtar:4: expected either at or when"},
		"a step that does nothing":         {"steps:\n- at: 5s\n", "x.txtar:4: the step does nothing"},
		"a step that does two things":      {"steps:\n- {at: 0s, CreateService: {}, DeleteService: {}}\n", "x.txtar:4: the step does two things: CreateService and DeleteService"},
		"a time that is none":              {"steps:\n- {at: soon, CreateService: {}}\n", `x.txtar:4: expected a duration such as 1m30s, found "soon"`},
		"a script that cannot be read":     {"revisions:\n- script: walk\n" + step, `x.txtar:4: slipway.script:1:1: found "walk"`},
		"a revision's member":              {"revisions:\n- {script: start 3s, helthCheck: {}}\n" + step, "x.txtar:4: ContainerDefinition has no member helthCheck"},
		"something that cannot be shown":   {"shows: [sparks]\n" + step, `x.txtar:3: nothing called "sparks" can be shown`},
		"no steps":                         {"instances: 2\n", "x.txtar:3: there are no steps"},
		"a member of the target group":     {"balancer:\n  group: {interval: 5}\n" + step, "x.txtar:4: CreateTargetGroupInput has no member interval"},
		"two mistakes, and both are told":  {"steps:\n- {at: 0s, Nonsense: {}}\n- {at: 0s, Rubbish: {}}\n", "x.txtar:5: there is no operation Rubbish"},
		"two mistakes, and first is told":  {"steps:\n- {at: 0s, Nonsense: {}}\n- {at: 0s, Rubbish: {}}\n", "x.txtar:4: there is no operation Nonsense"},
		"a befalling of an unknown member": {"steps:\n- {at: 0s, lose: {planet: a}}\n", "x.txtar:4: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseScenario("x.txtar", []byte("What happens.\n-- scenario.yaml --\n"+tc.scenario))
			if err == nil {
				t.Fatal("it was taken for a scenario")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v\nexpected: %s", err, tc.want)
			}
		})
	}
	for name, text := range map[string]string{
		"no scenario":     "What happens.\n-- happens --\n",
		"no words":        "-- scenario.yaml --\n" + step,
		"an unknown part": "What happens.\n-- scenario.yaml --\n" + step + "-- notes --\n",
	} {
		if _, err := parseScenario("x.txtar", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), "x.txtar:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
