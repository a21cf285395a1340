package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// NewInstances gives a new cluster its container instances, spread over the zones.
func (e *Engine) NewInstances(tx *state.Tx, cluster state.ClusterName) error {
	now := e.Now()
	for n := range max(e.options.Instances, 0) {
		zone := e.options.Identity.Region + e.options.Zones[n%len(e.options.Zones)]
		if _, err := e.NewInstance(tx, cluster, zone, now); err != nil {
			return fmt.Errorf("cannot make container instance %d of cluster %q: %w", n+1, cluster, err)
		}
	}
	return nil
}

// NewInstance adds one container instance of the engine's own to a cluster.
func (e *Engine) NewInstance(tx *state.Tx, cluster state.ClusterName, zone string, now time.Time) (*state.Instance, error) {
	return e.RegisterInstance(tx, &state.Instance{
		Cluster: cluster, Zone: zone, CPU: e.options.InstanceCPU, Memory: e.options.InstanceMemory, Ports: agentPorts(),
	}, now)
}

// NewProviderInstance adds one container instance of a capacity provider's Auto Scaling group to a cluster.
func (e *Engine) NewProviderInstance(tx *state.Tx, cluster state.ClusterName, provider, zone string) error {
	_, err := e.RegisterInstance(tx, &state.Instance{
		Cluster: cluster, Zone: zone, CPU: e.options.InstanceCPU, Memory: e.options.InstanceMemory, Ports: agentPorts(),
		Doc: types.ContainerInstance{CapacityProviderName: aws.String(provider)},
	}, e.Now())
	return err
}

// RegisterInstance adds a container instance to a cluster: one that says in which cluster and zone it is and what it has.
// It gets an id and an address, and of its description what is missing.
func (e *Engine) RegisterInstance(tx *state.Tx, i *state.Instance, now time.Time) (*state.Instance, error) {
	address, err := e.Address(tx)
	if err != nil {
		return nil, err
	}
	i.ID, i.Address = state.InstanceID(NewHexID()), address
	i.Doc.ContainerInstanceArn = aws.String(e.options.Identity.InstanceARN(i.Cluster, i.ID))
	i.Doc.AgentConnected, i.Doc.Status, i.Doc.Version, i.Doc.RegisteredAt = true, aws.String("ACTIVE"), 1, &now
	if i.Doc.Ec2InstanceId == nil {
		i.Doc.Ec2InstanceId = aws.String(NewInstanceName())
	}
	if i.Doc.VersionInfo == nil {
		i.Doc.VersionInfo = &types.VersionInfo{AgentVersion: aws.String("1.98.0"), DockerVersion: aws.String("DockerVersion: 25.0.8")}
	}
	i.Doc.Attributes = withAttributes(i.Doc.Attributes, attributes(i.Zone))
	tx.Put(i)
	return i, nil
}

// withAttributes returns the attributes, with those of the others that they don't name.
func withAttributes(given, others []types.Attribute) []types.Attribute {
	list := slices.Clone(given)
	for _, a := range others {
		if !slices.ContainsFunc(given, func(g types.Attribute) bool { return aws.ToString(g.Name) == aws.ToString(a.Name) }) {
			list = append(list, a)
		}
	}
	return list
}

// Zone returns the availability zone that the next container instance of a cluster belongs to: one with the fewest.
func (e *Engine) Zone(snap state.Snapshot, cluster state.ClusterName) string {
	counts := map[string]int{}
	for i := range snap.Instances(cluster) {
		if i.Gone.IsZero() {
			counts[i.Zone]++
		}
	}
	return slices.MinFunc(e.Zones(), func(a, b string) int { return cmp.Or(counts[a]-counts[b], cmp.Compare(a, b)) })
}

// DeregisterInstance takes a container instance out of its cluster. What runs on it is lost, and the services start other
// tasks in its place. It is described as INACTIVE for a while.
func (e *Engine) DeregisterInstance(tx *state.Tx, id state.InstanceID) (*state.Instance, error) {
	return e.remove(tx, id, true, types.TaskStopCodeUserInitiated, "Container instance deregistration forced by user")
}

// LoseInstance has a container instance disappear as one that is terminated does, with everything that runs on it.
func (e *Engine) LoseInstance(tx *state.Tx, id state.InstanceID) (*state.Instance, error) {
	i, ok := tx.Instance(id)
	if !ok {
		return nil, noInstance(id)
	}
	reason := fmt.Sprintf("Host EC2 (instance %s) terminated.", aws.ToString(i.Doc.Ec2InstanceId))
	return e.remove(tx, id, false, types.TaskStopCodeTerminationNotice, reason)
}

func noInstance(id state.InstanceID) error {
	return fault.New(fault.NotFound, "the container instance %q does not exist", id)
}

func (e *Engine) remove(tx *state.Tx, id state.InstanceID, connected bool, code types.TaskStopCode, reason string) (*state.Instance, error) {
	i, ok := tx.Instance(id)
	if !ok || !i.Gone.IsZero() {
		return nil, noInstance(id)
	}
	gone := *i
	gone.Gone = e.Now()
	gone.Doc.Status, gone.Doc.AgentConnected = aws.String("INACTIVE"), connected
	gone.Doc.Version++
	tx.Put(&gone)
	for _, t := range slices.Collect(tx.TasksOnInstance(id)) {
		if t.Alive() {
			tx.Put(lost(t, gone.Gone, code, reason))
		}
	}
	return &gone, nil
}

// lost returns the task as it is when its instance has gone: nobody can stop it any more, its containers are removed.
func lost(t *state.Task, at time.Time, code types.TaskStopCode, reason string) *state.Task {
	c := *t
	c.Lost = true
	if c.Desired != state.Stopped {
		c.Desired, c.StopCode, c.StoppedReason, c.StoppingAt = state.Stopped, code, reason, at
	}
	if c.Last.Before(state.Deprovisioning) {
		c.Last = state.Deprovisioning
	}
	c.Version++
	return &c
}

// agentPorts are the host ports that an instance keeps for itself. [ecs-behaviour 1.6, Networking]
func agentPorts() []state.HostPort {
	var ports []state.HostPort
	for _, p := range []int{22, 2375, 2376, 51678, 51679, 51680} {
		ports = append(ports, state.HostPort{Port: p, Protocol: types.TransportProtocolTcp})
	}
	return ports
}

// attributes are what placement constraints and strategies may name.
func attributes(zone string) []types.Attribute {
	pairs := [][2]string{
		{"ecs.availability-zone", zone},
		{"ecs.instance-type", "t3.medium"},
		{"ecs.os-type", "linux"},
		{"ecs.os-family", "LINUX"},
		{"ecs.cpu-architecture", "x86_64"},
		{"ecs.ami-id", "ami-0c0ffee0c0ffee0c0"},
		{"ecs.vpc-id", "vpc-0c0ffee0c0ffee0c0"},
		{"ecs.subnet-id", "subnet-0c0ffee0c0ffee0" + zone[len(zone)-1:]},
		{"com.amazonaws.ecs.capability.docker-remote-api.1.44", ""},
		{"com.amazonaws.ecs.capability.logging-driver.awslogs", ""},
		{"com.amazonaws.ecs.capability.ecr-auth", ""},
		{"ecs.capability.task-eni", ""},
		{"ecs.capability.container-health-check", ""},
		{"ecs.capability.container-ordering", ""},
		{"ecs.capability.execution-role-awslogs", ""},
	}
	var list []types.Attribute
	for _, p := range pairs {
		a := types.Attribute{Name: aws.String(p[0])}
		if p[1] != "" {
			a.Value = aws.String(p[1])
		}
		list = append(list, a)
	}
	return list
}

// InstanceCPU returns the CPU units of the engine's own container instances.
func (e *Engine) InstanceCPU() int { return e.options.InstanceCPU }

// InstanceMemory returns the MiB of memory of the engine's own container instances.
func (e *Engine) InstanceMemory() int { return e.options.InstanceMemory }
