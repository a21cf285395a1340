package api_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
)

func (h *house) cluster() {
	h.Helper()
	_, err := h.ecs.CreateCluster(h.Context(), &ecs.CreateClusterInput{})
	must(h, 0, err)
}

func TestRunTaskStartsTasksOnceUnderAToken(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	h.register("job", nil)
	request := &ecs.RunTaskInput{TaskDefinition: aws.String("job"), Count: aws.Int32(3), ClientToken: aws.String("t"), StartedBy: aws.String("me")}
	first, err := h.ecs.RunTask(t.Context(), request)
	must(h, first, err)
	again, err := h.ecs.RunTask(t.Context(), request)
	must(h, again, err)
	arns := func(out *ecs.RunTaskOutput) map[string]bool {
		set := map[string]bool{}
		for _, task := range out.Tasks {
			set[*task.TaskArn] = true
		}
		return set
	}
	if diff := cmp.Diff(arns(first), arns(again)); diff != "" || len(first.Tasks) != 3 {
		t.Errorf("the repetition started others: %s", diff)
	}
	request.Count = aws.Int32(2)
	_, err = h.ecs.RunTask(t.Context(), request)
	e, ok := errors.AsType[*types.ConflictException](err)
	if !ok || len(e.ResourceIds) != 3 || !strings.HasPrefix(e.ErrorMessage(), "The RunTask request could not be processed due to conflicts.") {
		t.Errorf("another request under the token: %v", err)
	}
	request.ClientToken = nil
	for range 2 {
		out, err := h.ecs.RunTask(t.Context(), request)
		if must(h, out, err); len(out.Tasks) != 2 {
			t.Errorf("without a token: %s", h.last.answer())
		}
	}
}

func TestRunTaskTellsWhatFoundNoPlace(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	h.register("job", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings[0].HostPort = aws.Int32(1234)
	})
	h.register("huge", func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Memory = aws.Int32(1 << 20) })
	out, err := h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("job"), Count: aws.Int32(5)})
	if must(h, out, err); len(out.Tasks) != 4 || len(out.Failures) != 1 || *out.Failures[0].Reason != "RESOURCE:PORTS" {
		t.Errorf("five on four instances: %s", h.last.answer())
	}
	out, err = h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("huge")})
	if must(h, out, err); len(out.Tasks) != 0 || *out.Failures[0].Reason != "RESOURCE:MEMORY" || !strings.Contains(h.last.answer(), `"tasks":[]`) {
		t.Errorf("one too large: %s", h.last.answer())
	}
}

func TestTasksAreListedByWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("web", nil)
	h.register("job", nil)
	h.create("default", "web", "web", nil)
	h.stable("default", "web")
	ran, err := h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("job"), Count: aws.Int32(2), StartedBy: aws.String("me")})
	must(h, ran, err)
	running := ecs.NewTasksRunningWaiter(h.ecs, func(o *ecs.TasksRunningWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick })
	tasks := &ecs.DescribeTasksInput{Tasks: []string{*ran.Tasks[0].TaskArn, *ran.Tasks[1].TaskArn}}
	if err := running.Wait(t.Context(), tasks, time.Minute); err != nil {
		t.Fatal(err)
	}
	stopped, err := h.ecs.StopTask(t.Context(), &ecs.StopTaskInput{Task: ran.Tasks[1].TaskArn, Reason: aws.String("enough")})
	if task := must(h, stopped, err).Task; *task.DesiredStatus != "STOPPED" || *task.StoppedReason != "enough" || task.StopCode != types.TaskStopCodeUserInitiated {
		t.Errorf("stopped: %s", h.last.answer())
	}
	waiter := ecs.NewTasksStoppedWaiter(h.ecs, func(o *ecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick })
	if err := waiter.Wait(t.Context(), &ecs.DescribeTasksInput{Tasks: tasks.Tasks[1:]}, time.Minute); err != nil {
		t.Fatal(err)
	}
	described, err := h.ecs.DescribeTasks(t.Context(), tasks)
	must(h, described, err)
	instance := *described.Tasks[0].ContainerInstanceArn
	for name, tc := range map[string]struct {
		in   ecs.ListTasksInput
		want int
	}{
		"all that run":      {ecs.ListTasksInput{}, 3},
		"of a service":      {ecs.ListTasksInput{ServiceName: aws.String("web")}, 2},
		"of a family":       {ecs.ListTasksInput{Family: aws.String("job")}, 1},
		"of nobody":         {ecs.ListTasksInput{Family: aws.String("nope")}, 0},
		"started by":        {ecs.ListTasksInput{StartedBy: aws.String("me")}, 1},
		"stopped":           {ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped}, 1},
		"pending, as never": {ecs.ListTasksInput{DesiredStatus: types.DesiredStatusPending}, 0},
		"on Fargate":        {ecs.ListTasksInput{LaunchType: types.LaunchTypeFargate}, 0},
		"on an instance":    {ecs.ListTasksInput{ContainerInstance: &instance, Family: aws.String("job")}, 1},
	} {
		out, err := h.ecs.ListTasks(t.Context(), &tc.in)
		if must(h, out, err); len(out.TaskArns) != tc.want {
			t.Errorf("%s: %d, expected %d", name, len(out.TaskArns), tc.want)
		}
		if tc.want == 0 && h.last.answer() != `{"taskArns":[]}` {
			t.Errorf("%s: %s", name, h.last.answer())
		}
	}
	missing, err := h.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{"0123456789abcdef0123456789abcdef"}})
	if must(h, missing, err); len(missing.Failures) != 1 || !strings.Contains(*missing.Failures[0].Arn, ":task/default/0123") {
		t.Errorf("unknown task: %s", h.last.answer())
	}
	if _, err := h.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{"arn:aws:ecs:us-east-1:000000000000:task/qa/0123"}}); !strings.Contains(err.Error(), "Invalid identifier: Identifier is for cluster qa. Your cluster is default") {
		t.Errorf("a task of another cluster: %v", err)
	}
}

func TestContainerInstancesTellWhatIsLeftOfThem(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	h.register("job", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings[0].HostPort = aws.Int32(1234)
		in.ContainerDefinitions[0].Cpu = 100
	})
	list, err := h.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	must(h, list, err)
	drained, err := h.ecs.UpdateContainerInstancesState(t.Context(), &ecs.UpdateContainerInstancesStateInput{
		ContainerInstances: list.ContainerInstanceArns[:3], Status: types.ContainerInstanceStatusDraining,
	})
	must(h, drained, err)
	ran, err := h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("job"), Count: aws.Int32(2)})
	if must(h, ran, err); len(ran.Tasks) != 1 || *ran.Tasks[0].ContainerInstanceArn != list.ContainerInstanceArns[3] {
		t.Fatalf("two tasks on the one that is not draining: %s", h.last.answer())
	}
	out, err := h.ecs.DescribeContainerInstances(t.Context(), &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns[3:]})
	must(h, out, err)
	i := out.ContainerInstances[0]
	left := map[string]int32{}
	for n, r := range i.RegisteredResources {
		left[*r.Name] = r.IntegerValue - i.RemainingResources[n].IntegerValue
	}
	if left["CPU"] != 100 || left["MEMORY"] != 64 || i.RunningTasksCount+i.PendingTasksCount != 1 {
		t.Errorf("taken %v: %s", left, h.last.answer())
	}
	ports := i.RemainingResources[2].StringSetValue
	if !strings.Contains(strings.Join(ports, ","), "1234") {
		t.Errorf("ports: %v", ports)
	}
	active, err := h.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{Status: types.ContainerInstanceStatusActive})
	if must(h, active, err); len(active.ContainerInstanceArns) != 1 {
		t.Errorf("active: %v", active.ContainerInstanceArns)
	}
}

func TestTaskDefinitionsKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	for range 11 {
		h.register("web", nil)
	}
	h.register("webhook", nil)
	latest := func() int32 {
		out, err := h.ecs.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")})
		return must(h, out, err).TaskDefinition.Revision
	}
	out, err := h.ecs.ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("web"), Sort: types.SortOrderDesc, MaxResults: aws.Int32(2)})
	if must(h, out, err); len(out.TaskDefinitionArns) != 2 || !strings.HasSuffix(out.TaskDefinitionArns[0], "/web:11") || !strings.HasSuffix(out.TaskDefinitionArns[1], "/web:10") {
		t.Errorf("the newest first: %v", out.TaskDefinitionArns)
	}
	last := aws.String("web:11")
	_, err = h.ecs.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: last})
	if must(h, 0, err); latest() != 10 {
		t.Errorf("the newest that is ACTIVE: %d", latest())
	}
	deleted, err := h.ecs.DeleteTaskDefinitions(t.Context(), &ecs.DeleteTaskDefinitionsInput{TaskDefinitions: []string{"web:11", "web:10", "web:99"}})
	if must(h, deleted, err); len(deleted.TaskDefinitions) != 1 || deleted.TaskDefinitions[0].Status != types.TaskDefinitionStatusDeleteInProgress || len(deleted.Failures) != 2 {
		t.Errorf("deleted: %s", h.last.answer())
	}
	if next := h.register("web", nil); next != "web:12" {
		t.Errorf("a number is used again: %s", next)
	}
	families, err := h.ecs.ListTaskDefinitionFamilies(t.Context(), &ecs.ListTaskDefinitionFamiliesInput{FamilyPrefix: aws.String("web")})
	if diff := cmp.Diff([]string{"web", "webhook"}, must(h, families, err).Families); diff != "" {
		t.Error(diff)
	}
}

func TestFargatesCapacityProvidersAreForServicesOfTheirCluster(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	out, err := h.ecs.DescribeCapacityProviders(t.Context(), &ecs.DescribeCapacityProvidersInput{})
	if must(h, out, err); len(out.CapacityProviders) != 2 || *out.CapacityProviders[0].Name != "FARGATE" {
		t.Errorf("capacity providers: %s", h.last.answer())
	}
	strategy := []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE"), Weight: 1}}
	cluster, err := h.ecs.PutClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{
		Cluster: aws.String("default"), CapacityProviders: []string{"FARGATE"}, DefaultCapacityProviderStrategy: strategy,
	})
	if must(h, cluster, err); len(cluster.Cluster.DefaultCapacityProviderStrategy) != 1 {
		t.Errorf("cluster: %s", h.last.answer())
	}
	h.register("job", func(in *ecs.RegisterTaskDefinitionInput) {
		in.NetworkMode, in.Cpu, in.Memory = types.NetworkModeAwsvpc, aws.String("256"), aws.String("512")
	})
	service := h.create("default", "job", "job", func(in *ecs.CreateServiceInput) {
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
	})
	if service.LaunchType != "" || len(service.CapacityProviderStrategy) != 1 || *service.PlatformVersion != "LATEST" || *service.Deployments[0].PlatformVersion != "1.4.0" {
		t.Errorf("a service under its cluster's strategy: %s", h.last.answer())
	}
	before := *service.Deployments[0].Id
	after := h.update(&ecs.UpdateServiceInput{Service: aws.String("job"), CapacityProviderStrategy: []types.CapacityProviderStrategyItem{}})
	if after.LaunchType != types.LaunchTypeEc2 || after.PlatformVersion != nil || len(after.CapacityProviderStrategy) != 0 || *after.Deployments[0].Id == before {
		t.Errorf("a service that went back to instances: %s", h.last.answer())
	}
}

func TestAttributesOfContainerInstancesAreListed(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	out, err := h.ecs.ListAttributes(t.Context(), &ecs.ListAttributesInput{
		TargetType: types.TargetTypeContainerInstance, AttributeName: aws.String("ecs.availability-zone"), AttributeValue: aws.String("us-east-1b"),
	})
	if must(h, out, err); len(out.Attributes) != 2 || !strings.Contains(*out.Attributes[0].TargetId, ":container-instance/default/") {
		t.Errorf("attributes: %s", h.last.answer())
	}
}

func TestRunTaskRefusesWhatNoTaskCanBe(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	h.register("job", nil)
	container := types.ContainerOverride{Name: aws.String("app")}
	for name, tc := range map[string]struct {
		change func(*ecs.RunTaskInput)
		text   string
	}{
		"tags of a service":         {func(in *ecs.RunTaskInput) { in.PropagateTags = types.PropagateTagsService }, "propagateTags"},
		"a tag of AWS":              {func(in *ecs.RunTaskInput) { in.Tags = []types.Tag{{Key: aws.String("aws:x")}} }, "aws:"},
		"a tag twice":               {func(in *ecs.RunTaskInput) { in.Tags = []types.Tag{{Key: aws.String("x")}, {Key: aws.String("x")}} }, "Duplicate"},
		"an unknown strategy field": {func(in *ecs.RunTaskInput) { in.PlacementStrategy = strategy("binpack", "disk") }, `field "disk"`},
		"a random field":            {func(in *ecs.RunTaskInput) { in.PlacementStrategy = strategy("random", "cpu") }, "random"},
		"an unreadable constraint": {func(in *ecs.RunTaskInput) {
			in.PlacementConstraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: aws.String("a b c")}}
		}, `character 1: unknown subject "a"`},
		"a size that is none": {func(in *ecs.RunTaskInput) { in.Overrides = &types.TaskOverride{Cpu: aws.String("much")} }, "'cpu'"},
		"a disk on EC2": {func(in *ecs.RunTaskInput) {
			in.Overrides = &types.TaskOverride{EphemeralStorage: &types.EphemeralStorage{SizeInGiB: 30}}
		}, "Fargate"},
		"overrides of a novel": {func(in *ecs.RunTaskInput) {
			c := container
			c.Command = []string{strings.Repeat("x", 9000)}
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{c}}
		}, "8192"},
		"memory of five": {func(in *ecs.RunTaskInput) {
			c := container
			c.Memory = aws.Int32(5)
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{c}}
		}, "Invalid sizes"},
		"a container elsewhere": {func(in *ecs.RunTaskInput) {
			in.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("db")}}}
		}, "not a container"},
	} {
		in := &ecs.RunTaskInput{TaskDefinition: aws.String("job")}
		tc.change(in)
		_, err := h.ecs.RunTask(t.Context(), in)
		if err == nil || !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%s: %v, want %q", name, err, tc.text)
		}
	}
}

func strategy(kind types.PlacementStrategyType, field string) []types.PlacementStrategy {
	return []types.PlacementStrategy{{Type: kind, Field: &field}}
}

func TestOverriddenSizesAreWhatATaskTakes(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	must(h, 0, func() error {
		_, err := h.ecs.PutClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{
			Cluster: aws.String("default"), CapacityProviders: []string{"FARGATE", "FARGATE_SPOT"}, DefaultCapacityProviderStrategy: []types.CapacityProviderStrategyItem{},
		})
		return err
	}())
	h.register("job", func(in *ecs.RegisterTaskDefinitionInput) {
		in.NetworkMode, in.Cpu, in.Memory = types.NetworkModeAwsvpc, aws.String("256"), aws.String("512")
		in.RequiresCompatibilities = []types.Compatibility{types.CompatibilityFargate}
	})
	in := &ecs.RunTaskInput{
		TaskDefinition: aws.String("job"), Overrides: &types.TaskOverride{
			Cpu: aws.String(".5 vCPU"), Memory: aws.String("2GB"), EphemeralStorage: &types.EphemeralStorage{SizeInGiB: 40},
		},
		CapacityProviderStrategy: []types.CapacityProviderStrategyItem{{CapacityProvider: aws.String("FARGATE_SPOT"), Weight: 1}},
		NetworkConfiguration:     &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
	}
	out, err := h.ecs.RunTask(t.Context(), in)
	task := must(h, out, err).Tasks[0]
	got := []any{*task.Cpu, *task.Memory, task.EphemeralStorage.SizeInGiB, task.LaunchType, *task.CapacityProviderName}
	if diff := cmp.Diff([]any{"512", "2048", int32(40), types.LaunchTypeFargate, "FARGATE_SPOT"}, got); diff != "" {
		t.Error(diff)
	}
	in.Overrides.Memory, in.ClientToken = aws.String("512"), nil
	_, err = h.ecs.RunTask(t.Context(), in)
	h.refused("a size that Fargate has not", err, "ClientException", "No Fargate configuration exists")
	stats, err := h.ecs.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Include: []types.ClusterField{types.ClusterFieldStatistics}})
	counts := map[string]string{}
	for _, pair := range must(h, stats, err).Clusters[0].Statistics {
		counts[*pair.Name] = *pair.Value
	}
	if counts["pendingFargateTasksCount"] != "1" || counts["runningEC2TasksCount"] != "0" {
		t.Errorf("statistics: %v", counts)
	}
}
