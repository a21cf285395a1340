package engine

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// pass has the scheduler look at one service and does what it says. It returns when to look again.
func (e *Engine) pass(tx *state.Tx, key state.ServiceKey, now time.Time) time.Time {
	if _, ok := tx.Service(key); !ok {
		return time.Time{}
	}
	plan := e.keepRoles(tx, key, e.plan(tx.Snapshot, key, now), now)
	e.apply(tx, key, plan, now)
	return plan.Again
}

func (e *Engine) apply(tx *state.Tx, key state.ServiceKey, p schedule.Plan, now time.Time) {
	putAll(tx, p.Traffic)
	putAll(tx, p.Deployments)
	putAll(tx, p.ServiceDeployments)
	putAll(tx, p.TaskSets)
	for _, set := range p.Ended {
		tx.Delete(set)
	}
	putAll(tx, p.Register)
	putAll(tx, p.Deregister)
	if p.Service != nil {
		tx.Put(p.Service)
	}
	for _, id := range p.Settle {
		changeTask(tx, id, func(t *state.Task) { t.Settled = true })
	}
	for _, id := range p.Healthy {
		changeTask(tx, id, func(t *state.Task) { t.Healthy = true })
	}
	for _, s := range p.Stop {
		if _, err := e.StopTask(tx, s.Task, s.Code, s.Reason); err != nil {
			e.options.Logger.Error("the scheduler stops a task that is not there", "service", key, "error", err)
		}
	}
	started := e.startAll(tx, key, p.Start)
	tell(tx, key, p.Texts(started), now)
}

func putAll[R state.Record](tx *state.Tx, records []R) {
	for _, r := range records {
		tx.Put(r)
	}
}

func changeTask(tx *state.Tx, id state.TaskID, change func(*state.Task)) {
	if t, ok := tx.Task(id); ok {
		changed := *t
		change(&changed)
		tx.Put(&changed)
	}
}

// startAll starts the tasks of a plan and returns their ids, in the same order; empty for one that could not be started.
func (e *Engine) startAll(tx *state.Tx, key state.ServiceKey, starts []schedule.Start) []state.TaskID {
	s, ok := tx.Service(key)
	if !ok {
		return nil
	}
	ids := make([]state.TaskID, len(starts))
	for i, st := range starts {
		task, err := e.startOne(tx, s, st)
		if err != nil {
			e.options.Logger.Warn("a task could not be started", "service", key, "error", err)
			continue
		}
		ids[i] = task.ID
	}
	return ids
}

func (e *Engine) startOne(tx *state.Tx, s *state.Service, st schedule.Start) (*state.Task, error) {
	d, ok := tx.Deployment(st.Deployment)
	if !ok {
		return nil, fmt.Errorf("the deployment %s is not there", st.Deployment)
	}
	definition, ok := tx.TaskDefinition(d.TaskDefinition)
	if !ok {
		return nil, fmt.Errorf("the task definition %s is not there", d.TaskDefinition)
	}
	rev, _ := tx.Revision(d.Revision)
	return e.start(tx, ofService(s, d, rev, definition, st.Place))
}

// tell adds events to a service, in order: no two bear the same time, and none an earlier one than the event before it.
func tell(tx *state.Tx, key state.ServiceKey, messages []string, now time.Time) {
	if len(messages) == 0 {
		return
	}
	events := tx.Events(key)
	for _, m := range messages {
		if len(events.List) > 0 {
			now = later(now, aws.ToTime(events.List[0].CreatedAt).Add(time.Millisecond))
		}
		events = events.Add(NewUUID(), m, now)
	}
	tx.Put(events)
}
