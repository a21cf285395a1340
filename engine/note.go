package engine

import (
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/engine/state"
)

// noteAll draws from changes which services have to be looked at.
func (l *loop) noteAll(changes []state.Change) {
	freed := map[state.ClusterName]bool{}
	for _, c := range changes {
		l.note(c)
		if cluster, ok := frees(c); ok {
			freed[cluster] = true
		}
	}
	for cluster := range freed {
		l.touchWaiting(cluster)
	}
}

// frees returns the cluster in which a task has given its place back.
func frees(c state.Change) (state.ClusterName, bool) {
	before, _ := c.Before.(*state.Task)
	after, ok := c.After.(*state.Task)
	if !ok || after.Last != state.Stopped || before != nil && before.Last == state.Stopped {
		return "", false
	}
	return after.Cluster, true
}

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
	case *state.LostZone:
		if c.After == nil {
			l.touchAll()
		}
	case *state.Instance:
		l.touchCluster(r.Cluster)
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

// touchCluster looks at the services of a cluster.
func (l *loop) touchCluster(cluster state.ClusterName) {
	for s := range l.engine.db.Read().Services(cluster) {
		l.touch(s.ID)
	}
}

// touchAll looks at all services: those that wait for room, and those that could be spread more evenly.
func (l *loop) touchAll() {
	for s := range l.engine.db.Read().AllServices() {
		l.touch(s.ID)
	}
}

// touchWaiting looks at those services of a cluster that wait for room. They are few as a rule, however many others there are.
func (l *loop) touchWaiting(cluster state.ClusterName) {
	var keys []state.ServiceKey
	for key := range l.waiting {
		if key.Cluster == cluster {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b state.ServiceKey) int { return strings.Compare(a.Name, b.Name) }) // whoever is first gets the room
	for _, key := range keys {
		l.touch(key)
	}
}
