package rollout

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// TaskQuery says which tasks are meant.
type TaskQuery struct {
	IDs     []TaskID // these, whoever started them; empty: those of the service
	Stopped bool     // also those of the service that have stopped, for as long as the scheduler tells of them
}

// TaskOver is the status of a task that has stopped, where such tasks are asked for.
const TaskOver TaskStatus = "stopped"

// TaskEnd is what ended a task.
type TaskEnd string

// The ends of a task.
const (
	EndExited     TaskEnd = "exited"      // an essential container did, whatever its exit code
	EndNotStarted TaskEnd = "not started" // it never came to run
	EndStopped    TaskEnd = "stopped"     // by somebody, or by the scheduler that did not need it any more
	EndLost       TaskEnd = "lost"        // with the machine or the capacity that it ran on
)

// TaskReport is all that a scheduler tells of one task, also of one that has stopped.
type TaskReport struct {
	ID         TaskID            `json:"id"`
	Cluster    ClusterName       `json:"cluster"`
	Group      string            `json:"group,omitempty"` // what it was started for: service:NAME, or family:NAME
	Revision   RevisionID        `json:"revision"`
	Version    string            `json:"version,omitempty"`   // of the image, as far as it can be told
	StartedBy  string            `json:"startedBy,omitempty"` // the deployment, or whoever ran it once
	Status     TaskStatus        `json:"status"`
	Phase      string            `json:"phase,omitempty"` // the status in the scheduler's own word
	Health     TaskHealth        `json:"health"`
	Zone       string            `json:"zone,omitempty"`
	Instance   string            `json:"instance,omitempty"` // the machine that it runs on, where there is one to name
	Capacity   string            `json:"capacity,omitempty"` // the launch type, or the capacity provider
	Created    time.Time         `json:"created,omitzero"`
	Started    time.Time         `json:"started,omitzero"`
	Stopped    time.Time         `json:"stopped,omitzero"`
	End        TaskEnd           `json:"end,omitempty"`  // what ended it; empty while it is wanted to run
	Why        string            `json:"why,omitempty"`  // why it stopped, as the scheduler puts it
	Talkative  bool              `json:"executeCommand"` // commands may be run in its containers
	Containers []ContainerReport `json:"containers"`
}

// ContainerReport is all that a scheduler tells of one container of a task.
type ContainerReport struct {
	Name      string     `json:"name"`
	Image     string     `json:"image,omitempty"`
	Digest    string     `json:"digest,omitempty"`
	Essential bool       `json:"essential"`
	Status    TaskStatus `json:"status"`
	Health    TaskHealth `json:"health"`
	ExitCode  *int       `json:"exitCode,omitempty"`
	Signal    string     `json:"signal,omitempty"` // that ended it, told from the exit code
	Why       string     `json:"why,omitempty"`    // why it stopped or did not start, as the scheduler puts it
	Agent     TaskStatus `json:"agent,omitempty"`  // of what runs commands in it; empty where there is no such thing
	AgentWhy  string     `json:"agentWhy,omitempty"`
	Log       LogSource  `json:"log"`
}

// Container returns the report of a container by its name.
func (t TaskReport) Container(name string) (ContainerReport, bool) {
	for _, c := range t.Containers {
		if c.Name == name {
			return c, true
		}
	}
	return ContainerReport{}, false
}

// LogSource is where one container's output can be read. Of Amazon CloudWatch Logs, group and stream name it.
type LogSource struct {
	Driver string `json:"driver,omitempty"` // what takes the output; empty: whatever the machine does by default
	Region string `json:"region,omitempty"`
	Group  string `json:"group,omitempty"`
	Stream string `json:"stream,omitempty"` // empty: it cannot be read, or there is none yet
}

// Readable reports whether the output can be read at all.
func (s LogSource) Readable() bool { return s.Group != "" }

// LogOf names the output of one container of one task.
type LogOf struct {
	Task      TaskID
	Container string
	Source    LogSource
}

// OutputLine is one line that a container wrote.
type OutputLine struct {
	Time      time.Time `json:"time"`
	Task      TaskID    `json:"task"`
	Container string    `json:"container"`
	Text      string    `json:"text"`
	ID        string    `json:"-"` // the same whenever this line is read
}

// WindowSize is the size of a terminal in characters.
type WindowSize struct{ Columns, Rows int }

// Execution is a command to run in a container that is running.
type Execution struct {
	Cluster   ClusterName
	Task      TaskID
	Container string
	Command   []string
}

// FindTask returns the task whose id is given, or begins so.
func FindTask(tasks []TaskReport, id string) (TaskReport, error) {
	var found []TaskReport
	for _, t := range tasks {
		if string(t.ID) == id {
			return t, nil
		}
		if strings.HasPrefix(string(t.ID), id) {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return TaskReport{}, fault.New(fault.NotFound, "there is no task %q", id).WithHint("see `slipway tasks --stopped`")
	case 1:
		return found[0], nil
	}
	return TaskReport{}, fault.New(fault.Invalid, "%d tasks have ids that begin with %q", len(found), id).WithHint("give more of the id")
}

// NewestRunning returns the running task that was started last.
func NewestRunning(tasks []TaskReport) (TaskReport, bool) {
	var running []TaskReport
	for _, t := range tasks {
		if t.Status == TaskRunning {
			running = append(running, t)
		}
	}
	if len(running) == 0 {
		return TaskReport{}, false
	}
	return slices.MaxFunc(running, func(a, b TaskReport) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	}), true
}

// ChooseContainer returns the container that is named, or, when none is, the only one or the only essential one.
func ChooseContainer(all []ContainerReport, name string) (ContainerReport, error) {
	var names []string
	var essential []ContainerReport
	for _, c := range all {
		if c.Name == name && name != "" {
			return c, nil
		}
		names = append(names, c.Name)
		if c.Essential {
			essential = append(essential, c)
		}
	}
	switch {
	case name != "":
		return ContainerReport{}, fault.New(fault.Invalid, "there is no container %q", name).
			WithHint("choose one of %s", strings.Join(names, ", "))
	case len(all) == 1:
		return all[0], nil
	case len(essential) == 1:
		return essential[0], nil
	}
	return ContainerReport{}, fault.New(fault.Invalid, "it cannot be told which of %d containers is meant", len(all)).
		WithHint("choose with --container: %s", strings.Join(names, ", "))
}
