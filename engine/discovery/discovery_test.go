package discovery

import (
	"testing"

	ecs "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

func TestAPortIsTheOneThatIsNamed(t *testing.T) {
	t.Parallel()
	definition := &state.TaskDefinition{Doc: ecs.TaskDefinition{ContainerDefinitions: []ecs.ContainerDefinition{
		{Name: new("side"), PortMappings: []ecs.PortMapping{{ContainerPort: new(int32(80))}}},
		{Name: new("app"), PortMappings: []ecs.PortMapping{{ContainerPort: new(int32(80))}, {ContainerPort: new(int32(81)), HostPort: new(int32(8081))}}},
	}}}
	dynamic := &state.Task{Ports: []state.HostPort{{Port: 32768}, {Port: 32769}, {Port: 8081}}}
	named := func(container string, port int32) ecs.ServiceRegistry {
		return ecs.ServiceRegistry{ContainerName: &container, ContainerPort: &port}
	}
	for name, c := range map[string]struct {
		task     *state.Task
		registry ecs.ServiceRegistry
		want     int
	}{
		"a port of its own":                 {dynamic, ecs.ServiceRegistry{Port: new(int32(9000))}, 9000},
		"none":                              {dynamic, ecs.ServiceRegistry{}, 0},
		"a host port that was chosen":       {dynamic, named("app", 80), 32769},
		"a fixed host port":                 {dynamic, named("app", 81), 8081},
		"the container's, with an address":  {&state.Task{}, named("app", 80), 80},
		"one that the definition knows not": {dynamic, named("app", 82), 0},
	} {
		if got := portOf(c.task, definition, c.registry); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
