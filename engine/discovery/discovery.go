// Package discovery tells which instances stand behind a registry of AWS Cloud Map: those that somebody registered, and the
// tasks of the services that name it.
package discovery

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecs "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// Instance is one of the instances of a registry.
type Instance struct {
	ID         string // the task's, for a task
	Attributes map[string]string
	Health     types.HealthStatus
	Task       state.TaskID // empty for one that somebody registered
	Doc        types.Instance
}

// Instances returns the instances of a registry, by id. A task is one from the moment it runs until it is to stop.
func Instances(snap state.Snapshot, registry *state.Registry, region string) []Instance {
	var list []Instance
	for r := range snap.RegisteredIn(registry.ID) {
		list = append(list, Instance{ID: aws.ToString(r.Doc.Id), Attributes: r.Doc.Attributes, Health: r.Health, Doc: r.Doc})
	}
	for rev := range snap.RevisionsIn(aws.ToString(registry.Doc.Arn)) {
		for d := range snap.Deployments(rev.Service) {
			if d.Revision != rev.ARN {
				continue
			}
			for t := range snap.TasksOfDeployment(d.ID) {
				if t.Last == state.Running && t.Desired == state.Running {
					list = append(list, ofTask(snap, t, rev.Doc.ServiceRegistries[0], region))
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b Instance) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// ofTask is a task as ECS registers it. One with health checks is unhealthy until they say otherwise.
// [ECS guide, "Use service discovery to connect Amazon ECS services with DNS names", Service discovery concepts]
func ofTask(snap state.Snapshot, t *state.Task, r ecs.ServiceRegistry, region string) Instance {
	attributes := map[string]string{
		"AWS_INSTANCE_IPV4": t.Address.String(), "AVAILABILITY_ZONE": t.Zone, "REGION": region,
		"ECS_CLUSTER_NAME": string(t.Cluster), "ECS_SERVICE_NAME": t.Service.Name, "ECS_TASK_DEFINITION_FAMILY": t.TaskDefinition.Family,
		"AWS_INIT_HEALTH_STATUS": string(types.CustomHealthStatusHealthy),
	}
	if i, ok := snap.Instance(t.Instance); ok && i.Doc.Ec2InstanceId != nil {
		attributes["EC2_INSTANCE_ID"] = *i.Doc.Ec2InstanceId
	}
	d, ok := snap.TaskDefinition(t.TaskDefinition)
	if !ok {
		d = &state.TaskDefinition{}
	}
	if port := portOf(t, d, r); port > 0 {
		attributes["AWS_INSTANCE_PORT"] = strconv.Itoa(port)
	}
	health := types.HealthStatusHealthy
	if checked(d) {
		attributes["AWS_INIT_HEALTH_STATUS"] = string(types.CustomHealthStatusUnhealthy)
		if t.Health != ecs.HealthStatusHealthy {
			health = types.HealthStatusUnhealthy
		}
	}
	return Instance{
		ID: string(t.ID), Attributes: attributes, Health: health, Task: t.ID,
		Doc: types.Instance{Id: aws.String(string(t.ID)), Attributes: attributes},
	}
}

// checked reports whether the health of the task's containers is known.
func checked(d *state.TaskDefinition) bool {
	return slices.ContainsFunc(d.Doc.ContainerDefinitions, func(c ecs.ContainerDefinition) bool {
		return c.HealthCheck != nil && (c.Essential == nil || *c.Essential)
	})
}

// portOf is the port that a service names for its tasks: as it is, or the host port of one of a container's. 0: none is named.
func portOf(t *state.Task, d *state.TaskDefinition, r ecs.ServiceRegistry) int {
	if r.Port != nil {
		return int(*r.Port)
	}
	n := 0
	for _, c := range d.Doc.ContainerDefinitions {
		for _, m := range c.PortMappings {
			if m.ContainerPort == nil {
				continue
			}
			port := int(cmp.Or(aws.ToInt32(m.HostPort), *m.ContainerPort))
			if n < len(t.Ports) {
				port = t.Ports[n].Port
			}
			n++
			if aws.ToString(c.Name) == aws.ToString(r.ContainerName) && *m.ContainerPort == aws.ToInt32(r.ContainerPort) {
				return port
			}
		}
	}
	return 0
}

// Find returns the instances of a registry that have all of these attributes, as far as a filter lets them through.
// [AWS Cloud Map API reference, DiscoverInstances]
func Find(all []Instance, attributes, preferred map[string]string, filter types.HealthStatusFilter) []Instance {
	has := func(want map[string]string) func(Instance) bool {
		return func(i Instance) bool {
			for name, value := range want {
				if got, ok := i.Attributes[name]; !ok || got != value {
					return false
				}
			}
			return true
		}
	}
	list := only(all, has(attributes))
	if better := only(list, has(preferred)); len(preferred) > 0 && len(better) > 0 {
		list = better
	}
	healthy := only(list, func(i Instance) bool { return i.Health == types.HealthStatusHealthy })
	switch filter {
	case types.HealthStatusFilterAll:
		return list
	case types.HealthStatusFilterUnhealthy:
		return only(list, func(i Instance) bool { return i.Health == types.HealthStatusUnhealthy })
	case types.HealthStatusFilterHealthyOrElseAll:
		if len(healthy) == 0 {
			return list
		}
	}
	return healthy
}

func only(list []Instance, keep func(Instance) bool) []Instance {
	var kept []Instance
	for _, i := range list {
		if keep(i) {
			kept = append(kept, i)
		}
	}
	return kept
}
