package ecsapi

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

func isRunning(t *state.Task) bool { return t.Last == state.Running }

func isPending(t *state.Task) bool {
	return t.Last.Before(state.Running) && t.Desired == state.Running
}

// DescribeTasks describes up to 100 tasks of a cluster.
func (s *Server) DescribeTasks(_ context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.Tasks) == 0 {
		return nil, invalid("Tasks cannot be empty.")
	}
	if len(in.Tasks) > 100 {
		return nil, invalid("Tasks cannot have more than 100 elements.")
	}
	out := &ecs.DescribeTasksOutput{}
	for _, ref := range in.Tasks {
		if err := sameCluster(c, ref); err != nil {
			return nil, err
		}
		id := state.TaskID(engine.ResourceName(ref))
		t, ok := snap.Task(id)
		if !ok || t.Cluster != c.Name {
			arn := s.engine.Identity().TaskARN(c.Name, id)
			out.Failures = append(out.Failures, types.Failure{Arn: &arn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		doc := s.describeTask(snap, t)
		doc.Tags = tagsIf(slices.Contains(in.Include, types.TaskFieldTags), doc.Tags)
		out.Tasks = append(out.Tasks, doc)
	}
	return out, nil
}

// describeTask puts a task's record into AWS's form.
func (s *Server) describeTask(snap state.Snapshot, t *state.Task) types.Task {
	identity := s.engine.Identity()
	doc := types.Task{
		TaskArn:              &t.ARN,
		ClusterArn:           awsdoc.Text("%s", identity.ClusterARN(t.Cluster)),
		TaskDefinitionArn:    awsdoc.Text("%s", identity.TaskDefinitionARN(t.TaskDefinition)),
		AvailabilityZone:     &t.Zone,
		LastStatus:           awsdoc.Text("%s", t.Last),
		DesiredStatus:        awsdoc.Text("%s", t.Desired),
		LaunchType:           t.LaunchType,
		Group:                &t.Group,
		StartedBy:            stringOrNil(t.StartedBy),
		Version:              t.Version,
		StopCode:             t.StopCode,
		StoppedReason:        stringOrNil(t.StoppedReason),
		PlatformVersion:      stringOrNil(t.PlatformVersion),
		PlatformFamily:       stringOrNil(t.PlatformFamily),
		EnableExecuteCommand: t.EnableExecuteCommand,
		Attachments:          awsdoc.List(t.Attachments),
		Attributes:           []types.Attribute{{Name: awsdoc.Text("ecs.cpu-architecture"), Value: awsdoc.Text("x86_64")}},
		Tags:                 awsdoc.List(t.Tags),
		Cpu:                  awsdoc.Text("%d", t.CPU),
		Memory:               awsdoc.Text("%d", t.Memory),
		CreatedAt:            timeOrNil(t.CreatedAt),
		PullStartedAt:        timeOrNil(t.PullStartedAt),
		PullStoppedAt:        timeOrNil(t.PullStoppedAt),
		StartedAt:            timeOrNil(t.StartedAt),
		StoppingAt:           timeOrNil(t.StoppingAt),
		ExecutionStoppedAt:   timeOrNil(t.ExecutionStoppedAt),
		StoppedAt:            timeOrNil(t.StoppedAt),
	}
	if reported(t) {
		doc.HealthStatus = cmp.Or(t.Health, types.HealthStatusUnknown)
	}
	if at := connectedAt(t); !at.IsZero() {
		doc.Connectivity, doc.ConnectivityAt = types.ConnectivityConnected, &at
	}
	doc.CapacityProviderName = stringOrNil(t.Provider)
	if t.Instance != "" {
		doc.ContainerInstanceArn = awsdoc.Text("%s", identity.InstanceARN(t.Cluster, t.Instance))
	}
	doc.Overrides = describeOverrides(t)
	definition, _ := snap.TaskDefinition(t.TaskDefinition)
	doc.EphemeralStorage = storage(t, definition)
	gpus := gpusOf(t, definition)
	for _, c := range t.Containers {
		container := describeContainer(t, c, definition)
		container.GpuIds = gpus[c.Name]
		container.ManagedAgents = agents(t, c)
		doc.Containers = append(doc.Containers, container)
	}
	return doc
}

// storage is the disk that a task on Fargate has: what it asked for, or the 20 GiB that every one gets.
func storage(t *state.Task, definition *state.TaskDefinition) *types.EphemeralStorage {
	switch {
	case t.LaunchType != types.LaunchTypeFargate:
		return nil
	case t.Overrides != nil && t.Overrides.EphemeralStorage != nil:
		return t.Overrides.EphemeralStorage
	case definition != nil && definition.Doc.EphemeralStorage != nil:
		return definition.Doc.EphemeralStorage
	default:
		return &types.EphemeralStorage{SizeInGiB: 20}
	}
}

// gpusOf deals the task's GPUs out to its containers, in their order.
func gpusOf(t *state.Task, definition *state.TaskDefinition) map[string][]string {
	if len(t.GPUs) == 0 || definition == nil {
		return nil
	}
	dealt, rest := map[string][]string{}, t.GPUs
	for _, c := range definition.Doc.ContainerDefinitions {
		n := min(schedule.ContainerGPUs(c, t.Overrides), len(rest))
		dealt[awsdoc.Or(c.Name, "")], rest = rest[:n], rest[n:]
	}
	return dealt
}

// reported tells whether the task's agent has reported anything of it. Before that AWS sends neither health nor network
// bindings. [answers of RunTask in the AWS CLI's command reference]
func reported(t *state.Task) bool { return t.Version > 1 }

// connectedAt tells when the agent connected to the task: as soon as it has taken it over.
func connectedAt(t *state.Task) time.Time {
	if t.ConnectivityAt.IsZero() {
		return t.PullStartedAt
	}
	return t.ConnectivityAt
}

// describeOverrides lists every container, as AWS does, also those that nothing is overridden for.
func describeOverrides(t *state.Task) *types.TaskOverride {
	overrides := types.TaskOverride{}
	if t.Overrides != nil {
		overrides = *t.Overrides
	}
	overrides.ContainerOverrides = slices.Clone(overrides.ContainerOverrides)
	for _, c := range t.Containers {
		known := slices.ContainsFunc(overrides.ContainerOverrides, func(o types.ContainerOverride) bool {
			return awsdoc.Or(o.Name, "") == c.Name
		})
		if !known {
			overrides.ContainerOverrides = append(overrides.ContainerOverrides, types.ContainerOverride{Name: &c.Name})
		}
	}
	overrides.InferenceAcceleratorOverrides = awsdoc.List(overrides.InferenceAcceleratorOverrides) //nolint:staticcheck // gone as a feature, but AWS still sends the empty list
	return &overrides
}

func describeContainer(t *state.Task, c state.Container, definition *state.TaskDefinition) types.Container {
	doc := types.Container{
		ContainerArn: &c.ARN, TaskArn: &t.ARN, Name: &c.Name, Image: &c.Image,
		ImageDigest: stringOrNil(c.Digest), RuntimeId: stringOrNil(c.RuntimeID), LastStatus: awsdoc.Text("%s", c.Last),
		Reason: stringOrNil(c.Reason), NetworkInterfaces: interfaces(t), Cpu: awsdoc.Text("0"),
	}
	if reported(t) {
		doc.HealthStatus = cmp.Or(c.Health, types.HealthStatusUnknown)
		doc.NetworkBindings = awsdoc.List(c.Bindings)
	}
	if c.ExitCode != nil {
		code := int32(*c.ExitCode)
		doc.ExitCode = &code
	}
	if definition != nil {
		if d, ok := definition.Container(c.Name); ok {
			doc.Cpu = awsdoc.Text("%d", d.Cpu)
			doc.Memory, doc.MemoryReservation = decimalOrNil(d.Memory), decimalOrNil(d.MemoryReservation)
		}
	}
	return doc
}

// interfaces is the network interface of a task that has an address of its own: each of its containers has it.
func interfaces(t *state.Task) []types.NetworkInterface {
	list := []types.NetworkInterface{}
	for _, a := range t.Attachments {
		if awsdoc.Or(a.Type, "") == "ElasticNetworkInterface" && reported(t) {
			list = append(list, types.NetworkInterface{AttachmentId: a.Id, PrivateIpv4Address: awsdoc.Text("%s", t.Address)})
		}
	}
	return list
}

func stringOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func timeOrNil(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func decimalOrNil(n *int32) *string {
	if n == nil {
		return nil
	}
	s := strconv.Itoa(int(*n))
	return &s
}
