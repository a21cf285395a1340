package lifecycle

import (
	"cmp"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
)

// merged returns the definition of a container with the task's overrides in it.
func (w *work) merged(container string) types.ContainerDefinition {
	d, _ := w.definition.Container(container)
	if w.task.Overrides == nil {
		return d
	}
	for _, o := range w.task.Overrides.ContainerOverrides {
		if aws.ToString(o.Name) == container {
			return override(d, o)
		}
	}
	return d
}

func override(d types.ContainerDefinition, o types.ContainerOverride) types.ContainerDefinition {
	if o.Command != nil {
		d.Command = o.Command
	}
	if o.Cpu != nil {
		d.Cpu = *o.Cpu
	}
	d.Memory = cmp.Or(o.Memory, d.Memory)
	d.MemoryReservation = cmp.Or(o.MemoryReservation, d.MemoryReservation)
	d.Environment = slices.Concat(d.Environment, o.Environment)
	if o.EnvironmentFiles != nil { // in the place of the definition's [ECS guide, "Pass environment variables"]
		d.EnvironmentFiles = o.EnvironmentFiles
	}
	if o.ResourceRequirements != nil {
		d.ResourceRequirements = o.ResourceRequirements
	}
	return d
}

// spec returns all that the runtime needs to run the container.
func (w *work) spec(c state.Container, d types.ContainerDefinition) (runtime.Spec, error) {
	env, err := w.environment(d)
	if err != nil {
		return runtime.Spec{}, err
	}
	image := c.Image
	if c.Digest != "" && w.consistent(c) {
		image = byDigest(c.Image, c.Digest)
	}
	pid, ipc := w.modes()
	return runtime.Spec{
		Name: Name(w.task.ID, c.Name), Labels: w.labels(c.Name, d), Definition: d, Image: image,
		Env: withMetadata(env, w.metadata(c.Name)), Metadata: w.metadataURL() != "",
		Ports: w.ports(c.Name), CPU: int(d.Cpu), Memory: w.memory(d),
		Hostname: aws.ToString(d.Hostname), Network: w.definition.Doc.NetworkMode,
		Mounts: w.mounts(d), VolumesFrom: w.volumesFrom(d), Links: w.links(d),
		Join: w.joined(), PID: pid, IPC: ipc,
	}, nil
}

// memory is the hard limit of a container: its own, or the task's when the container reserves nothing.
func (w *work) memory(d types.ContainerDefinition) int {
	switch {
	case d.Memory != nil:
		return int(*d.Memory)
	case d.MemoryReservation != nil:
		return 0
	}
	limit, _ := strconv.Atoi(aws.ToString(w.definition.Doc.Memory)) // empty: none
	return limit
}

// labels are those of the definition, of the ECS agent, and the engine's own. [ecs-behaviour 1.6]
func (w *work) labels(container string, d types.ContainerDefinition) map[string]string {
	labels := maps.Clone(d.DockerLabels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, map[string]string{
		"com.amazonaws.ecs.task-arn":                w.task.ARN,
		labelContainer:                              container,
		"com.amazonaws.ecs.task-definition-family":  w.task.TaskDefinition.Family,
		"com.amazonaws.ecs.task-definition-version": strconv.Itoa(w.task.TaskDefinition.Revision),
		"com.amazonaws.ecs.cluster":                 string(w.task.Cluster),
		LabelEngine:                                 w.Engine,
		labelTask:                                   string(w.task.ID),
	})
	return labels
}

// environment returns NAME=value for each name once, sorted; later sources win: environment files, definition, overrides,
// secrets. The error has the words that the task is stopped with.
func (w *work) environment(d types.ContainerDefinition) ([]string, error) {
	values, err := w.environmentFiles(d)
	if err != nil {
		return nil, errors.New(filesFailed + err.Error())
	}
	values["AWS_EXECUTION_ENV"] = "AWS_ECS_" + string(cmp.Or(w.task.LaunchType, types.LaunchTypeEc2))
	for _, v := range d.Environment {
		values[aws.ToString(v.Name)] = aws.ToString(v.Value)
	}
	for _, s := range d.Secrets {
		value, err := secret(w.snap, aws.ToString(s.ValueFrom))
		if err != nil {
			return nil, errors.New(secretsFailed + err.Error())
		}
		values[aws.ToString(s.Name)] = value
	}
	env := make([]string, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, name+"="+values[name])
	}
	return env, nil
}

// ports returns the ports of a container. The host ports were chosen when the task was placed, in the order of the port
// mappings of the whole definition; where the task has an address of its own they are the container's.
func (w *work) ports(container string) []runtime.Port {
	var list []runtime.Port
	n := 0
	for _, d := range w.definition.Doc.ContainerDefinitions {
		for _, m := range d.PortMappings {
			if m.ContainerPort == nil {
				continue
			}
			host := int(cmp.Or(aws.ToInt32(m.HostPort), *m.ContainerPort))
			if n < len(w.task.Ports) {
				host = w.task.Ports[n].Port
			}
			n++
			if aws.ToString(d.Name) != container {
				continue
			}
			list = append(list, runtime.Port{
				Container: int(*m.ContainerPort), Protocol: cmp.Or(m.Protocol, types.TransportProtocolTcp),
				Host: netip.AddrPortFrom(w.task.Address, uint16(host)), //nolint:gosec // a port
			})
		}
	}
	return list
}
