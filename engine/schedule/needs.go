package schedule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// mapping is a port mapping of a task definition.
type mapping struct {
	container  string
	port, host int // host 0: any free one
	protocol   types.TransportProtocol
}

// mappings returns the port mappings of all containers, in the definition's order.
func mappings(d *state.TaskDefinition) []mapping {
	var all []mapping
	for _, c := range d.Doc.ContainerDefinitions {
		for _, m := range c.PortMappings {
			protocol := m.Protocol
			if protocol == "" {
				protocol = types.TransportProtocolTcp
			}
			all = append(all, mapping{
				container: aws.ToString(c.Name), port: int(aws.ToInt32(m.ContainerPort)), host: int(aws.ToInt32(m.HostPort)),
				protocol: protocol,
			})
		}
	}
	return all
}

// Needs returns the CPU units and the MiB of memory that a task reserves: the task's own sizes, else the sum of its
// containers'. A container's memory reservation goes before its limit. Overrides may be nil.
func Needs(d *state.TaskDefinition, overrides *types.TaskOverride) (cpu, memory int) {
	byName := map[string]types.ContainerOverride{}
	taskCPU, taskMemory := aws.ToString(d.Doc.Cpu), aws.ToString(d.Doc.Memory)
	if overrides != nil {
		for _, o := range overrides.ContainerOverrides {
			byName[aws.ToString(o.Name)] = o
		}
		taskCPU, taskMemory = either(overrides.Cpu, taskCPU), either(overrides.Memory, taskMemory)
	}
	for _, c := range d.Doc.ContainerDefinitions {
		o := byName[aws.ToString(c.Name)]
		cpu += first(o.Cpu, &c.Cpu)
		memory += first(o.MemoryReservation, o.Memory, c.MemoryReservation, c.Memory)
	}
	if n, err := strconv.Atoi(taskCPU); err == nil {
		cpu = n
	}
	if n, err := strconv.Atoi(taskMemory); err == nil {
		memory = n
	}
	return cpu, memory
}

// NeedsGPUs returns how many GPUs a task needs: the sum of its containers'. Overrides may be nil.
func NeedsGPUs(d *state.TaskDefinition, overrides *types.TaskOverride) int {
	n := 0
	for _, c := range d.Doc.ContainerDefinitions {
		n += ContainerGPUs(c, overrides)
	}
	return n
}

// ContainerGPUs returns how many GPUs a container needs. Overrides may be nil.
func ContainerGPUs(c types.ContainerDefinition, overrides *types.TaskOverride) int {
	needs := c.ResourceRequirements
	if overrides != nil {
		for _, o := range overrides.ContainerOverrides {
			if aws.ToString(o.Name) == aws.ToString(c.Name) && o.ResourceRequirements != nil {
				needs = o.ResourceRequirements
			}
		}
	}
	n := 0
	for _, r := range needs {
		if value, err := strconv.Atoi(aws.ToString(r.Value)); err == nil && r.Type == types.ResourceTypeGpu {
			n += value
		}
	}
	return n
}

func either(override *string, own string) string {
	if override != nil {
		return *override
	}
	return own
}

// first returns the first number that is there.
func first(numbers ...*int32) int {
	for _, n := range numbers {
		if n != nil {
			return int(*n)
		}
	}
	return 0
}

func regionOf(arn, otherwise string) string {
	if parts := strings.Split(arn, ":"); len(parts) > 3 && parts[3] != "" {
		return parts[3]
	}
	return otherwise
}

// portsFor returns the host ports that a task would take on the site; not ok when one is taken already, or none is free.
func (s *site) portsFor(ask *Ask) ([]state.HostPort, bool) {
	var got []state.HostPort
	for _, m := range ask.mappings {
		port := state.HostPort{Port: m.host, Protocol: m.protocol}
		switch {
		case ask.ownAddress():
			got = append(got, state.HostPort{Port: m.port, Protocol: m.protocol})
			continue
		case ask.mode() == types.NetworkModeHost:
			port.Port = m.port
		}
		if port.Port == 0 {
			port.Port = s.freePort(m.protocol, got)
		}
		if port.Port == 0 || s.taken(port, got) {
			return nil, false
		}
		got = append(got, port)
	}
	return got, true
}

func (s *site) taken(port state.HostPort, more []state.HostPort) bool {
	return slices.Contains(s.ports, port) || slices.Contains(more, port) || slices.Contains(s.reserved, port)
}

// freePort returns the next free dynamic port after the last one that was given out, so that a port rests before it is
// used again; 0 when all are taken.
func (s *site) freePort(protocol types.TransportProtocol, more []state.HostPort) int {
	const size = state.LastDynamicPort - state.FirstDynamicPort + 1
	from := max(s.lastPort, state.FirstDynamicPort-1) + 1 - state.FirstDynamicPort
	for i := range size {
		port := state.FirstDynamicPort + (from+i)%size
		if !s.taken(state.HostPort{Port: port, Protocol: protocol}, more) {
			return port
		}
	}
	return 0
}
