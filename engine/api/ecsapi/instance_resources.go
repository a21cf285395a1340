package ecsapi

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// room is what an instance has or has left. Of ports it is those that are taken, of GPUs those that are free: so AWS
// describes registeredResources and remainingResources.
type room struct {
	cpu, memory    int
	tcp, udp, gpus []string
}

// describeInstance counts the tasks of a container instance and what they leave of its resources.
func describeInstance(snap state.Snapshot, i *state.Instance) types.ContainerInstance {
	doc := i.Doc
	left := room{cpu: i.CPU, memory: i.Memory, gpus: slices.Clone(i.GPUs)}
	left.occupy(i.Ports)
	doc.RegisteredResources = left.resources()
	for t := range snap.TasksOnInstance(i.ID) {
		if !t.Alive() {
			continue
		}
		left.cpu, left.memory = left.cpu-t.CPU, left.memory-t.Memory
		if t.Address == i.Address || !t.Address.IsValid() { // else its ports are at its own address
			left.occupy(t.Ports)
		}
		left.gpus = slices.DeleteFunc(left.gpus, func(id string) bool { return slices.Contains(t.GPUs, id) })
		if isRunning(t) {
			doc.RunningTasksCount++
		} else if isPending(t) {
			doc.PendingTasksCount++
		}
	}
	doc.RemainingResources = left.resources()
	doc.Attachments, doc.Attributes = awsdoc.List(doc.Attachments), awsdoc.List(doc.Attributes)
	return doc
}

func (r *room) occupy(ports []state.HostPort) {
	for _, p := range ports {
		number := strconv.Itoa(p.Port)
		if p.Protocol == types.TransportProtocolUdp {
			r.udp = append(slices.Clip(r.udp), number)
		} else {
			r.tcp = append(slices.Clip(r.tcp), number)
		}
	}
}

func (r *room) resources() []types.Resource {
	integer := func(name string, n int) types.Resource {
		return types.Resource{Name: &name, Type: awsdoc.Text("INTEGER"), IntegerValue: int32(n)}
	}
	set := func(name string, values []string) types.Resource {
		sorted := slices.Concat([]string{}, values)
		slices.SortFunc(sorted, func(a, b string) int { return cmp.Or(len(a)-len(b), cmp.Compare(a, b)) }) // ports by number
		return types.Resource{Name: &name, Type: awsdoc.Text("STRINGSET"), StringSetValue: sorted}
	}
	list := []types.Resource{integer("CPU", r.cpu), integer("MEMORY", r.memory), set("PORTS", r.tcp), set("PORTS_UDP", r.udp)}
	if r.gpus != nil { // an instance without GPUs doesn't name them
		list = append(list, set("GPU", r.gpus))
	}
	return list
}
