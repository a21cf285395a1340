package rollout

import (
	"fmt"
	"strings"
)

// OneOff is a task to run once, with the task definition, the network and the capacity of a service.
type OneOff struct {
	Ref       ServiceRef // with Wanted: as these documents of a published version say, else as the service is now
	Container string     // that command, environment and sizes are for; empty: the only one, or the only essential one
	Command   []string   // empty: the task definition's, or the image's
	Env       []Variable // over those of the task definition
	CPU       int        // in units of 1/1024 of a CPU; 0: as the task definition says
	Memory    int        // in MiB; 0: as the task definition says
	Count     int        // how many; at least 1
	Token     string     // the same token starts the tasks once, however often it is asked for
}

// Variable is an environment variable.
type Variable struct{ Name, Value string }

// Launch is what came of starting tasks.
type Launch struct {
	Revision RevisionID
	Version  string
	Tasks    []TaskReport
	Failures []Evidence // why those that are missing have found no place
}

// OneOffOutcome is what a task that ran once came to.
type OneOffOutcome string

// The outcomes of a task that runs once.
const (
	Succeeded    OneOffOutcome = "succeeded"   // every essential container of every task exited with 0
	Unsuccessful OneOffOutcome = "failed"      // one of them did not, or a task did not start
	Overdue      OneOffOutcome = "timed out"   // it was stopped, because its time was up
	Abandoned    OneOffOutcome = "interrupted" // nobody waits for it any more
	Detached     OneOffOutcome = "detached"    // it was started, and is not waited for
)

// Over reports whether all tasks have stopped.
func Over(tasks []TaskReport) bool {
	for _, t := range tasks {
		if t.Status != TaskOver {
			return false
		}
	}
	return true
}

// JudgeOneOff returns the exit code of tasks that have stopped, with a reason for each thing that is not as it should be:
// the code of the first essential container that did not exit with 0; 1 where there is none to tell, because a task found no
// place, did not start or was stopped by somebody. Codes of containers that exited by themselves go before those of
// containers that were killed.
//
// A container that SIGTERM ended counts for nothing where another essential container exited by itself: the scheduler
// stops the rest of a task when one of its essential containers exits.
func JudgeOneOff(tasks []TaskReport, unplaced int) (code int, reasons []Reason) {
	killed, other := 0, 0
	for _, t := range tasks {
		for _, f := range failures(t) {
			reasons = append(reasons, f.reason)
			switch {
			case f.code == 0:
				other = 1
			case f.killed && killed == 0:
				killed = f.code
			case !f.killed && code == 0:
				code = f.code
			}
		}
	}
	if unplaced > 0 {
		other = 1
		reasons = append(reasons, Reason(fmt.Sprintf("%s found no place", count(unplaced, "task", "tasks"))))
	}
	for _, c := range []int{killed, other} {
		if code == 0 {
			code = c
		}
	}
	return code, reasons
}

type shortcoming struct {
	reason Reason
	code   int // of the container; 0: there is none
	killed bool
}

func failures(t TaskReport) []shortcoming {
	if t.End == EndNotStarted {
		return []shortcoming{{reason: Reason(fmt.Sprintf("task %s did not start: %s", t.ID, WhyStopped(t)))}}
	}
	var all []shortcoming
	for _, c := range t.Containers {
		if !c.Essential || c.ExitCode != nil && *c.ExitCode == 0 || stoppedAlong(t, c) {
			continue
		}
		s := shortcoming{reason: Reason(fmt.Sprintf("task %s: container %s %s", t.ID, c.Name, ended(c)))}
		if c.ExitCode != nil {
			s.code, s.killed = *c.ExitCode, c.Signal != "" && c.Why == ""
		}
		all = append(all, s)
	}
	if len(all) == 0 && t.End != "" && t.End != EndExited {
		all = append(all, shortcoming{reason: Reason(fmt.Sprintf("task %s was stopped: %s", t.ID, WhyStopped(t)))})
	}
	return all
}

// stoppedAlong reports that a container was stopped because another essential one had exited.
func stoppedAlong(t TaskReport, c ContainerReport) bool {
	if t.End != EndExited || c.Signal != "SIGTERM" || c.Why != "" {
		return false
	}
	for _, other := range t.Containers {
		if other.Essential && other.Name != c.Name && other.ExitCode != nil && other.Signal != "SIGTERM" {
			return true
		}
	}
	return false
}

func ended(c ContainerReport) string {
	text := "has no exit code"
	switch {
	case c.ExitCode != nil && c.Signal != "":
		text = fmt.Sprintf("exited with code %d (%s)", *c.ExitCode, c.Signal)
	case c.ExitCode != nil:
		text = fmt.Sprintf("exited with code %d", *c.ExitCode)
	}
	if c.Why != "" {
		text += ": " + strings.TrimSuffix(c.Why, ".")
	}
	return text
}

// WhyStopped says in one line why a task stopped, with the exit codes of its containers.
func WhyStopped(t TaskReport) string {
	var parts []string
	if t.Why != "" {
		parts = append(parts, strings.TrimSuffix(t.Why, "."))
	}
	for _, c := range t.Containers {
		if c.ExitCode != nil || c.Why != "" && !strings.Contains(t.Why, c.Why) {
			parts = append(parts, c.Name+" "+ended(c))
		}
	}
	return strings.Join(parts, "; ")
}
