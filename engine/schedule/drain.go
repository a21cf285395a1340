package schedule

import (
	"slices"

	"github.com/slipway-cd/slipway/engine/state"
)

// leaves reports whether the task has to go because its container instance takes no tasks any more.
func (p *pass) leaves(t *state.Task) bool {
	if t.Instance == "" {
		return false
	}
	i, ok := p.snap.Instance(t.Instance)
	return !ok || i.Doc.Status != nil && *i.Doc.Status != statusActive
}

// evict stops the tasks on instances that are DRAINING: those that are not RUNNING yet at once, the others as far as
// the floor allows. Other tasks are started for them under the ceiling, by startNew and replaceOld.
// [UpdateContainerInstancesState, ECS API reference]
func (p *pass) evict() {
	for _, d := range p.current() {
		for _, t := range d.tasks {
			if !staying(t) || !t.leaving || t.protected && t.Last == state.Running {
				continue
			}
			if !t.healthy || p.healthy() > p.floor {
				p.stop(t, reasonScaling(t))
			}
		}
	}
}

// leaving reports whether there are tasks that still have to leave their instances.
func (p *pass) leaving() bool {
	return slices.ContainsFunc(p.current(), func(d *deployment) bool {
		return d.count(func(t *task) bool { return staying(t) && t.leaving }) > 0
	})
}
