package engine

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// RunTask starts stand-alone tasks, as many as find a place; for each of the others it returns why it found none.
// The request is AWS's own, already checked: Count is 1 when it is missing; TaskDefinition, Cluster and the client token
// are the caller's business.
func (e *Engine) RunTask(
	tx *state.Tx, cluster state.ClusterName, definition *state.TaskDefinition, in *ecs.RunTaskInput,
) ([]*state.Task, []types.Failure, error) {
	fleet, shares := schedule.NewFleet(tx.Snapshot, cluster), schedule.NewShares(in.CapacityProviderStrategy)
	return e.startEach(tx, cluster, definition, in, int(aws.ToInt32(orDefault(in.Count, 1))), func(int) (schedule.Place, *schedule.Failure) {
		place, failure := fleet.Place(ask(definition, in, shares.Next()))
		if failure == nil {
			shares.Note(place.Provider)
		}
		return place, failure
	})
}

// StartTask starts one stand-alone task on each of the container instances that has room for it; for each of the others
// it returns what is lacking. Placement constraints and strategies don't count. The request is one of RunTask, without
// what a scheduler would need.
func (e *Engine) StartTask(
	tx *state.Tx, cluster state.ClusterName, definition *state.TaskDefinition, in *ecs.RunTaskInput, on []state.InstanceID,
) ([]*state.Task, []types.Failure, error) {
	fleet := schedule.NewFleet(tx.Snapshot, cluster)
	return e.startEach(tx, cluster, definition, in, len(on), func(n int) (schedule.Place, *schedule.Failure) {
		return fleet.PlaceOn(ask(definition, in, ""), on[n])
	})
}

// startEach starts n tasks at the places that are found for them.
func (e *Engine) startEach(
	tx *state.Tx, cluster state.ClusterName, definition *state.TaskDefinition, in *ecs.RunTaskInput, n int,
	find func(int) (schedule.Place, *schedule.Failure),
) (tasks []*state.Task, failures []types.Failure, err error) {
	for i := range n {
		place, failure := find(i)
		if failure != nil {
			failures = append(failures, failure.Doc())
			continue
		}
		task, err := e.start(tx, standAlone(cluster, definition, in, place))
		if err != nil {
			return tasks, failures, err
		}
		tasks = append(tasks, task)
	}
	return tasks, failures, nil
}

// StopTask has a task stopped for a reason in the caller's words. A task that is stopping already keeps its first reason.
func (e *Engine) StopTask(tx *state.Tx, id state.TaskID, code types.TaskStopCode, reason string) (*state.Task, error) {
	t, ok := tx.Task(id)
	if !ok {
		return nil, fault.New(fault.NotFound, "the task %q does not exist", id)
	}
	if t.Desired == state.Stopped {
		return t, nil
	}
	now := e.Now()
	changed := *t
	changed.Desired, changed.StopCode, changed.StoppedReason, changed.StoppingAt = state.Stopped, code, reason, now
	changed.Version++
	tx.Put(&changed)
	return &changed, nil
}

// launch is all that makes a task.
type launch struct {
	cluster    state.ClusterName
	definition *state.TaskDefinition
	service    state.ServiceKey
	deployment *state.Deployment
	place      schedule.Place
	group      string
	startedBy  string
	launchType types.LaunchType
	platform   string
	network    *types.NetworkConfiguration
	overrides  *types.TaskOverride
	tags       []types.Tag
	exec       bool
}

func standAlone(cluster state.ClusterName, d *state.TaskDefinition, in *ecs.RunTaskInput, place schedule.Place) launch {
	l := launch{
		cluster: cluster, definition: d, place: place, group: groupOf(d, in), startedBy: aws.ToString(in.StartedBy),
		launchType: in.LaunchType, platform: aws.ToString(in.PlatformVersion), network: in.NetworkConfiguration,
		overrides: in.Overrides, tags: in.Tags, exec: in.EnableExecuteCommand,
	}
	if in.PropagateTags == types.PropagateTagsTaskDefinition {
		l.tags = mergeTags(d.Tags, in.Tags)
	}
	if in.EnableECSManagedTags {
		l.tags = mergeTags(l.tags, managedTags(cluster, ""))
	}
	return l
}

// managedTags are those that ECS gives the tasks of whoever asks for them. [ECS guide, ECS managed tags]
func managedTags(cluster state.ClusterName, service string) []types.Tag {
	tags := []types.Tag{{Key: aws.String("aws:ecs:clusterName"), Value: aws.String(string(cluster))}}
	if service != "" {
		tags = append(tags, types.Tag{Key: aws.String("aws:ecs:serviceName"), Value: aws.String(service)})
	}
	return tags
}

func ofService(s *state.Service, dep *state.Deployment, rev *state.Revision, d *state.TaskDefinition, place schedule.Place) launch {
	l := launch{
		cluster: s.ID.Cluster, definition: d, service: s.ID, deployment: dep, place: place,
		group: "service:" + s.ID.Name, startedBy: string(dep.ID), exec: s.Doc.EnableExecuteCommand,
		launchType: s.Doc.LaunchType, platform: aws.ToString(s.Doc.PlatformVersion), network: s.Doc.NetworkConfiguration,
	}
	if rev != nil {
		l.launchType, l.platform, l.network = rev.Doc.LaunchType, aws.ToString(rev.Doc.PlatformVersion), rev.Doc.NetworkConfiguration
	}
	switch s.Doc.PropagateTags {
	case types.PropagateTagsService:
		l.tags = s.Doc.Tags
	case types.PropagateTagsTaskDefinition:
		l.tags = d.Tags
	}
	if s.Doc.EnableECSManagedTags {
		l.tags = mergeTags(l.tags, managedTags(s.ID.Cluster, s.ID.Name))
	}
	return l
}

// start puts the record of a new task; the keeper of tasks does the rest.
func (e *Engine) start(tx *state.Tx, l launch) (*state.Task, error) {
	now := e.Now()
	t := &state.Task{
		ID: state.TaskID(NewHexID()), Cluster: l.cluster, Service: l.service, TaskDefinition: l.definition.TaskDefinitionID,
		Group: l.group, StartedBy: l.startedBy, LaunchType: l.launchType,
		Instance: l.place.Instance, Zone: l.place.Zone, CPU: l.place.CPU, Memory: l.place.Memory, Ports: l.place.Ports,
		GPUs: l.place.GPUs, Provider: l.place.Provider,
		Last: state.Pending, Desired: state.Running, Health: types.HealthStatusUnknown, Version: 1, CreatedAt: now,
		Overrides: l.overrides, Tags: l.tags, EnableExecuteCommand: l.exec,
	}
	t.ARN = e.options.Identity.TaskARN(l.cluster, t.ID)
	orElse(&t.LaunchType, types.LaunchTypeEc2)
	if t.Instance == "" {
		t.LaunchType, t.PlatformVersion, t.PlatformFamily = types.LaunchTypeFargate, platformVersion(l.platform), "Linux"
	}
	if l.deployment != nil {
		t.Deployment = l.deployment.ID
	}
	if err := e.connect(tx, t, l, now); err != nil {
		return nil, err
	}
	t.Containers = e.containers(t, l)
	tx.Put(t)
	return t, nil
}

func platformVersion(wanted string) string {
	if wanted == "" || wanted == "LATEST" {
		return "1.4.0" // what LATEST stands for [ecs-behaviour 1.1]
	}
	return wanted
}

// connect gives the task its address: the instance's, or with network mode awsvpc one of its own.
func (e *Engine) connect(tx *state.Tx, t *state.Task, l launch, now time.Time) error {
	if l.definition.Doc.NetworkMode != types.NetworkModeAwsvpc {
		if i, ok := tx.Instance(t.Instance); ok {
			t.Address = i.Address
		}
		return nil
	}
	address, err := e.Address(tx)
	if err != nil {
		return err
	}
	t.Address, t.Last = address, state.Provisioning
	t.Attachments = []types.Attachment{networkInterface(address, subnet(l.network))}
	t.ConnectivityAt = now
	return nil
}

func (e *Engine) containers(t *state.Task, l launch) []state.Container {
	list := make([]state.Container, 0, len(l.definition.Doc.ContainerDefinitions))
	for _, d := range l.definition.Doc.ContainerDefinitions {
		c := state.Container{
			Name: aws.ToString(d.Name), Image: aws.ToString(d.Image), Essential: aws.ToBool(orDefault(d.Essential, true)),
			ARN:  e.options.Identity.ContainerARN(t.Cluster, t.ID, NewUUID()),
			Last: state.Pending, Health: types.HealthStatusUnknown,
		}
		if l.deployment != nil {
			c.Digest = l.deployment.Digests[c.Name]
		}
		list = append(list, c)
	}
	return list
}

func orDefault[T any](value *T, otherwise T) *T {
	if value == nil {
		return &otherwise
	}
	return value
}

// mergeTags returns the base with more added; more wins where both name a key.
func mergeTags(base, more []types.Tag) []types.Tag {
	seen := map[string]bool{}
	merged := make([]types.Tag, 0, len(base)+len(more))
	for _, list := range [][]types.Tag{more, base} {
		for _, tag := range list {
			if key := aws.ToString(tag.Key); !seen[key] {
				seen[key] = true
				merged = append(merged, tag)
			}
		}
	}
	return merged
}
