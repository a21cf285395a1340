package ecs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/rollout"
)

// task is a definition of one container that needs so much.
func task(cpu, memory int32, hostPorts ...int32) *definition {
	c := types.ContainerDefinition{Cpu: cpu, Memory: &memory}
	for _, port := range hostPorts {
		c.PortMappings = append(c.PortMappings, types.PortMapping{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(port)})
	}
	return &definition{TaskDefinition: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{c}}}
}

func TestATaskThatIsLargerThanEveryInstanceIsToldWithItsSize(t *testing.T) {
	t.Parallel()
	small, wide := site{cpu: 1024, memory: 2048}, site{cpu: 4096, memory: 1024}
	reserving := task(128, 4096)
	reserving.ContainerDefinitions[0].MemoryReservation = aws.Int32(64)
	sized := task(128, 64)
	sized.Cpu, sized.Memory = aws.String("2048"), aws.String("512")
	for name, tc := range map[string]struct {
		task  *definition
		sites []site
		cause rollout.Cause
		text  string
	}{
		"it fits":                         {task(1024, 2048), []site{small, wide}, "", ""},
		"it fits one":                     {task(2048, 64), []site{small, wide}, "", ""},
		"nothing is known of instances":   {task(2048, 64), nil, "", ""},
		"its reservation counts":          {reserving, []site{small}, "", ""},
		"the task's own size counts":      {sized, []site{small}, rollout.NoCPU, "the task needs 2048 CPU units, and the only instance has 1024"},
		"too much CPU":                    {task(8192, 64), []site{small, wide}, rollout.NoCPU, "the task needs 8192 CPU units, and the largest of 2 instances has 4096"},
		"too much memory":                 {task(128, 4096), []site{small, wide}, rollout.NoMemory, "the task needs 4096 MiB of memory, and the largest of 2 instances has 2048 MiB"},
		"each instance lacks one of both": {task(2048, 2048), []site{small, wide}, rollout.NoMemory, "the task needs 2048 CPU units and 2048 MiB of memory, and no instance has both"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, tooLarge(tc.task, tc.sites), tc.cause, tc.text)
		})
	}
}

func TestAPortThatCanNeverBecomeFreeIsTold(t *testing.T) {
	t.Parallel()
	sites := []site{{arn: "a", reserved: map[string]bool{"22/tcp": true}}, {arn: "b", reserved: map[string]bool{"22/tcp": true}}}
	on := func(instances ...string) keepers {
		k := keepers{ports: map[string]map[string]bool{}, percent: 100}
		for _, i := range instances {
			k.ports[i] = map[string]bool{"80/tcp": true}
		}
		return k
	}
	host, own := task(1, 1, 0), task(1, 1, 80)
	host.NetworkMode, own.NetworkMode = types.NetworkModeHost, types.NetworkModeAwsvpc
	for name, tc := range map[string]struct {
		task  *definition
		sites []site
		keep  keepers
		cause rollout.Cause
		text  string
	}{
		"old tasks keep it everywhere": {
			task(1, 1, 80), sites, on("a", "b"), rollout.PortTaken,
			"old tasks of the service hold 80/tcp, and minimumHealthyPercent 100 lets none of them stop",
		},
		"one instance has it free":        {task(1, 1, 80), sites, on("a"), "", ""},
		"another port":                    {task(1, 1, 81), sites, on("a", "b"), "", ""},
		"a port that is chosen":           {task(1, 1, 0), sites, on("a", "b"), "", ""},
		"an address of its own":           {own, sites, on("a", "b"), "", ""},
		"a port that instances reserve":   {task(1, 1, 22), sites, on(), rollout.PortTaken, "22/tcp is reserved there"},
		"nothing is known of instances":   {task(1, 1, 80), nil, on(), "", ""},
		"the container's port is the one": {host, []site{{arn: "a", reserved: map[string]bool{"8080/tcp": true}}}, on(), rollout.PortTaken, "8080/tcp is reserved there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, locked(tc.task, tc.sites, tc.keep), tc.cause, tc.text)
		})
	}
}

func TestOldTasksKeepTheirPortsOnlyWhileTheMinimumKeepsThem(t *testing.T) {
	t.Parallel()
	running := func(id, instance string) types.Task {
		return types.Task{
			TaskArn: aws.String("task/" + id), TaskDefinitionArn: aws.String("web:1"), ContainerInstanceArn: &instance,
			LastStatus: aws.String("RUNNING"), DesiredStatus: aws.String("RUNNING"),
		}
	}
	for name, tc := range map[string]struct {
		percent, desired int32
		change           func(*inquiry)
		kept             int
	}{
		"all are needed":      {100, 2, func(*inquiry) {}, 2},
		"one of them may go":  {50, 2, func(*inquiry) {}, 0},
		"a fraction keeps it": {51, 2, func(*inquiry) {}, 2},
		"fewer are desired":   {100, 1, func(*inquiry) {}, 0},
		"one is sick":         {100, 2, func(q *inquiry) { q.running[1].HealthStatus = types.HealthStatusUnhealthy }, 0},
		"one is stopping":     {100, 2, func(q *inquiry) { q.running[0].DesiredStatus = aws.String("STOPPED") }, 0},
		"one is new":          {100, 2, func(q *inquiry) { q.ours["t1"] = true }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &inquiry{
				target: &Target{definitions: map[string]*definition{"web:1": task(1, 1, 80)}}, ours: map[rollout.TaskID]bool{},
				running: []types.Task{running("t1", "a"), running("t2", "b")},
			}
			q.service.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: &tc.percent}
			tc.change(q)
			if k := q.keepers(t.Context(), types.Deployment{DesiredCount: tc.desired}); len(k.ports) != tc.kept {
				t.Errorf("kept are %v, want %d", k.ports, tc.kept)
			}
		})
	}
}

func check(t *testing.T, found []rollout.Evidence, cause rollout.Cause, text string) {
	t.Helper()
	switch {
	case cause == "" && len(found) > 0:
		t.Errorf("found %+v", found)
	case cause != "" && (len(found) != 1 || found[0].Points != cause || found[0].Text != text):
		t.Errorf("found %+v, want %q: %q", found, cause, text)
	}
}
