package schedule

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/state"
)

// Fleet is the room that a cluster's container instances have left. Every Place takes some of it, so one Fleet serves
// for all the tasks that are placed from one snapshot.
type Fleet struct {
	snap    state.Snapshot
	cluster state.ClusterName
	sites   []*site
	groups  map[string]*spread
	queries map[string]query
}

// site is a container instance and what it has left.
type site struct {
	*state.Instance
	cpu, memory int
	reserved    []state.HostPort // for the instance itself
	ports       []state.HostPort // in use
	gpus        []string         // ids of those that are free
	tasks       int
	lastPort    int
}

// spread counts the tasks of one group.
type spread struct {
	instances map[state.InstanceID]int
	zones     map[string]int
}

// NewFleet returns what room there is in a cluster, without what its DAEMON services still need: their tasks are placed
// first. It costs as much as the cluster has container instances, times one more than it has DAEMON services.
func NewFleet(snap state.Snapshot, cluster state.ClusterName) *Fleet {
	f := newFleet(snap, cluster)
	f.reserve()
	return f
}

func newFleet(snap state.Snapshot, cluster state.ClusterName) *Fleet {
	f := &Fleet{snap: snap, cluster: cluster, groups: map[string]*spread{}, queries: map[string]query{}}
	for i := range snap.Instances(cluster) {
		if i.Gone.IsZero() {
			f.sites = append(f.sites, newSite(i, snap.Usage(i.ID)))
		}
	}
	return f
}

func newSite(i *state.Instance, u *state.Usage) *site {
	s := &site{
		Instance: i, cpu: i.CPU - u.CPU, memory: i.Memory - u.Memory, tasks: u.Tasks, lastPort: u.LastPort,
		reserved: i.Ports, ports: slices.Clip(u.Ports), // clipped: what is appended doesn't reach the record
	}
	for _, id := range i.GPUs {
		if !slices.Contains(u.GPUs, id) {
			s.gpus = append(s.gpus, id)
		}
	}
	return s
}

// site returns the container instance with that id; nil when it is not there any more.
func (f *Fleet) site(id state.InstanceID) *site {
	if i := slices.IndexFunc(f.sites, func(s *site) bool { return s.ID == id }); i >= 0 {
		return f.sites[i]
	}
	return nil
}

func (f *Fleet) group(name string) *spread {
	g, ok := f.groups[name]
	if ok {
		return g
	}
	g = &spread{instances: map[state.InstanceID]int{}, zones: map[string]int{}}
	f.groups[name] = g
	for t := range f.snap.TasksOfGroup(f.cluster, name) {
		if t.Desired != state.Stopped {
			g.instances[t.Instance]++
			g.zones[t.Zone]++
		}
	}
	return g
}

// take gives a place away.
func (f *Fleet) take(s *site, place Place, group string) {
	s.cpu, s.memory, s.tasks = s.cpu-place.CPU, s.memory-place.Memory, s.tasks+1
	s.ports = append(s.ports, place.Ports...)
	s.gpus = s.gpus[len(place.GPUs):]
	g := f.group(group)
	g.instances[s.ID]++
	g.zones[s.Zone]++
}

// without returns the site as it would be if these tasks, all of one group, were gone.
func (s *site) without(gone []*state.Task) *site {
	c := *s
	c.ports = slices.Clone(s.ports)
	for _, t := range gone {
		c.cpu, c.memory, c.tasks = c.cpu+t.CPU, c.memory+t.Memory, c.tasks-1
		c.gpus = slices.Concat(c.gpus, t.GPUs)
		for _, port := range t.Ports {
			if i := slices.Index(c.ports, port); i >= 0 {
				c.ports = slices.Delete(c.ports, i, i+1)
			}
		}
	}
	return &c
}

// zones returns the zones that tasks without an instance are spread over: those of the cluster's instances, or the first
// two of its region; without those that are lost.
func (f *Fleet) zones() []string {
	known := map[string]bool{}
	for _, s := range f.sites {
		known[s.Zone] = true
	}
	if left := f.withoutLost(slices.Sorted(maps.Keys(known))); len(left) > 0 {
		return left
	}
	region := "us-east-1"
	if c, ok := f.snap.Cluster(f.cluster); ok {
		region = regionOf(aws.ToString(c.Doc.ClusterArn), region)
	}
	return f.withoutLost([]string{region + "a", region + "b"})
}

func (f *Fleet) withoutLost(zones []string) []string {
	return slices.DeleteFunc(zones, func(zone string) bool { return f.snap.ZoneLost(zone, f.cluster) })
}
