package ecsdeploy

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/rollout"
)

func TestADeploymentStandsWhenItIsTheOnlyOneLeftAndComplete(t *testing.T) {
	t.Parallel()
	of := func(id, status string, state types.DeploymentRolloutState, reason string) types.Deployment {
		return types.Deployment{Id: &id, Status: &status, RolloutState: state, RolloutStateReason: &reason, TaskDefinition: aws.String("web:" + id)}
	}
	const (
		going, done, failed = types.DeploymentRolloutStateInProgress, types.DeploymentRolloutStateCompleted, types.DeploymentRolloutStateFailed
	)
	for name, c := range map[string]struct {
		all      []types.Deployment
		want     bool
		err      string
		replaced bool
	}{
		"alone and complete":         {all: []types.Deployment{of("2", "PRIMARY", done, "")}, want: true},
		"alone, nobody tells states": {all: []types.Deployment{of("2", "PRIMARY", "", "")}, want: true},
		"alone, on its way":          {all: []types.Deployment{of("2", "PRIMARY", going, "")}},
		"the old one is there":       {all: []types.Deployment{of("2", "PRIMARY", done, ""), of("1", "ACTIVE", done, "")}},
		"failed":                     {all: []types.Deployment{of("2", "PRIMARY", failed, "tasks failed to start")}, err: "deployment 2 has failed: tasks failed to start"},
		"failed, being rolled back":  {all: []types.Deployment{of("3", "PRIMARY", going, ""), of("2", "ACTIVE", failed, "breaker")}, err: "deployment 2 has failed: breaker"},
		"rolled back: one is left":   {all: []types.Deployment{of("3", "PRIMARY", done, "rolling back")}, err: "ECS works towards 3 of web:3 (rolling back)", replaced: true},
		"somebody else's":            {all: []types.Deployment{of("3", "PRIMARY", going, ""), of("2", "ACTIVE", going, "")}, err: "ECS works towards 3", replaced: true},
		"none":                       {err: "no deployment any more", replaced: true},
	} {
		got, err := stands(c.all, "2")
		if got != c.want || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %t, %v", name, got, err)
		}
		if errors.Is(err, errReplaced) != c.replaced {
			t.Errorf("%s: replaced: %t", name, !c.replaced)
		}
	}
}

func TestTheOldestRevisionsGoButNeverOneThatIsNeeded(t *testing.T) {
	t.Parallel()
	five := []string{"1", "2", "3", "4", "5"}
	for name, c := range map[string]struct {
		keep   int
		needed string
		want   []string
	}{
		"two stay":                  {2, "45", []string{"1", "2", "3"}},
		"a needed one is old":       {2, "25", []string{"1", "3"}},
		"one stays, two are needed": {1, "45", []string{"1", "2", "3"}},
		"as many as there are":      {5, "", nil},
		"more than there are":       {9, "", nil},
	} {
		needed := map[string]bool{}
		for _, n := range c.needed {
			needed[string(n)] = true
		}
		if diff := cmp.Diff(c.want, superfluous(five, c.keep, needed)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestATaskIsUpWhenItRunsAndIsHealthyWhereThatIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		definition, status string
		health             types.HealthStatus
		checked, want      bool
	}{
		"running":                {"web:2", "RUNNING", types.HealthStatusUnknown, false, true},
		"old":                    {"web:1", "RUNNING", types.HealthStatusUnknown, false, false},
		"pending":                {"web:2", "PENDING", types.HealthStatusUnknown, false, false},
		"checked, not known yet": {"web:2", "RUNNING", types.HealthStatusUnknown, true, false},
		"checked, unhealthy":     {"web:2", "RUNNING", types.HealthStatusUnhealthy, true, false},
		"checked, healthy":       {"web:2", "RUNNING", types.HealthStatusHealthy, true, true},
	} {
		d := &deployment{definition: "web:2", checked: c.checked}
		task := types.Task{TaskDefinitionArn: &c.definition, LastStatus: &c.status, HealthStatus: c.health}
		if got := d.isUp(task); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestPercentagesLeaveTheRestOfTheConfigurationAlone(t *testing.T) {
	t.Parallel()
	s := service{configuration: []byte(`{"deploymentCircuitBreaker":{"enable":true,"rollback":true},"maximumPercent":200,"minimumHealthyPercent":100,"later":1.0}`)}
	got, err := s.percents(new(50), nil)
	const want = `{"deploymentCircuitBreaker":{"enable":true,"rollback":true},"later":1.0,"maximumPercent":200,"minimumHealthyPercent":50}`
	if string(got) != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	got, err = service{}.percents(nil, new(150))
	if string(got) != `{"maximumPercent":150}` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestSidecarsFailByThemselvesOnly(t *testing.T) {
	t.Parallel()
	container := func(code int, signal string, essential bool) rollout.ContainerReport {
		return rollout.ContainerReport{Name: "c", Essential: essential, ExitCode: &code, Signal: signal}
	}
	for name, c := range map[string]struct {
		container rollout.ContainerReport
		want      int
	}{
		"done":                   {container(0, "", false), 0},
		"failed":                 {container(3, "", false), 1},
		"stopped with the rest":  {container(143, "SIGTERM", false), 0},
		"judged among essential": {container(3, "", true), 0},
		"never started":          {rollout.ContainerReport{Name: "c"}, 0},
	} {
		got := failedSidecars([]rollout.TaskReport{{ID: "t", Containers: []rollout.ContainerReport{c.container}}})
		if len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
