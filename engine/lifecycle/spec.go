package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
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
	d.EnvironmentFiles = slices.Concat(d.EnvironmentFiles, o.EnvironmentFiles)
	if o.ResourceRequirements != nil {
		d.ResourceRequirements = o.ResourceRequirements
	}
	return d
}

// spec returns all that the runtime needs to run the container.
func (w *work) spec(ctx context.Context, c state.Container, d types.ContainerDefinition) (runtime.Spec, error) {
	env, err := w.environment(ctx, d)
	if err != nil {
		return runtime.Spec{}, err
	}
	image := c.Image
	if c.Digest != "" && w.consistent(c) {
		image = byDigest(c.Image, c.Digest)
	}
	return runtime.Spec{
		Name: Name(w.task.ID, c.Name), Labels: w.labels(c.Name, d), Definition: d, Image: image, Env: env,
		Ports: w.ports(c.Name), CPU: int(d.Cpu), Memory: w.memory(d),
		Hostname: aws.ToString(d.Hostname), Network: w.definition.Doc.NetworkMode,
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

// environment returns NAME=value for each name once, sorted; later sources win: definition, overrides, secrets.
func (w *work) environment(ctx context.Context, d types.ContainerDefinition) ([]string, error) {
	values := map[string]string{"AWS_EXECUTION_ENV": "AWS_ECS_" + string(cmp.Or(w.task.LaunchType, types.LaunchTypeEc2))}
	for _, v := range d.Environment {
		values[aws.ToString(v.Name)] = aws.ToString(v.Value)
	}
	for _, s := range d.Secrets {
		value, err := w.secret(ctx, aws.ToString(s.ValueFrom))
		if err != nil {
			return nil, err
		}
		values[aws.ToString(s.Name)] = value
	}
	env := make([]string, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, name+"="+values[name])
	}
	return env, nil
}

func (w *work) secret(ctx context.Context, from string) (string, error) {
	if w.Secret == nil {
		return "", fault.New(fault.NotFound, "execution resource retrieval failed: ResourceNotFoundException: the engine keeps no secret %q", from)
	}
	value, err := w.Secret(ctx, from)
	if err != nil {
		return "", fmt.Errorf("execution resource retrieval failed: %w", err)
	}
	return value, nil
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
