package metadata

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// view is what one container is told.
type view struct {
	ctx        context.Context //nolint:containedctx // of the request that the view is for
	engine     *engine.Engine
	snap       state.Snapshot
	task       *state.Task
	definition *state.TaskDefinition
	name       string
}

// containerDoc is a container in the words of the endpoint.
type containerDoc struct {
	DockerID      string `json:"DockerId"`
	Name          string
	DockerName    string
	Image         string
	ImageID       string
	Ports         []portDoc `json:",omitempty"`
	Labels        map[string]string
	DesiredStatus state.TaskStatus
	KnownStatus   state.TaskStatus
	ExitCode      *int `json:",omitempty"`
	Limits        map[string]float64
	CreatedAt     *time.Time `json:",omitempty"`
	StartedAt     *time.Time `json:",omitempty"`
	FinishedAt    *time.Time `json:",omitempty"`
	Type          string
	Health        *healthDoc        `json:",omitempty"`
	Volumes       []volumeDoc       `json:",omitempty"`
	LogDriver     types.LogDriver   `json:",omitempty"`
	LogOptions    map[string]string `json:",omitempty"`
	ContainerARN  string
	Networks      []networkDoc
	RestartCount  *int `json:",omitempty"`
	Snapshotter   string
}

type portDoc struct {
	ContainerPort int32
	Protocol      types.TransportProtocol
	HostPort      int32  `json:",omitempty"`
	HostIP        string `json:"HostIp,omitempty"`
}

type healthDoc struct {
	Status types.HealthStatus `json:"status"`
}

type volumeDoc struct {
	DockerName  string `json:",omitempty"`
	Source      string `json:",omitempty"`
	Destination string
}

type networkDoc struct {
	NetworkMode   types.NetworkMode
	IPv4Addresses []string
}

// taskDoc is a task in the words of the endpoint.
type taskDoc struct {
	Cluster            string
	TaskARN            string
	Family             string
	Revision           string
	ServiceName        string `json:",omitempty"`
	DesiredStatus      state.TaskStatus
	KnownStatus        state.TaskStatus
	Limits             map[string]float64 `json:",omitempty"`
	PullStartedAt      *time.Time         `json:",omitempty"`
	PullStoppedAt      *time.Time         `json:",omitempty"`
	ExecutionStoppedAt *time.Time         `json:",omitempty"`
	AvailabilityZone   string             `json:",omitempty"`
	LaunchType         types.LaunchType
	Containers         []containerDoc
	TaskTags           map[string]string `json:",omitempty"`
	VPCID              string
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (v view) container(name string) containerDoc {
	c, _ := v.task.Container(name)
	d, _ := v.definition.Container(name)
	doc := containerDoc{
		DockerID: c.RuntimeID, Name: name, DockerName: "slipway-" + string(lifecycle.Name(v.task.ID, name)), Image: c.Image, ImageID: c.Digest,
		Labels: v.labels(d), DesiredStatus: v.task.Desired, KnownStatus: c.Last, ExitCode: c.ExitCode,
		Limits: limits(float64(d.Cpu), float64(aws.ToInt32(d.Memory))), CreatedAt: timeOrNil(c.StartedAt), StartedAt: timeOrNil(c.StartedAt),
		FinishedAt: timeOrNil(c.EndedAt), Type: "NORMAL", ContainerARN: c.ARN, Networks: v.networks(), Snapshotter: "overlayfs",
	}
	if l := d.LogConfiguration; l != nil {
		doc.LogDriver, doc.LogOptions = l.LogDriver, l.Options
	}
	if d.HealthCheck != nil {
		doc.Health = &healthDoc{c.Health}
	}
	if p := d.RestartPolicy; p != nil && aws.ToBool(p.Enabled) {
		doc.RestartCount = &c.Restarts
	}
	for _, b := range c.Bindings {
		doc.Ports = append(doc.Ports, portDoc{aws.ToInt32(b.ContainerPort), b.Protocol, aws.ToInt32(b.HostPort), aws.ToString(b.BindIP)})
	}
	for _, m := range d.MountPoints {
		doc.Volumes = append(doc.Volumes, volumeDoc{DockerName: aws.ToString(m.SourceVolume), Destination: aws.ToString(m.ContainerPath)})
	}
	return doc
}

func (v view) labels(d types.ContainerDefinition) map[string]string {
	labels := map[string]string{
		"com.amazonaws.ecs.cluster": string(v.task.Cluster), "com.amazonaws.ecs.container-name": aws.ToString(d.Name),
		"com.amazonaws.ecs.task-arn": v.task.ARN, "com.amazonaws.ecs.task-definition-family": v.definition.Family,
		"com.amazonaws.ecs.task-definition-version": strconv.Itoa(v.definition.Revision),
	}
	maps.Copy(labels, d.DockerLabels)
	return labels
}

// limits are those of a container or a task, without what is not limited.
func limits(cpu, memory float64) map[string]float64 {
	all := map[string]float64{"CPU": cpu}
	if memory > 0 {
		all["Memory"] = memory
	}
	return all
}

func (v view) networks() []networkDoc {
	mode := v.definition.Doc.NetworkMode
	if mode == "" {
		mode = types.NetworkModeBridge
	}
	return []networkDoc{{mode, []string{v.task.Address.String()}}}
}

func (v view) whole(tagged bool) taskDoc {
	t := v.task
	doc := taskDoc{
		Cluster: v.engine.Identity().ClusterARN(t.Cluster), TaskARN: t.ARN, Family: v.definition.Family, Revision: strconv.Itoa(v.definition.Revision),
		ServiceName: t.Service.Name, DesiredStatus: t.Desired, KnownStatus: t.Last, PullStartedAt: timeOrNil(t.PullStartedAt),
		PullStoppedAt: timeOrNil(t.PullStoppedAt), ExecutionStoppedAt: timeOrNil(t.ExecutionStoppedAt), AvailabilityZone: t.Zone, LaunchType: t.LaunchType,
		Limits: v.taskLimits(), Containers: []containerDoc{},
	}
	for _, c := range t.Containers {
		doc.Containers = append(doc.Containers, v.container(c.Name))
	}
	if tagged {
		doc.TaskTags = map[string]string{}
		for _, tag := range t.Tags {
			doc.TaskTags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
	}
	return doc
}

// taskLimits are those that the task itself has: virtual CPUs and MiB.
func (v view) taskLimits() map[string]float64 {
	all := map[string]float64{}
	if cpu, err := strconv.ParseFloat(aws.ToString(v.definition.Doc.Cpu), 64); err == nil {
		all["CPU"] = cpu / 1024
	}
	if memory, err := strconv.ParseFloat(aws.ToString(v.definition.Doc.Memory), 64); err == nil {
		all["Memory"] = memory
	}
	return all
}

// stats are the container's, as Docker tells them; null while it doesn't run.
func (v view) stats() (any, error) { return v.statsOf(v.name) }

func (v view) statsOf(name string) (json.RawMessage, error) {
	text, err := v.engine.Runtime().Stats(v.ctx, lifecycle.Name(v.task.ID, name))
	switch kind := fault.KindOf(err); {
	case err == nil:
		return text, nil
	case kind == fault.Conflict, kind == fault.NotFound, kind == fault.Refused:
		return json.RawMessage("null"), nil
	}
	return nil, fmt.Errorf("cannot measure container %q: %w", name, err)
}

// allStats are those of all containers, by their ids.
func (v view) allStats() (any, error) {
	all := map[string]json.RawMessage{}
	for _, c := range v.task.Containers {
		stats, err := v.statsOf(c.Name)
		if err != nil {
			return nil, err
		}
		all[c.RuntimeID] = stats
	}
	return all, nil
}
