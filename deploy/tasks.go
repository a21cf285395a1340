package deploy

import (
	"context"
	"strings"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// TaskReporter is a target that tells all of its tasks.
type TaskReporter interface {
	// TaskReports tells tasks, the newest first. Those that are named and not known to the scheduler are left out.
	TaskReports(ctx context.Context, ref rollout.ServiceRef, q rollout.TaskQuery) ([]rollout.TaskReport, error)
}

// TaskList is the tasks of a service.
type TaskList struct {
	Schema  int                  `json:"schema"`
	Cluster rollout.ClusterName  `json:"cluster"`
	Service rollout.ServiceName  `json:"service"`
	Tasks   []rollout.TaskReport `json:"tasks"` // the newest first
}

// Tasks lists the tasks of a service.
func Tasks(ctx context.Context, target Target, ref rollout.ServiceRef, stopped bool) (TaskList, error) {
	list := TaskList{Schema: Schema, Cluster: ref.Cluster, Service: ref.Service}
	reporter, err := capability[TaskReporter](target, "list tasks")
	if err != nil {
		return list, err
	}
	list.Tasks, err = reporter.TaskReports(ctx, ref, rollout.TaskQuery{Stopped: stopped})
	return list, err
}

// taskIDLength is how long a whole id is; what is shorter is the beginning of one.
const taskIDLength = 32

// findTask returns the task that somebody names: by its ARN, its id, or, of a service's tasks, by the id's beginning.
func findTask(ctx context.Context, reporter TaskReporter, ref rollout.ServiceRef, name string) (rollout.TaskReport, error) {
	id := name[strings.LastIndexByte(name, '/')+1:]
	q := rollout.TaskQuery{Stopped: true}
	if len(id) >= taskIDLength {
		q.IDs = []rollout.TaskID{rollout.TaskID(id)}
	}
	tasks, err := reporter.TaskReports(ctx, ref, q)
	if err != nil {
		return rollout.TaskReport{}, err
	}
	if id == "" {
		return rollout.TaskReport{}, fault.New(fault.Invalid, "%q is no id of a task", name)
	}
	return rollout.FindTask(tasks, id)
}
