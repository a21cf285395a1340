package api_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

// refused checks that an operation is refused with a code and a message that contains a text.
func (h *house) refused(what string, err error, code, text string) {
	h.Helper()
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok || refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), text) {
		h.Errorf("%s: %v, want %s: %s", what, err, code, text)
	}
}

func (h *house) instances(filter string, status types.ContainerInstanceStatus) []string {
	h.Helper()
	in := &ecs.ListContainerInstancesInput{Status: status}
	if filter != "" {
		in.Filter = &filter
	}
	out, err := h.ecs.ListContainerInstances(h.Context(), in)
	return must(h, out, err).ContainerInstanceArns
}

// enlist registers a container instance with GPUs and an attribute.
func (h *house) enlist() *types.ContainerInstance {
	h.Helper()
	number := func(name string, n int32) types.Resource {
		return types.Resource{Name: &name, Type: aws.String("INTEGER"), IntegerValue: n}
	}
	out, err := h.ecs.RegisterContainerInstance(h.Context(), &ecs.RegisterContainerInstanceInput{
		InstanceIdentityDocument: aws.String(`{"instanceId":"i-1234567890abcdef0","availabilityZone":"us-east-1b","instanceType":"p3.2xlarge"}`),
		TotalResources: []types.Resource{
			number("CPU", 8192), number("MEMORY", 61440),
			{Name: aws.String("PORTS"), Type: aws.String("STRINGSET"), StringSetValue: []string{"22"}},
		},
		PlatformDevices: []types.PlatformDevice{{Id: aws.String("GPU-1"), Type: types.PlatformDeviceTypeGpu}, {Id: aws.String("GPU-2"), Type: types.PlatformDeviceTypeGpu}},
		Attributes:      []types.Attribute{{Name: aws.String("stack"), Value: aws.String("learning")}},
		Tags:            []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}},
	})
	return must(h, out, err).ContainerInstance
}

func resource(list []types.Resource, name string) any {
	for _, r := range list {
		if *r.Name == name && *r.Type == "STRINGSET" {
			return r.StringSetValue
		}
		if *r.Name == name {
			return int(r.IntegerValue)
		}
	}
	return nil
}

func TestAnInstanceThatRegistersBringsWhatItHas(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	i := h.enlist()
	if got := h.instances("attribute:stack == learning and attribute:ecs.instance-type =~ p3.* and ec2InstanceId in ['i-1234567890abcdef0']", ""); !slices.Equal(got, []string{*i.ContainerInstanceArn}) {
		t.Errorf("found by its attributes: %v", got)
	}
	h.register("learn", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].ResourceRequirements = []types.ResourceRequirement{{Type: types.ResourceTypeGpu, Value: aws.String("1")}}
		in.ContainerDefinitions[0].Cpu = 1024
	})
	run, err := h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("learn"), Count: aws.Int32(3)})
	if must(h, run, err); len(run.Tasks) != 2 || len(run.Failures) != 1 || *run.Failures[0].Reason != "RESOURCE:GPU" {
		t.Fatalf("two GPUs: %s", h.last.answer())
	}
	if got := run.Tasks[0].Containers[0].GpuIds; !slices.Equal(got, []string{"GPU-1"}) {
		t.Errorf("the first task has %v", got)
	}
	out, err := h.ecs.DescribeContainerInstances(t.Context(), &ecs.DescribeContainerInstancesInput{
		ContainerInstances: []string{*i.ContainerInstanceArn},
		Include:            []types.ContainerInstanceField{types.ContainerInstanceFieldTags, types.ContainerInstanceFieldContainerInstanceHealth},
	})
	must(h, out, err)
	is := out.ContainerInstances[0]
	got := map[string]any{
		"registered CPU": resource(is.RegisteredResources, "CPU"), "registered GPU": resource(is.RegisteredResources, "GPU"),
		"CPU left": resource(is.RemainingResources, "CPU"), "memory left": resource(is.RemainingResources, "MEMORY"),
		"GPU left": len(resource(is.RemainingResources, "GPU").([]string)), "ports": resource(is.RemainingResources, "PORTS"),
		"pending": int(is.PendingTasksCount), "team": *is.Tags[0].Value, "health": string(is.HealthStatus.OverallStatus),
	}
	if diff := cmp.Diff(map[string]any{
		"registered CPU": 8192, "registered GPU": []string{"GPU-1", "GPU-2"}, "CPU left": 6144, "memory left": 61312,
		"GPU left": 0, "ports": []string{"22", "32768", "32769"}, "pending": 2, "team": "a", "health": "OK",
	}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAnInstanceWithTasksIsDeregisteredByForceOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.cluster()
	i := h.enlist()
	h.register("job", nil)
	started, err := h.ecs.StartTask(t.Context(), &ecs.StartTaskInput{
		TaskDefinition: aws.String("job"), ContainerInstances: []string{*i.ContainerInstanceArn, "0123"}, StartedBy: aws.String("me"),
	})
	if must(h, started, err); len(started.Tasks) != 1 || *started.Tasks[0].ContainerInstanceArn != *i.ContainerInstanceArn ||
		len(started.Failures) != 1 || *started.Failures[0].Reason != "MISSING" {
		t.Fatalf("started: %s", h.last.answer())
	}
	leave := &ecs.DeregisterContainerInstanceInput{ContainerInstance: i.ContainerInstanceArn}
	_, err = h.ecs.DeregisterContainerInstance(t.Context(), leave)
	h.refused("with a task", err, "InvalidParameterException", "Found running tasks on the instance.")
	_, err = h.ecs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("default")})
	h.refused("deleting its cluster", err, "ClusterContainsTasksException", "")
	leave.Force = aws.Bool(true)
	gone, err := h.ecs.DeregisterContainerInstance(t.Context(), leave)
	if must(h, gone, err); *gone.ContainerInstance.Status != "INACTIVE" {
		t.Errorf("it is %s", *gone.ContainerInstance.Status)
	}
	h.until("its task has ended", func(snap state.Snapshot) bool {
		for task := range snap.AllTasks() {
			return task.Last == state.Stopped && task.StoppedReason == "Container instance deregistration forced by user"
		}
		return false
	})
	if all, inactive := h.instances("", ""), h.instances("", "INACTIVE"); len(all) != 4 || !slices.Equal(inactive, []string{*i.ContainerInstanceArn}) {
		t.Errorf("listed: %v, INACTIVE: %v", all, inactive)
	}
	_, err = h.ecs.DeregisterContainerInstance(t.Context(), leave)
	h.refused("once more", err, "InvalidParameterException", "not found")
}

func TestAClusterWithInstancesThatSomebodyRegisteredIsNotDeleted(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	i := h.enlist()
	_, err := h.ecs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("default")})
	h.refused("with it", err, "ClusterContainsContainerInstancesException", "")
	_, err = h.ecs.DeregisterContainerInstance(t.Context(), &ecs.DeregisterContainerInstanceInput{ContainerInstance: i.ContainerInstanceArn})
	must(h, 0, err)
	_, err = h.ecs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("default")})
	must(h, 0, err)
}

func TestAServiceLeavesAnInstanceThatDrains(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create("default", "web", h.register("web", nil), func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(4) })
	h.completed("default", "web")
	first := h.instances("", "")[0]
	_, err := h.ecs.UpdateContainerInstancesState(t.Context(), &ecs.UpdateContainerInstancesStateInput{
		ContainerInstances: []string{first}, Status: types.ContainerInstanceStatusDraining,
	})
	must(h, 0, err)
	if got := h.instances("", types.ContainerInstanceStatusDraining); !slices.Equal(got, []string{first}) {
		t.Errorf("DRAINING are %v", got)
	}
	h.until("it is empty and the service is whole", func(snap state.Snapshot) bool {
		n := 0
		for task := range snap.AllTasks() {
			if task.Alive() && strings.HasSuffix(first, string(task.Instance)) {
				return false
			}
			if task.Last == state.Running && task.Desired == state.Running {
				n++
			}
		}
		return n == 4
	})
}

func TestAttributesArePutDeletedAndFound(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	on := h.instances("", "")[0]
	disk := types.Attribute{Name: aws.String("disk"), Value: aws.String("ssd"), TargetId: &on}
	_, err := h.ecs.PutAttributes(t.Context(), &ecs.PutAttributesInput{Attributes: []types.Attribute{disk}})
	must(h, 0, err)
	list, err := h.ecs.ListAttributes(t.Context(), &ecs.ListAttributesInput{TargetType: types.TargetTypeContainerInstance, AttributeName: aws.String("disk")})
	if must(h, list, err); len(list.Attributes) != 1 || *list.Attributes[0].TargetId != on {
		t.Errorf("listed: %s", h.last.answer())
	}
	if got := h.instances("attribute:disk == ssd", ""); !slices.Equal(got, []string{on}) {
		t.Errorf("found %v", got)
	}
	short := disk
	short.TargetId = aws.String(on[strings.LastIndexByte(on, '/')+1:])
	_, err = h.ecs.PutAttributes(t.Context(), &ecs.PutAttributesInput{Attributes: []types.Attribute{short}})
	h.refused("a short id alone", err, "InvalidParameterException", "target type")
	short.TargetType = types.TargetTypeContainerInstance
	out, err := h.ecs.DeleteAttributes(t.Context(), &ecs.DeleteAttributesInput{Attributes: []types.Attribute{short}})
	if must(h, out, err); len(out.Attributes) != 1 || len(h.instances("attribute:disk exists", "")) != 0 {
		t.Errorf("deleted: %s", h.last.answer())
	}
	var many []types.Attribute
	for n := range 10 {
		many = append(many, types.Attribute{Name: aws.String("a" + strings.Repeat("x", n)), TargetId: &on})
	}
	_, err = h.ecs.PutAttributes(t.Context(), &ecs.PutAttributesInput{Attributes: many})
	must(h, 0, err)
	_, err = h.ecs.PutAttributes(t.Context(), &ecs.PutAttributesInput{Attributes: []types.Attribute{disk}})
	h.refused("an eleventh", err, "AttributeLimitExceededException", "10")
	disk.TargetId = aws.String(on + "0")
	_, err = h.ecs.PutAttributes(t.Context(), &ecs.PutAttributesInput{Attributes: []types.Attribute{disk}})
	h.refused("of nobody", err, "TargetNotFoundException", "")
	_, err = h.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{Filter: aws.String("disk == ssd")})
	h.refused("a filter that cannot be read", err, "InvalidParameterException", `character 1: unknown subject "disk"`)
	_, err = h.ecs.UpdateContainerAgent(t.Context(), &ecs.UpdateContainerAgentInput{ContainerInstance: &on})
	h.refused("the agent", err, "NoUpdateAvailableException", "no update")
}

func TestTasksAreSharedAmongTheCapacityProvidersOfACluster(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	for _, name := range []string{"spare", "base"} {
		_, err := h.ecs.CreateCapacityProvider(t.Context(), &ecs.CreateCapacityProviderInput{
			Name: &name, AutoScalingGroupProvider: &types.AutoScalingGroupProvider{AutoScalingGroupArn: aws.String("asg/" + name)},
			Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
		})
		must(h, 0, err)
	}
	share := func(name string, base, weight int32) types.CapacityProviderStrategyItem {
		return types.CapacityProviderStrategyItem{CapacityProvider: &name, Base: base, Weight: weight}
	}
	associate := func(names []string, items ...types.CapacityProviderStrategyItem) error {
		_, err := h.ecs.PutClusterCapacityProviders(t.Context(), &ecs.PutClusterCapacityProvidersInput{
			Cluster: aws.String("default"), CapacityProviders: names, DefaultCapacityProviderStrategy: append([]types.CapacityProviderStrategyItem{}, items...),
		})
		return err
	}
	h.refused("one that nobody made", associate([]string{"none"}), "InvalidParameterException", "'none' was not found")
	h.refused("one that is not associated", associate([]string{"base"}, share("spare", 0, 1)), "InvalidParameterException", "not associated")
	h.refused("two bases", associate([]string{"base", "spare"}, share("base", 1, 1), share("spare", 1, 1)), "InvalidParameterException", "Only one")
	h.refused("Fargate beside a group", associate([]string{"base", "FARGATE"}, share("base", 1, 1), share("FARGATE", 0, 1)), "InvalidParameterException", "mix")
	must(h, 0, associate([]string{"base", "spare"}, share("base", 1, 1), share("spare", 0, 1)))
	if got := len(h.instances("", "")); got != 8 { // four of its own, and one in each zone for each group
		t.Errorf("%d instances", got)
	}
	h.register("job", nil)
	out, err := h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("job"), Count: aws.Int32(5)})
	counts := map[string]int{}
	for _, task := range must(h, out, err).Tasks {
		counts[*task.CapacityProviderName]++
	}
	if diff := cmp.Diff(map[string]int{"base": 3, "spare": 2}, counts); diff != "" {
		t.Errorf("%s\n%s", diff, h.last.answer())
	}
	_, err = h.ecs.DeleteCapacityProvider(t.Context(), &ecs.DeleteCapacityProviderInput{CapacityProvider: aws.String("base")})
	h.refused("deleting one that is associated", err, "ResourceInUseException", "")
	h.refused("disassociating one with tasks", associate([]string{"base"}), "ResourceInUseException", "in use")
	described, err := h.ecs.DescribeCapacityProviders(t.Context(), &ecs.DescribeCapacityProvidersInput{
		Cluster: aws.String("default"), Include: []types.CapacityProviderField{types.CapacityProviderFieldTags},
	})
	if must(h, described, err); len(described.CapacityProviders) != 2 || len(described.CapacityProviders[0].Tags) != 1 ||
		*described.CapacityProviders[0].AutoScalingGroupProvider.ManagedScaling.TargetCapacity != 100 {
		t.Errorf("described: %s", h.last.answer())
	}
}

func TestACapacityProviderIsUpdatedAndDeleted(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	in := &ecs.CreateCapacityProviderInput{Name: aws.String("fargate-mine"), AutoScalingGroupProvider: &types.AutoScalingGroupProvider{AutoScalingGroupArn: aws.String("asg")}}
	_, err := h.ecs.CreateCapacityProvider(t.Context(), in)
	h.refused("a reserved name", err, "InvalidParameterException", "reserved")
	in.Name = aws.String("mine")
	_, err = h.ecs.CreateCapacityProvider(t.Context(), in)
	must(h, 0, err)
	_, err = h.ecs.CreateCapacityProvider(t.Context(), in)
	h.refused("twice", err, "ClientException", "already exists")
	in.Name = aws.String("other")
	_, err = h.ecs.CreateCapacityProvider(t.Context(), in)
	h.refused("the same group", err, "ClientException", "already being used")
	updated, err := h.ecs.UpdateCapacityProvider(t.Context(), &ecs.UpdateCapacityProviderInput{
		Name: aws.String("mine"), AutoScalingGroupProvider: &types.AutoScalingGroupProviderUpdate{
			ManagedScaling: &types.ManagedScaling{Status: types.ManagedScalingStatusEnabled, TargetCapacity: aws.Int32(80)},
		},
	})
	is := must(h, updated, err).CapacityProvider.AutoScalingGroupProvider
	if *is.AutoScalingGroupArn != "asg" || *is.ManagedScaling.TargetCapacity != 80 || *is.ManagedScaling.MinimumScalingStepSize != 1 {
		t.Errorf("updated: %s", h.last.answer())
	}
	gone, err := h.ecs.DeleteCapacityProvider(t.Context(), &ecs.DeleteCapacityProviderInput{CapacityProvider: updated.CapacityProvider.CapacityProviderArn})
	if must(h, gone, err); gone.CapacityProvider.Status != types.CapacityProviderStatusInactive {
		t.Errorf("deleted: %s", h.last.answer())
	}
	_, err = h.ecs.DeleteCapacityProvider(t.Context(), &ecs.DeleteCapacityProviderInput{CapacityProvider: aws.String("FARGATE")})
	h.refused("Fargate", err, "ClientException", "reserved")
}
