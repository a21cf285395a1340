package engine

import (
	"github.com/slipway-cd/slipway/engine/state"
)

// note draws from one change which services have to be looked at.
func (l *loop) note(c state.Change) {
	some := c.After
	if some == nil {
		some = c.Before
	}
	switch r := some.(type) {
	case *state.Service:
		l.noteService(c, r)
	case *state.Deployment:
		l.touch(r.Service)
		if before, ok := c.Before.(*state.Deployment); ok && before.Status != r.Status && r.Status == state.Inactive {
			l.agenda.Add(item{chore: forgetDeployments, service: r.Service}, l.engine.Now())
		}
	case *state.Task:
		l.noteTask(c, r)
	case *state.Target:
		if t, ok := l.engine.db.Read().Task(r.Task); ok && targetMoved(c) {
			l.touch(t.Service)
		}
	case *state.Instance:
		l.touchCluster(r.Cluster, false)
		if c.After != nil {
			l.retireInstance(r)
		}
	}
}

func (l *loop) noteService(c state.Change, s *state.Service) {
	if c.After == nil {
		l.agenda.Drop(serviceItem(s.ID))
		delete(l.looked, s.ID)
		delete(l.waiting, s.ID)
		return
	}
	l.touch(s.ID)
	l.retire(s)
}

func (l *loop) noteTask(c state.Change, t *state.Task) {
	before, _ := c.Before.(*state.Task)
	if c.After == nil {
		return
	}
	if before == nil || moved(before, t) {
		l.touch(t.Service)
	}
	if t.Last == state.Stopped && (before == nil || before.Last != state.Stopped) {
		l.touchCluster(t.Cluster, true)
	}
	l.forget(t)
}

// moved reports whether the scheduler can see a difference between a task before and after.
func moved(before, after *state.Task) bool {
	return before.Last != after.Last || before.Desired != after.Desired || before.Health != after.Health ||
		before.Healthy != after.Healthy || before.Settled != after.Settled
}

func targetMoved(c state.Change) bool {
	before, _ := c.Before.(*state.Target)
	after, _ := c.After.(*state.Target)
	return before == nil || after == nil || before.Health != after.Health || before.Draining != after.Draining
}

// touchCluster looks at the services of a cluster; only at those that wait for room when onlyWaiting is set.
func (l *loop) touchCluster(cluster state.ClusterName, onlyWaiting bool) {
	for s := range l.engine.db.Read().Services(cluster) {
		if !onlyWaiting || l.waiting[s.ID] {
			l.touch(s.ID)
		}
	}
}
