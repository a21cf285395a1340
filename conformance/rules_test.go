package conformance

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// rules hold for every change of the state, whatever happens. They are checked against a picture of the state that follows
// it change by change.
type rules struct {
	broken []string // the rules that did not hold

	services    map[string]*state.Service
	deployments map[state.DeploymentID]*state.Deployment
	histories   map[string]*state.ServiceDeployment
	tasks       map[state.TaskID]*state.Task
	targets     map[string]*state.Target

	checked, balanced bool // how health is found out: by container checks, by a load balancer; else by time
}

func newRules(snap state.Snapshot) *rules {
	r := &rules{
		services: map[string]*state.Service{}, deployments: map[state.DeploymentID]*state.Deployment{},
		histories: map[string]*state.ServiceDeployment{}, tasks: map[state.TaskID]*state.Task{}, targets: map[string]*state.Target{},
	}
	for s := range snap.AllServices() {
		r.services[s.Key()] = s
		for d := range snap.Deployments(s.ID) {
			r.deployments[d.ID] = d
		}
		for d := range snap.ServiceDeployments(s.ID) {
			r.histories[d.ARN] = d
		}
	}
	for t := range snap.AllTasks() {
		r.tasks[t.ID] = t
	}
	for t := range snap.AllTargets() {
		r.targets[t.Key()] = t
	}
	return r
}

func (r *rules) breaks(format string, args ...any) {
	r.broken = append(r.broken, fmt.Sprintf(format, args...))
}

// follow checks the changes of one moment and takes them into the picture.
func (r *rules) follow(changes []state.Change, now time.Time) {
	for _, c := range changes {
		switch after := c.After.(type) {
		case *state.Service:
			r.services[c.Key] = after
		case *state.Deployment:
			r.checkDeployment(r.deployments[after.ID], after)
			r.deployments[after.ID] = after
		case *state.ServiceDeployment:
			r.checkHistory(r.histories[after.ARN], after)
			r.histories[after.ARN] = after
		case *state.Task:
			r.checkTask(r.tasks[after.ID], after, now)
			r.tasks[after.ID] = after
		case *state.Target:
			r.targets[c.Key] = after
		case nil:
			r.forget(c)
		}
	}
}

func (r *rules) forget(c state.Change) {
	switch before := c.Before.(type) {
	case *state.Task:
		if before.Alive() {
			r.breaks("task %s was lost: it is forgotten while it is %s", before.ID, before.Last)
		}
		delete(r.tasks, before.ID)
	case *state.Target:
		delete(r.targets, c.Key)
	}
}

// checkDeployment: a deployment that has failed stays failed.
func (r *rules) checkDeployment(before, after *state.Deployment) {
	if before != nil && before.Broken && !after.Broken {
		r.breaks("deployment %s had failed, and has not any more", after.ID)
	}
	if before != nil && before.State == types.DeploymentRolloutStateFailed && after.State != before.State {
		r.breaks("deployment %s went from FAILED to %s", after.ID, after.State)
	}
}

// checkHistory: a service deployment that has come to its end stays there.
func (r *rules) checkHistory(before, after *state.ServiceDeployment) {
	if before == nil || before.Doc.Status == after.Doc.Status {
		return
	}
	switch before.Doc.Status {
	case types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentStatusStopped,
		types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentStatusRollbackFailed:
		r.breaks("service deployment %s went from %s to %s", after.ARN, before.Doc.Status, after.Doc.Status)
	}
}

func (r *rules) checkTask(before, after *state.Task, now time.Time) {
	if before == nil {
		r.checkStart(after)
		return
	}
	if after.Last.Before(before.Last) {
		r.breaks("task %s went back from %s to %s", after.ID, before.Last, after.Last)
	}
	if before.Desired == state.Stopped && after.Desired != state.Stopped {
		r.breaks("task %s was to be STOPPED, and is to be %s", after.ID, after.Desired)
	}
	if before.StopCode != "" && before.StopCode != after.StopCode {
		r.breaks("the stopCode of task %s went from %s to %s", after.ID, before.StopCode, after.StopCode)
	}
	if before.Desired != state.Stopped && after.Desired == state.Stopped && after.StopCode == types.TaskStopCodeServiceSchedulerInitiated {
		r.checkStop(before, now)
	}
}

// checkStart: never more tasks than the maximum; none of a deployment that has failed; no host port twice.
func (r *rules) checkStart(t *state.Task) {
	if d := r.deployments[t.Deployment]; d == nil || d.Broken || d.State == types.DeploymentRolloutStateFailed {
		r.breaks("task %s is started for the deployment %s, which has failed", t.ID, t.Deployment)
	}
	alive := 1
	for _, other := range r.tasks {
		if !other.Alive() {
			continue
		}
		if other.Service == t.Service {
			alive++
		}
		if other.Instance == t.Instance {
			r.checkPorts(t, other)
		}
	}
	s := r.services[t.Service.String()]
	if most := schedule.Ceiling(s.Desired(), int(aws.ToInt32(s.Doc.DeploymentConfiguration.MaximumPercent))); alive > most {
		r.breaks("task %s is the %dth, and the maximum is %d", t.ID, alive, most)
	}
}

func (r *rules) checkPorts(t, other *state.Task) {
	for _, p := range t.Ports {
		for _, q := range other.Ports {
			if p == q {
				r.breaks("tasks %s and %s have port %d of %s", t.ID, other.ID, p.Port, t.Instance)
			}
		}
	}
}

// checkStop: the scheduler itself never takes the number of healthy tasks below the minimum.
func (r *rules) checkStop(t *state.Task, now time.Time) {
	if !r.healthy(t, now) {
		return
	}
	left := 0
	for _, other := range r.tasks {
		if other.ID != t.ID && other.Service == t.Service && r.healthy(other, now) {
			left++
		}
	}
	s := r.services[t.Service.String()]
	if least := schedule.Floor(s.Desired(), int(aws.ToInt32(s.Doc.DeploymentConfiguration.MinimumHealthyPercent))); left < least {
		r.breaks("task %s is stopped though it is healthy: %d are left, and the minimum is %d", t.ID, left, least)
	}
}

// healthy reports whether a task counts as healthy. [ecs-behaviour 1.2]
func (r *rules) healthy(t *state.Task, now time.Time) bool {
	if t.Last != state.Running || t.Desired == state.Stopped {
		return false
	}
	if r.checked && t.Health != types.HealthStatusHealthy {
		return false
	}
	if r.balanced && !r.serves(t.ID) {
		return false
	}
	return r.checked || r.balanced || !now.Before(t.StartedAt.Add(40*time.Second))
}

func (r *rules) serves(id state.TaskID) bool {
	for _, target := range r.targets {
		if target.Task == id && target.Draining.IsZero() && target.Health == v2.TargetHealthStateEnumHealthy {
			return true
		}
	}
	return false
}
