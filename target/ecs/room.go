package ecs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/rollout"
)

// room tells what makes it certain that the deployment's tasks will find no place, once ECS has complained that they find
// none now: they are larger than every instance, or need a port that old tasks hold and may not give up.
//
// Instances of capacity providers are left out, because larger ones may be added, and Fargate has none.
func (q *inquiry) room(ctx context.Context) error {
	complaint, ok := q.homeless()
	if !ok {
		return nil
	}
	primary := primaryOf(q.service)
	if primary == nil || rollout.DeploymentID(aws.ToString(primary.Id)) != q.deployment {
		return nil
	}
	d, err := q.target.definition(ctx, aws.ToString(primary.TaskDefinition))
	if err != nil {
		return err
	}
	sites, err := q.target.sites(ctx, q.ref)
	if unavailableToUs(err) {
		return nil // without the right to look at instances, time will tell
	}
	if err != nil {
		return q.target.failed(fmt.Sprintf("look at the instances of cluster %q", q.ref.Cluster), err)
	}
	found := append(tooLarge(d, sites), locked(d, sites, q.keepers(ctx, *primary))...)
	for _, e := range found {
		e.Kind, e.New, e.Final, e.At = rollout.NoPlace, true, true, complaint.At
		q.found = append(q.found, e)
	}
	return nil
}

// homeless returns the newest complaint that a task of the deployment finds no place on the service's instances.
func (q *inquiry) homeless() (rollout.Evidence, bool) {
	if len(q.service.CapacityProviderStrategy) > 0 || q.service.LaunchType != "" && q.service.LaunchType != types.LaunchTypeEc2 {
		return rollout.Evidence{}, false
	}
	var complaints []rollout.Evidence
	for _, e := range q.found {
		if e.Kind == rollout.NoPlace && e.New {
			complaints = append(complaints, e)
		}
	}
	if len(complaints) == 0 {
		return rollout.Evidence{}, false
	}
	return slices.MaxFunc(complaints, func(a, b rollout.Evidence) int { return a.At.Compare(b.At) }), true
}

func primaryOf(s service) *types.Deployment {
	for i := range s.Deployments {
		if aws.ToString(s.Deployments[i].Status) == "PRIMARY" {
			return &s.Deployments[i]
		}
	}
	return nil
}

// site is what a container instance offers when it runs nothing.
type site struct {
	arn         string
	cpu, memory int             // in CPU units and MiB
	reserved    map[string]bool // ports that it keeps for itself, as 22/tcp
}

// sites describes the active instances of a cluster.
func (t *Target) sites(ctx context.Context, ref rollout.ServiceRef) ([]site, error) {
	instances, err := t.activeInstances(ctx, ref)
	var all []site
	for _, i := range instances {
		all = append(all, siteOf(i))
	}
	return all, err
}

func siteOf(i types.ContainerInstance) site {
	s := site{arn: aws.ToString(i.ContainerInstanceArn), reserved: map[string]bool{}}
	for _, r := range i.RegisteredResources {
		switch aws.ToString(r.Name) {
		case "CPU":
			s.cpu = int(r.IntegerValue)
		case "MEMORY":
			s.memory = int(r.IntegerValue)
		case "PORTS":
			s.reserve(r.StringSetValue, types.TransportProtocolTcp)
		case "PORTS_UDP":
			s.reserve(r.StringSetValue, types.TransportProtocolUdp)
		}
	}
	return s
}

func (s *site) reserve(ports []string, protocol types.TransportProtocol) {
	for _, port := range ports {
		s.reserved[port+"/"+string(protocol)] = true
	}
}

// needs returns the CPU units and the MiB of memory that a task reserves: its own sizes, else the sum of its containers'.
// A container's reservation of memory goes before its limit. [ECS: task definition parameters]
func (d *definition) needs() (cpu, memory int) {
	for _, c := range d.ContainerDefinitions {
		cpu += int(c.Cpu)
		memory += int(aws.ToInt32(cmp.Or(c.MemoryReservation, c.Memory)))
	}
	if n, err := strconv.Atoi(aws.ToString(d.Cpu)); err == nil {
		cpu = n
	}
	if n, err := strconv.Atoi(aws.ToString(d.Memory)); err == nil {
		memory = n
	}
	return cpu, memory
}

// tooLarge tells in what a task is larger than every instance.
func tooLarge(d *definition, sites []site) []rollout.Evidence {
	cpu, memory := d.needs()
	mostCPU, mostMemory := 0, 0
	for _, s := range sites {
		if cpu <= s.cpu && memory <= s.memory {
			return nil
		}
		mostCPU, mostMemory = max(mostCPU, s.cpu), max(mostMemory, s.memory)
	}
	if len(sites) == 0 {
		return nil
	}
	var found []rollout.Evidence
	if cpu > mostCPU {
		found = append(found, rollout.Evidence{Points: rollout.NoCPU, Text: fmt.Sprintf(
			"the task needs %d CPU units, and %s", cpu, largest(len(sites), fmt.Sprintf("%d", mostCPU)))})
	}
	if memory > mostMemory {
		found = append(found, rollout.Evidence{Points: rollout.NoMemory, Text: fmt.Sprintf(
			"the task needs %d MiB of memory, and %s", memory, largest(len(sites), fmt.Sprintf("%d MiB", mostMemory)))})
	}
	if len(found) == 0 {
		found = append(found, rollout.Evidence{Points: rollout.NoMemory, Text: fmt.Sprintf(
			"the task needs %d CPU units and %d MiB of memory, and no instance has both", cpu, memory)})
	}
	return found
}

func largest(instances int, most string) string {
	if instances == 1 {
		return "the only instance has " + most
	}
	return fmt.Sprintf("the largest of %d instances has %s", instances, most)
}

// keepers are old tasks of the service that ECS may not stop before a new one is healthy.
type keepers struct {
	ports   map[string]map[string]bool // the host ports that they hold, as 80/tcp, by the ARN of the instance
	percent int                        // minimumHealthyPercent, which keeps them
}

// keepers returns the old tasks that the deployment must not fall below, or none where one of them may go: only so many
// as the minimum asks for are kept, and ECS may stop those that are sick. [UpdateService: minimumHealthyPercent]
func (q *inquiry) keepers(ctx context.Context, primary types.Deployment) keepers {
	k := keepers{ports: map[string]map[string]bool{}, percent: 100}
	if c := q.service.DeploymentConfiguration; c != nil && c.MinimumHealthyPercent != nil {
		k.percent = int(*c.MinimumHealthyPercent)
	}
	least := (int(primary.DesiredCount)*k.percent + 99) / 100
	held, old := map[string]map[string]bool{}, 0
	for _, task := range q.running {
		if q.ours[taskID(task)] {
			continue
		}
		old++
		d, err := q.target.definition(ctx, aws.ToString(task.TaskDefinitionArn))
		if err != nil || old > least || taskStatus(task) != rollout.TaskRunning || task.HealthStatus == types.HealthStatusUnhealthy {
			return k
		}
		instance := aws.ToString(task.ContainerInstanceArn)
		if held[instance] == nil {
			held[instance] = map[string]bool{}
		}
		for _, port := range d.hostPorts() {
			held[instance][port] = true
		}
	}
	k.ports = held
	return k
}

// hostPorts returns the ports of the instance that a task takes, as 80/tcp, those left out that are chosen for it.
func (d *definition) hostPorts() []string {
	if d.NetworkMode == types.NetworkModeAwsvpc || d.NetworkMode == types.NetworkModeNone {
		return nil
	}
	var all []string
	for _, c := range d.ContainerDefinitions {
		for _, m := range c.PortMappings {
			port := aws.ToInt32(m.HostPort)
			if d.NetworkMode == types.NetworkModeHost {
				port = aws.ToInt32(m.ContainerPort)
			}
			if port > 0 {
				all = append(all, fmt.Sprintf("%d/%s", port, cmp.Or(m.Protocol, types.TransportProtocolTcp)))
			}
		}
	}
	return all
}

// locked tells which port of the task can become free on no instance.
func locked(d *definition, sites []site, k keepers) []rollout.Evidence {
	if len(sites) == 0 {
		return nil
	}
	for _, port := range d.hostPorts() {
		reserved, kept := 0, 0
		for _, s := range sites {
			switch {
			case s.reserved[port]:
				reserved++
			case k.ports[s.arn][port]:
				kept++
			}
		}
		if reserved+kept < len(sites) {
			continue
		}
		text := fmt.Sprintf("old tasks of the service hold %s, and minimumHealthyPercent %d lets none of them stop", port, k.percent)
		if kept == 0 {
			text = fmt.Sprintf("%s is reserved there", port)
		}
		return []rollout.Evidence{{Points: rollout.PortTaken, Text: text}}
	}
	return nil
}
