package api_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/state"
)

func TestAServiceIsSpreadAnewWhenAZoneComesBack(t *testing.T) {
	t.Parallel()
	v := eventsOf(newHouse(t, func(o *engine.Options) { o.Instances = 2 }))
	v.rule("balance", `{"source": ["aws.ecs"], "detail": {"eventName": [{"prefix": "SERVICE_REBALANCING"}, "TASKS_STARTED"]}}`, nil)
	_, err := v.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	must(v.house, 0, err)
	set := func(status types.ContainerInstanceStatus) {
		t.Helper()
		for i := range v.DB().Read().AllInstances() {
			if i.Zone != "us-east-1a" {
				continue
			}
			out, err := v.ecs.UpdateContainerInstancesState(t.Context(), &ecs.UpdateContainerInstancesStateInput{
				ContainerInstances: []string{string(i.ID)}, Status: status,
			})
			must(v.house, out, err)
		}
	}
	set(types.ContainerInstanceStatusDraining)
	made := v.create("default", "web", v.register("web", nil), nil)
	if made.AvailabilityZoneRebalancing != types.AvailabilityZoneRebalancingEnabled {
		t.Errorf("a new service has %s", made.AvailabilityZoneRebalancing)
	}
	v.completed("default", "web")
	set(types.ContainerInstanceStatusActive)
	v.untilEvent("web", "is AZ balanced with 1 tasks in us-east-1a, and 1 tasks in us-east-1b.")
	zones := map[string]int{}
	for task := range v.DB().Read().AllTasks() {
		if task.Desired == state.Running {
			zones[task.Zone]++
		}
	}
	if zones["us-east-1a"] != 1 || zones["us-east-1b"] != 1 {
		t.Errorf("tasks: %v", zones)
	}
	for _, want := range []string{"SERVICE_REBALANCING_STARTED", "TASKS_STARTED", "SERVICE_REBALANCING_COMPLETED"} {
		if text := v.next(); !strings.Contains(text, `"eventName":"`+want+`"`) || !strings.Contains(text, `"eventType":"INFO"`) {
			t.Errorf("%s, want %s", text, want)
		}
	}
}
