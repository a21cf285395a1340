package ecs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestTheContainerThatFailsItsHealthCheckIsNamed(t *testing.T) {
	t.Parallel()
	check := &types.HealthCheck{Command: []string{"CMD", "true"}}
	web := types.ContainerDefinition{Name: aws.String("web"), HealthCheck: check}
	proxy := types.ContainerDefinition{Name: aws.String("proxy"), HealthCheck: check}
	side := types.ContainerDefinition{Name: aws.String("side"), HealthCheck: check, Essential: aws.Bool(false)}
	sick := func(name string) types.Container {
		return types.Container{Name: &name, HealthStatus: types.HealthStatusUnhealthy}
	}
	for name, tc := range map[string]struct {
		defined []types.ContainerDefinition
		seen    []types.Container
		want    string
	}{
		"ECS calls it unhealthy":         {[]types.ContainerDefinition{web, proxy}, []types.Container{sick("proxy")}, "proxy"},
		"one that is not essential":      {[]types.ContainerDefinition{side, web}, []types.Container{sick("side")}, "web"},
		"the only one with a check":      {[]types.ContainerDefinition{{Name: aws.String("log")}, web}, nil, "web"},
		"it may be any of several":       {[]types.ContainerDefinition{web, proxy}, nil, ""},
		"a definition without any check": {[]types.ContainerDefinition{{Name: aws.String("log")}}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &definition{TaskDefinition: types.TaskDefinition{ContainerDefinitions: tc.defined}}
			if got := sickContainer(types.Task{Containers: tc.seen}, d); got != tc.want {
				t.Errorf("named is %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTheLogGroupThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	writes := func(name, group, create string) types.ContainerDefinition {
		return types.ContainerDefinition{Name: &name, LogConfiguration: &types.LogConfiguration{
			LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": group, "awslogs-create-group": create},
		}}
	}
	d := &definition{TaskDefinition: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{
		writes("web", "/ecs/web", ""), writes("proxy", "/ecs/proxy", "false"), writes("job", "/ecs/web", ""), writes("made", "/ecs/made", "true"),
		{Name: aws.String("quiet")},
	}}}
	for name, tc := range map[string]struct {
		container *types.Container
		want      string
	}{
		"of the container":               {&types.Container{Name: aws.String("proxy")}, "/ecs/proxy"},
		"of any, when the task fails":    {nil, "/ecs/web or /ecs/proxy"},
		"none of one that makes its own": {&types.Container{Name: aws.String("made")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := logGroups(d, tc.container); got != tc.want {
				t.Errorf("named is %q, want %q", got, tc.want)
			}
		})
	}
}
