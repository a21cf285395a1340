package docker

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/moby/moby/api/types/container"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// Shares tells whether there is a program for Docker's machine that keeps a network.
func (r *Runtime) Shares() bool { return len(pauseProgram(r.arch)) > 0 }

// joins reports whether a container has the network of another one.
func joins(spec runtime.Spec) bool {
	return spec.Join != "" && spec.Network == types.NetworkModeAwsvpc
}

// share says in Docker's words what a container has together with others. What belongs to a network (names, ports) Docker takes
// from whoever keeps it, and refuses of those that join it.
func (r *Runtime) share(spec runtime.Spec, config *container.Config, host *container.HostConfig) {
	other := "container:" + r.container(spec.Join)
	if joins(spec) {
		host.NetworkMode = container.NetworkMode(other)
		host.DNS, host.DNSSearch, host.ExtraHosts, host.PortBindings = nil, nil, nil, nil
		config.Hostname, config.ExposedPorts = "", nil
	}
	switch {
	case spec.PID == types.PidModeHost:
		host.PidMode = "host"
	case spec.PID == types.PidModeTask && spec.Join != "":
		host.PidMode = container.PidMode(other)
	}
	switch {
	case spec.IPC == types.IpcModeHost || spec.IPC == types.IpcModeNone:
		host.IpcMode = container.IpcMode(spec.IPC)
	case spec.IPC == types.IpcModeTask && spec.Join != "":
		host.IpcMode = container.IpcMode(other)
	case spec.IPC == types.IpcModeTask && spec.Idle:
		host.IpcMode = container.IPCModeShareable
	}
}
