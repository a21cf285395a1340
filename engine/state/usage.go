package state

import (
	"iter"
	"slices"
)

// kindUsage is the kind of the derived records: they follow from the tasks, are neither stored nor told to watchers.
const kindUsage Kind = "usage"

// Usage is what the tasks on a container instance take up: those that have not come to their end. It follows from the
// tasks and is kept by Put and Delete, so that placing a task needs no look at the other ones.
type Usage struct {
	Instance InstanceID
	CPU      int        // reserved CPU units
	Memory   int        // reserved MiB
	Tasks    int        // how many
	Ports    []HostPort // host ports at the instance's address
	GPUs     []string   // ids of the GPUs in use
	LastPort int        // the last dynamic port that was given out: the next one is sought after it
}

func (u *Usage) Kind() Kind  { return kindUsage }
func (u *Usage) Key() string { return string(u.Instance) }

// The range that dynamic host ports are taken from. [ecs-behaviour 1.6, networking]
const (
	FirstDynamicPort = 32768
	LastDynamicPort  = 60999
)

// Usage returns what the tasks on a container instance take up.
func (s Snapshot) Usage(id InstanceID) *Usage {
	if u, ok := get[*Usage](s, kindUsage, string(id)); ok {
		return u
	}
	return &Usage{Instance: id}
}

// UnsettledTasksOfService returns the tasks of a service that its scheduler has not done with, by id: all but those that
// are stopped and Settled.
func (s Snapshot) UnsettledTasksOfService(key ServiceKey) iter.Seq[*Task] {
	return all[*Task](s, KindTask, byUnsettled, key.String())
}

// TasksOfGroup returns the tasks of a group in a cluster that have not come to their end, by id.
func (s Snapshot) TasksOfGroup(cluster ClusterName, group string) iter.Seq[*Task] {
	return all[*Task](s, KindTask, byGroup, groupKey(cluster, group))
}

func groupKey(cluster ClusterName, group string) string { return string(cluster) + "|" + group }

// TasksWithAddress returns the tasks that have an address of their own and have not come to their end, by address.
func (s Snapshot) TasksWithAddress() iter.Seq[*Task] { return all[*Task](s, KindTask, byAddress) }

func ownAddressKey(t *Task) string {
	if !t.Alive() || len(t.Attachments) == 0 || !t.Address.IsValid() {
		return ""
	}
	return t.Address.String()
}

func unsettledKey(t *Task) string {
	if t.Last == Stopped && t.Settled {
		return ""
	}
	return t.Service.String()
}

func aliveGroupKey(t *Task) string {
	if !t.Alive() || t.Group == "" {
		return ""
	}
	return groupKey(t.Cluster, t.Group)
}

// follow keeps the usage of container instances true when a task changes; either may be nil.
func (tx *Tx) follow(before, after *Task) {
	if sameUse(before, after) {
		return
	}
	if uses(before) {
		tx.putUsage(tx.Usage(before.Instance).without(before, tx.portsOf(before)))
	}
	if uses(after) {
		tx.putUsage(tx.Usage(after.Instance).with(after, tx.portsOf(after)))
	}
}

func (tx *Tx) putUsage(u *Usage) { tx.own(kindUsage).put(u) }

func uses(t *Task) bool { return t != nil && t.Instance != "" && t.Alive() }

func sameUse(a, b *Task) bool {
	if !uses(a) || !uses(b) {
		return !uses(a) && !uses(b)
	}
	return a.Instance == b.Instance && a.CPU == b.CPU && a.Memory == b.Memory && a.Address == b.Address &&
		slices.Equal(a.Ports, b.Ports) && slices.Equal(a.GPUs, b.GPUs)
}

// portsOf returns the ports that a task takes at the address of its instance: none when it has an address of its own.
func (s Snapshot) portsOf(t *Task) []HostPort {
	i, ok := s.Instance(t.Instance)
	if ok && t.Address.IsValid() && t.Address != i.Address {
		return nil
	}
	return t.Ports
}

func (u *Usage) with(t *Task, ports []HostPort) *Usage {
	c := *u
	c.Ports, c.GPUs = slices.Clip(u.Ports), slices.Clip(u.GPUs) // clipped: what is appended doesn't reach the record
	c.add(t, ports)
	return &c
}

func (u *Usage) add(t *Task, ports []HostPort) {
	u.CPU, u.Memory, u.Tasks = u.CPU+t.CPU, u.Memory+t.Memory, u.Tasks+1
	u.Ports, u.GPUs = append(u.Ports, ports...), append(u.GPUs, t.GPUs...)
	for _, p := range ports {
		if p.Port >= FirstDynamicPort && p.Port <= LastDynamicPort {
			u.LastPort = p.Port
		}
	}
}

func (u *Usage) without(t *Task, ports []HostPort) *Usage {
	c := *u
	c.CPU, c.Memory, c.Tasks = u.CPU-t.CPU, u.Memory-t.Memory, u.Tasks-1
	c.Ports = slices.Clone(u.Ports)
	c.GPUs = slices.DeleteFunc(slices.Clone(u.GPUs), func(id string) bool { return slices.Contains(t.GPUs, id) })
	for _, p := range ports {
		if i := slices.Index(c.Ports, p); i >= 0 {
			c.Ports = slices.Delete(c.Ports, i, i+1)
		}
	}
	return &c
}

// followAll computes the usage of all container instances from the tasks.
func (tx *Tx) followAll() {
	all := map[InstanceID]*Usage{}
	for t := range tx.AllTasks() {
		if !uses(t) {
			continue
		}
		u := all[t.Instance]
		if u == nil {
			u = &Usage{Instance: t.Instance}
			all[t.Instance] = u
		}
		u.add(t, tx.portsOf(t))
	}
	for _, u := range all {
		tx.putUsage(u)
	}
}

func usageTable() tableSchema { return table[*Usage](kindUsage, nil) }
