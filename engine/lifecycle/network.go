package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// keeperOf is what the container is called that keeps what a task's containers share. The agent calls it "~internal~ecs~pause";
// no container of a definition has a name with a dot.
const keeperOf = "ecs.pause"

func (w *work) keeperName() runtime.Name { return Name(w.task.ID, keeperOf) }

// shares reports whether the task's containers have something together that must be kept for them. A single container has
// nobody to share with. [ECS guide, "Amazon ECS task networking"; agent, api/task/task.go: pidMode, ipcMode]
func (w *work) shares() bool {
	d := w.definition.Doc
	if len(d.ContainerDefinitions) < 2 || !w.Runtime.Shares() {
		return false
	}
	return d.NetworkMode == types.NetworkModeAwsvpc || d.PidMode == types.PidModeTask || d.IpcMode == types.IpcModeTask
}

// modes are those of processes and of shared memory that the runtime has to do something for.
func (w *work) modes() (types.PidMode, types.IpcMode) {
	pid, ipc := w.definition.Doc.PidMode, w.definition.Doc.IpcMode
	if len(w.definition.Doc.ContainerDefinitions) < 2 {
		if pid == types.PidModeTask {
			pid = ""
		}
		if ipc == types.IpcModeTask {
			ipc = ""
		}
	}
	return pid, ipc
}

// joined is the container whose network the others have; empty when each has its own.
func (w *work) joined() runtime.Name {
	if !w.shares() {
		return ""
	}
	return w.keeperName()
}

// keepNetwork makes what the task's containers share, unless it is there. The error has the words that a task is stopped with.
func (w *work) keepNetwork(ctx context.Context) error {
	if !w.shares() {
		return nil
	}
	switch s, err := w.Runtime.Inspect(ctx, w.keeperName()); {
	case err == nil && s.Phase == runtime.Running:
		return nil
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return errors.New("CannotInspectContainerError: " + err.Error())
	case err != nil:
		if err := w.Runtime.Create(ctx, w.keeper()); err != nil {
			return errors.New("CannotCreateContainerError: " + err.Error())
		}
	}
	if err := w.Runtime.Start(ctx, w.keeperName()); err != nil {
		return errors.New("CannotStartContainerError: " + err.Error())
	}
	return nil
}

// keeper is the container that keeps what the others share. With a network it has all that belongs to one: the ports of all,
// and the names that any of them wants to know.
func (w *work) keeper() runtime.Spec {
	def := types.ContainerDefinition{Name: aws.String(keeperOf)}
	spec := runtime.Spec{Idle: true, Name: w.keeperName(), Labels: w.labels(keeperOf, def), Network: w.definition.Doc.NetworkMode}
	spec.PID, spec.IPC = w.modes()
	if spec.Network != types.NetworkModeAwsvpc {
		spec.Network, spec.Definition = types.NetworkModeNone, def
		return spec
	}
	spec.Metadata = w.metadataURL() != ""
	for _, d := range w.definition.Doc.ContainerDefinitions {
		spec.Ports = append(spec.Ports, w.ports(aws.ToString(d.Name))...)
		if spec.Hostname == "" {
			spec.Hostname = aws.ToString(d.Hostname)
		}
		def.ExtraHosts = append(def.ExtraHosts, d.ExtraHosts...)
		def.DnsServers = union(def.DnsServers, d.DnsServers)
		def.DnsSearchDomains = union(def.DnsSearchDomains, d.DnsSearchDomains)
	}
	spec.Definition = def
	return spec
}

func union(a, b []string) []string {
	for _, text := range b {
		if !slices.ContainsFunc(a, func(known string) bool { return strings.EqualFold(known, text) }) {
			a = append(a, text)
		}
	}
	return a
}

// observeNetwork ends a task whose network has come to its end: nobody reaches its containers any more.
func (w *work) observeNetwork(ctx context.Context) error {
	if !w.shares() || w.task.Desired == state.Stopped {
		return nil
	}
	s, err := w.Runtime.Inspect(ctx, w.keeperName())
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound: // of a task that an older engine began there is none
		return err
	case err == nil && s.Phase == runtime.Exited:
		w.end(types.TaskStopCodeEssentialContainerExited, "Essential container in task exited")
	}
	return nil
}
