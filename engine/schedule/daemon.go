package schedule

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// reserve keeps free what the DAEMON services of the cluster still need on its instances. [ECS guide, DAEMON: Amazon ECS
// reserves CPU, memory and network interfaces for daemon tasks]
func (f *Fleet) reserve() {
	for s := range f.snap.Daemons(f.cluster) {
		ask, ok := daemonAsk(f.snap, s)
		if !ok {
			continue
		}
		ask.prepare()
		group := f.group(ask.Group)
		for _, site := range f.sites {
			if site.active() && group.instances[site.ID] == 0 && f.unsatisfied(&ask, site, 0) == "" {
				site.keep(&ask)
			}
		}
	}
}

// keep sets aside what a task would take. What isn't there cannot be kept.
func (s *site) keep(ask *Ask) {
	ports, ok := s.portsFor(ask)
	if ok && !ask.ownAddress() {
		for i, m := range ask.mappings {
			if m.host != 0 || ask.mode() == types.NetworkModeHost { // a dynamic port is found at any time
				s.ports = append(s.ports, ports[i])
			}
		}
	}
	s.cpu, s.memory = max(s.cpu-ask.cpu, 0), max(s.memory-ask.memory, 0)
	s.gpus = s.gpus[min(ask.gpus, len(s.gpus)):]
}

// daemonAsk says for what a DAEMON service seeks places; not ok when it starts nothing.
func daemonAsk(snap state.Snapshot, s *state.Service) (Ask, bool) {
	for d := range snap.Deployments(s.ID) {
		if d.Status != state.Primary || d.Broken {
			continue
		}
		definition, ok := snap.TaskDefinition(d.TaskDefinition)
		return Ask{Definition: definition, Group: "service:" + s.ID.Name, Constraints: s.Doc.PlacementConstraints}, ok
	}
	return Ask{}, false
}
