package state

import (
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TaskID is the id of a task: 32 hex digits.
type TaskID string

// TaskStatus is a station of a task's life. They are passed in order; none is ever entered again.
type TaskStatus string

// The stations of a task's life. [ecs-behaviour 1.6]
const (
	Provisioning   TaskStatus = "PROVISIONING"
	Pending        TaskStatus = "PENDING"
	Activating     TaskStatus = "ACTIVATING"
	Running        TaskStatus = "RUNNING"
	Deactivating   TaskStatus = "DEACTIVATING"
	Stopping       TaskStatus = "STOPPING"
	Deprovisioning TaskStatus = "DEPROVISIONING"
	Stopped        TaskStatus = "STOPPED"
)

var stations = map[TaskStatus]int{
	Provisioning: 0, Pending: 1, Activating: 2, Running: 3, Deactivating: 4, Stopping: 5, Deprovisioning: 6, Stopped: 7,
}

// Before reports whether the station comes earlier in a task's life than the other.
func (s TaskStatus) Before(other TaskStatus) bool { return stations[s] < stations[other] }

// Task is one running copy of a task definition.
type Task struct {
	ID             TaskID
	ARN            string
	Cluster        ClusterName
	Service        ServiceKey   // zero for a stand-alone task
	Deployment     DeploymentID // empty for a stand-alone task
	TaskDefinition TaskDefinitionID
	Group          string // "service:NAME" or "family:FAMILY"
	StartedBy      string
	LaunchType     types.LaunchType

	Instance InstanceID // empty on Fargate
	Zone     string
	Address  netip.Addr // where its host ports listen: the instance's address, or its own with network mode awsvpc
	CPU      int        // reserved CPU units
	Memory   int        // reserved MiB
	Ports    []HostPort // reserved host ports
	GPUs     []string   // ids of the GPUs of the instance that its containers have, in the order of the containers
	Provider string     // the capacity provider that it was placed by; empty when there was no strategy
	Lost     bool       // its instance is gone, and its containers with it: there is nothing to be stopped gently

	Last       TaskStatus
	Desired    TaskStatus // Running or Stopped
	Health     types.HealthStatus
	Containers []Container
	Version    int64 // counts the changes of the task

	CreatedAt, PullStartedAt, PullStoppedAt, ConnectivityAt    time.Time
	StartedAt, StoppingAt, ExecutionStoppedAt, StoppedAt       time.Time
	StopCode                                                   types.TaskStopCode
	StoppedReason                                              string
	Overrides                                                  *types.TaskOverride
	Attachments                                                []types.Attachment
	Tags                                                       []types.Tag
	EnableExecuteCommand                                       bool
	PlatformVersion, PlatformFamily, Token, AvailabilityReason string

	Protected time.Time // until then no scale-in and no deployment stops it; zero: it is not protected
	Healthy   bool      // it has been healthy once, as its service counts health
	Settled   bool      // it is stopped, and its service's scheduler has drawn the consequences
}

func (t *Task) Kind() Kind  { return KindTask }
func (t *Task) Key() string { return string(t.ID) }

// Alive reports whether the task still occupies its place: it has not come to its end.
func (t *Task) Alive() bool { return t.Last != Stopped }

// Container is one container of a task.
type Container struct {
	Name      string
	ARN       string
	RuntimeID string // what the runtime calls it
	Image     string
	Digest    string // "sha256:…" of the image that runs; empty until it is resolved
	Essential bool

	Last                TaskStatus // Pending, Running or Stopped
	Health              types.HealthStatus
	ExitCode            *int
	Reason              string // "CannotPullContainerError: …"; empty when there is nothing to say
	Bindings            []types.NetworkBinding
	StartedAt, EndedAt  time.Time
	Restarts            int
	LogGroup, LogStream string // where its output can be read; empty when its log driver is not awslogs
}

// Container returns the task's container with that name.
func (t *Task) Container(name string) (Container, bool) {
	for _, c := range t.Containers {
		if c.Name == name {
			return c, true
		}
	}
	return Container{}, false
}
