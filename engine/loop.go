package engine

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/engine/agenda"
	"github.com/slipway-cd/slipway/engine/state"
)

// batch is how many services one write passes over, so that other writers wait for milliseconds only.
const batch = 32

// loop has the scheduler look at each service when something that concerns it has changed, or when the last pass asked
// for it, but not more often than once in Pace.Pass. A steady service costs nothing.
type loop struct {
	engine  *Engine
	watch   *state.Watcher
	agenda  agenda.Agenda[item]
	looked  map[state.ServiceKey]time.Time // when each service was last passed over
	waiting map[state.ServiceKey]bool      // services with fewer tasks than they want
}

// item is one thing that the loop does at a time.
type item struct {
	chore    chore
	service  state.ServiceKey
	task     state.TaskID
	instance state.InstanceID
}

// chore is a sort of thing that the loop does.
type chore string

const (
	passOver          chore = "pass"        // have the scheduler look at a service
	forgetTask        chore = "task"        // delete a task that was stopped long enough ago
	forgetService     chore = "service"     // delete a service that was INACTIVE long enough, with all that belongs to it
	forgetDeployments chore = "deployments" // delete the oldest deployments of a service
	forgetInstance    chore = "instance"    // delete a container instance that went long enough ago
)

func serviceItem(key state.ServiceKey) item { return item{chore: passOver, service: key} }

// newLoop returns a loop that sees every change from now on, and looks at everything that there is first.
func newLoop(e *Engine) *loop {
	l := &loop{engine: e, watch: e.db.Watch(), looked: map[state.ServiceKey]time.Time{}, waiting: map[state.ServiceKey]bool{}}
	now, snap := e.Now(), e.db.Read()
	for s := range snap.AllServices() {
		l.agenda.Add(serviceItem(s.ID), now)
		l.retire(s)
	}
	for t := range snap.AllTasks() {
		l.forget(t)
	}
	for i := range snap.AllInstances() {
		l.retireInstance(i)
	}
	return l
}

func (l *loop) run(ctx context.Context) {
	defer l.watch.Close()
	for ctx.Err() == nil {
		l.noteAll(nextChanges(ctx, l.watch, &l.agenda))
		l.work()
	}
}

// work does what is due.
func (l *loop) work() {
	now := l.engine.Now()
	due := l.agenda.Due(now, batch)
	if len(due) == 0 {
		return
	}
	again, wanting := map[item]time.Time{}, map[state.ServiceKey]bool{}
	err := l.engine.db.Write(func(tx *state.Tx) error {
		for _, i := range due {
			switch i.chore {
			case passOver:
				again[i] = l.engine.pass(tx, i.service, now)
				wanting[i.service] = wants(tx, i.service)
			default:
				again[i] = l.engine.prune(tx, i, now)
			}
		}
		return nil
	})
	if err != nil {
		l.engine.options.Logger.Error("the scheduler's decisions could not be stored; it tries again", "error", err)
	}
	for _, i := range due {
		l.done(i, now, again[i], err != nil)
	}
	for key, wants := range wanting {
		l.wait(key, wants)
	}
}

// wait notes whether a service waits for room.
func (l *loop) wait(key state.ServiceKey, wants bool) {
	if !wants {
		delete(l.waiting, key)
		return
	}
	l.waiting[key] = true
}

// done puts on the agenda when to look again.
func (l *loop) done(i item, now, again time.Time, failed bool) {
	if i.chore == passOver {
		l.looked[i.service] = now
	}
	switch {
	case failed:
		l.agenda.Add(i, now.Add(time.Second))
	case again.IsZero():
	case i.chore == passOver:
		l.agenda.Add(i, later(again, now.Add(l.engine.pace.Pass)))
	default:
		l.agenda.Add(i, again)
	}
}

// touch has a service looked at as soon as its last pass is long enough ago.
func (l *loop) touch(key state.ServiceKey) {
	if key.Name == "" {
		return
	}
	l.agenda.Add(serviceItem(key), later(l.engine.Now(), l.looked[key].Add(l.engine.pace.Pass)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// wants reports whether a service has fewer tasks than it wants: then room anywhere in its cluster concerns it.
func wants(tx *state.Tx, key state.ServiceKey) bool {
	s, ok := tx.Service(key)
	if !ok {
		return false
	}
	running := 0
	for t := range tx.UnsettledTasksOfService(key) {
		if t.Desired == state.Running {
			if d, ok := tx.Deployment(t.Deployment); ok && d.Status == state.Primary {
				running++
			}
		}
	}
	return running < s.Desired()
}
