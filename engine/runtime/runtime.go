// Package runtime declares what the engine needs from whatever runs containers.
package runtime

import (
	"context"
	"iter"
	"net/netip"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
)

// Name is the engine's own name of a container, unique among everything that the engine runs: a letter or digit, then
// letters, digits, "_", "." and "-", at most 200 characters. A runtime may decorate it, but must find the container by
// it, also after the engine was killed and started again.
type Name string

var names = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$`) })

// Check returns a fault of the kind Invalid when the name has other characters than every runtime can take.
func (n Name) Check() error {
	if names().MatchString(string(n)) {
		return nil
	}
	return fault.New(fault.Invalid, "cannot name a container %q: letters, digits, \"_\", \".\" and \"-\" only", string(n))
}

// Spec is all that a runtime needs to run one container. The definition is AWS's own document, so that a member which a
// runtime learns to honour tomorrow needs no new field here.
type Spec struct {
	Name       Name
	Labels     map[string]string         // com.amazonaws.ecs.* and the engine's own; to be found again by
	Definition types.ContainerDefinition // overrides merged
	Image      string                    // the reference to run, by digest where one is known
	Env        []string                  // NAME=value: definition, secrets, and what ECS adds
	Ports      []Port
	CPU        int // CPU units: a share, not a limit
	Memory     int // hard limit in MiB; 0: none
	Hostname   string
	Network    types.NetworkMode

	// Metadata has the container reach the engine at MetadataAddress, where the runtime can do that: see Network and Docker's
	// and the process runtime's own words.
	Metadata bool

	Mounts      []Mount
	VolumesFrom []VolumesFrom
	Links       []Link

	// Idle has the container run no program: it only keeps what others Join. It needs no image.
	Idle bool
	// Join is a container that was started before, where Shares says so. Of it this one has the network with its addresses, ports,
	// names and metadata, if Network is awsvpc; the processes, if PID is task; shared memory and semaphores, if IPC is task.
	Join Name
	PID  types.PidMode
	IPC  types.IpcMode
}

// MetadataAddress is where a container asks for its task's metadata and credentials. It is one of the few addresses besides
// loopback from which AWS's SDKs take credentials. [ECS guide, "Amazon ECS task metadata endpoint version 4"]
var MetadataAddress = netip.AddrFrom4([4]byte{169, 254, 170, 2})

// Port is a port of the container that is to be reachable at a host address.
type Port struct {
	Container int
	Host      netip.AddrPort
	Protocol  types.TransportProtocol
}

// Phase is where in its life a container is. Phases are never gone back to, but for a restart of the same container.
type Phase string

// The phases.
const (
	Created Phase = "created"
	Running Phase = "running"
	Exited  Phase = "exited"
)

// Status is what a runtime knows of a container.
type Status struct {
	Name      Name
	ID        string // the runtime's own id: 64 hex digits with Docker
	Labels    map[string]string
	Phase     Phase
	ExitCode  int    // 128+n when signal n ended it
	OutOfMem  bool   // the kernel ended it for its memory
	Error     string // why it could not run at all; empty otherwise
	StartedAt time.Time
	EndedAt   time.Time
}

// Line is one line that a container printed.
type Line struct {
	Time   time.Time
	Stderr bool
	Text   string // without the line's end; at most 256 KiB, longer lines are cut [CloudWatch Logs quotas]
}

// Image is what a reference stands for.
type Image struct {
	Digest       string // "sha256:…" of the manifest; of the index where the runtime keeps nothing else (Docker)
	Architecture string // "amd64"
	OS           string
}

// Runtime runs containers. Every method but Changes may be called again with the same arguments without harm, and by
// several goroutines; each returns a fault: NotFound for a container or image that isn't there, Denied for an image
// that may not be pulled, Unavailable when the runtime itself or a registry doesn't answer, Conflict for a host port that
// is taken and for a command to a container that isn't running, Invalid for a program that cannot be run,
// Refused for what the runtime cannot give to a container.
type Runtime interface {
	// Kind is the runtime's name: docker, process, scripted.
	Kind() string
	// Shares tells whether containers can share a network: see Spec.Join.
	Shares() bool
	// Pull makes the image present and tells what it is.
	Pull(ctx context.Context, ref string) (Image, error)
	// Create makes a container that is not running yet.
	Create(ctx context.Context, spec Spec) error
	// Start starts a created container, and an exited one again. It leaves a running one alone. Its ports are reachable
	// as soon as the program in it listens. A container that could not be started is still Created; its status says why.
	Start(ctx context.Context, name Name) error
	// Stop sends the container's stop signal, waits up to grace, then kills. It returns when the container has exited.
	Stop(ctx context.Context, name Name, grace time.Duration) error
	// Remove deletes a container, killing it if need be. An unknown container is no error.
	Remove(ctx context.Context, name Name) error
	// Inspect tells what has become of a container.
	Inspect(ctx context.Context, name Name) (Status, error)
	// List tells of all containers whose labels contain these.
	List(ctx context.Context, labels map[string]string) ([]Status, error)
	// Exec runs a command in a running container and returns its exit code and the beginning of its output (4 KiB). A
	// command that isn't there ends with 126 or 127, as in a shell.
	Exec(ctx context.Context, name Name, argv []string) (code int, output string, err error)
	// Attach runs a command in a running container, with a session's streams, and returns its exit code. When the context
	// ends, the command is ended, and there is an error.
	Attach(ctx context.Context, name Name, session Session) (code int, err error)
	// Stats tells what a running container uses of its host, as Docker's API does ("Get container stats based on resource
	// usage", once): JSON. What the runtime doesn't measure is left out.
	Stats(ctx context.Context, name Name) ([]byte, error)
	// CreateVolume makes a volume, unless there is one of the name already.
	CreateVolume(ctx context.Context, volume Volume) error
	// HasVolume tells whether there is a volume of that name.
	HasVolume(ctx context.Context, name string) (bool, error)
	// RemoveVolume deletes a volume with all that is in it. An unknown volume is no error; one in use is a Conflict.
	RemoveVolume(ctx context.Context, name string) error
	// Logs yields what the container printed after since; with follow it goes on until the container has exited or the
	// context ends; when the lines have come to their end by themselves, Inspect says Exited. It works on exited
	// containers until they are removed.
	Logs(ctx context.Context, name Name, since time.Time, follow bool) iter.Seq2[Line, error]
	// Changes yields the name of each container whose phase may have changed, until the context ends. Names may be
	// repeated; none is missed after the first one has been asked for.
	Changes(ctx context.Context) iter.Seq[Name]
	// Close lets go of what the runtime holds in this process. Containers go on running.
	Close() error
}

// Describer is what a runtime may also be: it tells in a few words what it runs containers with, for people.
type Describer interface {
	Describe() string
}

// Prober is what a runtime without sockets may also be: it answers the health checks of a load balancer in a container's
// stead. The error is a fault of the kind Unavailable where a connection would have been refused.
type Prober interface {
	Probe(ctx context.Context, name Name, containerPort int, path string) (status int, err error)
}
