package engine

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/state"
)

const (
	keepStopped = time.Hour       // stopped tasks and INACTIVE services stay describable so long [ecs-behaviour 1.6]
	keepAtLeast = 5 * time.Minute // whatever the speed: people look at them
	keepHistory = 50              // deployments of a service that stay for rollback and history
)

func (e *Engine) keep() time.Duration {
	return max(time.Duration(float64(keepStopped)/e.options.Speed), keepAtLeast)
}

// forget puts on the agenda when a stopped task is forgotten.
func (l *loop) forget(t *state.Task) {
	if t.Last == state.Stopped {
		l.agenda.Add(item{chore: forgetTask, task: t.ID}, t.StoppedAt.Add(l.engine.keep()))
	}
}

// retire puts on the agenda when an INACTIVE service is forgotten, with everything of it.
func (l *loop) retire(s *state.Service) {
	if inactive(s) {
		l.agenda.Add(item{chore: forgetService, service: s.ID}, s.Deleted.Add(l.engine.keep()))
	}
}

// retireInstance puts on the agenda when a container instance that has gone is forgotten.
func (l *loop) retireInstance(i *state.Instance) {
	if !i.Gone.IsZero() {
		l.agenda.Add(item{chore: forgetInstance, instance: i.ID}, i.Gone.Add(l.engine.keep()))
	}
}

func inactive(s *state.Service) bool { return aws.ToString(s.Doc.Status) == "INACTIVE" }

// prune deletes what has been kept long enough. It returns when to try again; zero: it is gone.
func (e *Engine) prune(tx *state.Tx, i item, now time.Time) time.Time {
	switch i.chore {
	case forgetTask:
		return e.pruneTask(tx, i.task, now)
	case forgetService:
		e.pruneService(tx, i.service, now)
	case forgetDeployments:
		pruneDeployments(tx, i.service)
	case forgetInstance:
		return e.pruneInstance(tx, i.instance, now)
	}
	return time.Time{}
}

func (e *Engine) pruneInstance(tx *state.Tx, id state.InstanceID, now time.Time) time.Time {
	i, ok := tx.Instance(id)
	if !ok {
		return time.Time{}
	}
	for t := range tx.TasksOnInstance(id) {
		if t.Alive() {
			return now.Add(e.keep())
		}
	}
	tx.Delete(i)
	return time.Time{}
}

func (e *Engine) pruneTask(tx *state.Tx, id state.TaskID, now time.Time) time.Time {
	t, ok := tx.Task(id)
	if !ok {
		return time.Time{}
	}
	if s, ok := tx.Service(t.Service); ok && !inactive(s) && !t.Settled {
		return now.Add(e.keep()) // its scheduler has not drawn the consequences yet
	}
	for target := range tx.TargetsOfTask(id) {
		tx.Delete(target)
	}
	tx.Delete(t)
	return time.Time{}
}

func (e *Engine) pruneService(tx *state.Tx, key state.ServiceKey, now time.Time) {
	s, ok := tx.Service(key)
	if !ok || !inactive(s) || s.Deleted.Add(e.keep()).After(now) { // created anew meanwhile
		return
	}
	for d := range tx.Deployments(key) {
		tx.Delete(d)
	}
	for d := range tx.ServiceDeployments(key) {
		tx.Delete(d)
	}
	for r := range tx.Revisions(key) {
		tx.Delete(r)
	}
	tx.Delete(tx.Events(key))
	tx.Delete(s)
}

// pruneDeployments forgets the oldest deployments of a service that have no part in it any more, each with its revision
// and its history. The newest that was completed stays whatever its age: it is what a rollback goes to.
func pruneDeployments(tx *state.Tx, key state.ServiceKey) {
	var old []*state.Deployment
	for d := range tx.Deployments(key) {
		if d.Status == state.Inactive {
			old = append(old, d)
		}
	}
	slices.SortFunc(old, func(a, b *state.Deployment) int { return b.Created.Compare(a.Created) })
	kept := false
	for n, d := range old {
		newestCompleted := !kept && !d.Completed.IsZero()
		kept = kept || newestCompleted
		if n >= keepHistory && !newestCompleted {
			deleteDeployment(tx, d)
		}
	}
}

func deleteDeployment(tx *state.Tx, d *state.Deployment) {
	if r, ok := tx.Revision(d.Revision); ok {
		tx.Delete(r)
	}
	if h, ok := tx.ServiceDeployment(d.ServiceDeployment); ok {
		tx.Delete(h)
	}
	tx.Delete(d)
}
