package engine

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
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

// NewInstance adds one container instance to a cluster.
func (e *Engine) NewInstance(tx *state.Tx, cluster state.ClusterName, zone string, now time.Time) (*state.Instance, error) {
	address, err := e.Address(tx)
	if err != nil {
		return nil, err
	}
	i := &state.Instance{
		ID: state.InstanceID(NewHexID()), Cluster: cluster, Zone: zone, Address: address,
		CPU: e.options.InstanceCPU, Memory: e.options.InstanceMemory, Ports: agentPorts(),
	}
	i.Doc = types.ContainerInstance{
		ContainerInstanceArn: aws.String(e.options.Identity.InstanceARN(cluster, i.ID)),
		Ec2InstanceId:        aws.String(NewInstanceName()),
		AgentConnected:       true,
		Status:               aws.String("ACTIVE"),
		Version:              1,
		VersionInfo:          &types.VersionInfo{AgentVersion: aws.String("1.98.0"), DockerVersion: aws.String("DockerVersion: 25.0.8")},
		RegisteredAt:         &now,
		RegisteredResources:  resources(i),
		Attributes:           attributes(zone),
	}
	tx.Put(i)
	return i, nil
}

// agentPorts are the host ports that an instance keeps for itself. [ecs-behaviour 1.6, Networking]
func agentPorts() []state.HostPort {
	var ports []state.HostPort
	for _, p := range []int{22, 2375, 2376, 51678, 51679, 51680} {
		ports = append(ports, state.HostPort{Port: p, Protocol: types.TransportProtocolTcp})
	}
	return ports
}

func resources(i *state.Instance) []types.Resource {
	var ports []string
	for _, p := range i.Ports {
		ports = append(ports, fmt.Sprint(p.Port))
	}
	return []types.Resource{
		{Name: aws.String("CPU"), Type: aws.String("INTEGER"), IntegerValue: int32(i.CPU)},       //nolint:gosec // an option's value
		{Name: aws.String("MEMORY"), Type: aws.String("INTEGER"), IntegerValue: int32(i.Memory)}, //nolint:gosec // an option's value
		{Name: aws.String("PORTS"), Type: aws.String("STRINGSET"), StringSetValue: ports},
		{Name: aws.String("PORTS_UDP"), Type: aws.String("STRINGSET"), StringSetValue: []string{}},
	}
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
