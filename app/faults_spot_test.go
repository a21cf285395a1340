package app

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

func TestTasksOnFargateSpotAreInterruptedAndReplaced(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{Speed: 1000})
	client := run(t, e, 1, types.LaunchTypeFargate) // not on Spot
	spot := []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String(schedule.FargateSpot), Weight: 1}}
	_, err := client.PutClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{
		Cluster: aws.String("default"), CapacityProviders: []string{schedule.FargateSpot}, DefaultCapacityProviderStrategy: spot,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("spot"), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(3), CapacityProviderStrategy: spot,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	running(t, e, 4)
	if _, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Interrupt, Target: "web"}); err == nil || !strings.Contains(err.Error(), "runs on FARGATE_SPOT") {
		t.Errorf("a service that is not on Spot: %v", err)
	}
	f, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Interrupt, Target: "spot", Tasks: 2})
	if err != nil || len(f.Affected) != 2 || f.Hits != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	settles(t, e, func(snap state.Snapshot) bool {
		return !slices.ContainsFunc(f.Affected, func(id string) bool {
			task, ok := snap.Task(state.TaskID(id))
			return !ok || task.Last != state.Stopped
		})
	})
	out, err := client.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: f.Affected})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range out.Tasks {
		if task.StopCode != types.TaskStopCodeSpotInterruption || *task.StoppedReason != "Your Spot Task was interrupted." {
			t.Errorf("%s: %s", task.StopCode, *task.StoppedReason)
		}
	}
	running(t, e, 4)
}
