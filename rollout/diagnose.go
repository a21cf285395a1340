package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ranks orders the causes by how much they explain: a container that is killed for its memory also fails its health
// check, stops its task and trips the circuit breaker, and only the first of these is worth telling.
var ranks = []Cause{
	OutOfMemory, SecretMissing, ImageMissing, PullDenied, WrongArchitecture, LogGroupMissing, RoleWrong, BalancerWrong, NetworkWrong,
	PullFailed, CannotStart, DependencyFailed, Crash, HealthCheck, TargetCheck, WrongPort, NoInstances, Unplaceable,
	NoMemory, NoCPU, PortTaken, NoCapacity, Squeezed, AlarmFired, HookFailed, ChecksFail, BreakerTripped,
}

func rank(c Cause) int {
	if i := slices.Index(ranks, c); i >= 0 {
		return i
	}
	return len(ranks)
}

// Diagnose names the one cause that explains the evidence best, with the evidence for it and what to do. Evidence of
// what ran before counts for nothing.
func Diagnose(evidence []Evidence) Diagnosis {
	var ours []Evidence
	for _, e := range evidence {
		if e.New {
			ours = append(ours, e)
		}
	}
	cause := UnknownCause
	for _, e := range ours {
		if e.Points != "" && rank(e.Points) < rank(cause) {
			cause = e.Points
		}
	}
	if cause == TargetCheck && unanswered(ours) {
		cause = WrongPort
	}
	of := about(ours, cause)
	return Diagnosis{
		Cause: cause, Summary: summary(cause, of), Evidence: lines(of, ours), Logs: logs(ours, of), Remedy: remedy(cause, of),
	}
}

// remedy says what to do. Where no instance can ever hold the task, that there be fewer of them at a time is no help.
func remedy(cause Cause, of []Evidence) string {
	if len(of) > 0 && of[0].Final && remediesForGood[cause] != "" {
		return remediesForGood[cause]
	}
	return remedies[cause]
}

// unanswered reports that a health check reached nothing and none got an answer: that a task failed its check is told of
// both, and says less.
func unanswered(evidence []Evidence) bool {
	reachedNothing := func(e Evidence) bool { return e.Points == WrongPort }
	answered := func(e Evidence) bool { return e.Points == TargetCheck && e.Status != 0 }
	return slices.ContainsFunc(evidence, reachedNothing) && !slices.ContainsFunc(evidence, answered)
}

// Explain returns the diagnosis of a rollout that was not proven: where the verdict rests on what became of the
// deployment rather than on its tasks, the evidence of these explains it.
func Explain(want Desired, seen Observed) Diagnosis {
	return explain(want.Progress.Cause, want.Progress.Reasons, seen.Evidence)
}

// ExplainUndoing returns the diagnosis of a rollback that failed.
func ExplainUndoing(want Desired, seen Observed) Diagnosis {
	return explain(want.Progress.UndoCause, want.Progress.UndoReasons, against(seen, restorer(want.Progress, seen)))
}

func explain(cause Cause, reasons []Reason, evidence []Evidence) Diagnosis {
	d := Diagnose(evidence)
	if cause == "" || cause == d.Cause {
		return d
	}
	switch cause {
	case BreakerTripped, TooSlow:
		if d.Cause != UnknownCause {
			return d
		}
	case ChecksFail, AlarmFired, Superseded, ServiceGone:
		d.Logs = nil
	}
	d.Cause, d.Summary, d.Remedy = cause, string(cause), remedies[cause]
	if len(reasons) > 0 {
		d.Summary = string(reasons[0])
		d.Evidence = nil
		for _, r := range reasons[1:] {
			d.Evidence = append(d.Evidence, string(r))
		}
	}
	return d
}

// about returns the evidence for a cause, what tells most of it first.
func about(evidence []Evidence, cause Cause) []Evidence {
	var of []Evidence
	for _, e := range evidence {
		if e.Points == cause && cause != UnknownCause {
			of = append(of, e)
		}
	}
	slices.SortStableFunc(of, func(a, b Evidence) int {
		return cmp.Or(cmp.Compare(telling(b), telling(a)), b.At.Compare(a.At), cmp.Compare(a.Text, b.Text))
	})
	return of
}

// telling grows with what a piece of evidence knows beyond its text.
func telling(e Evidence) int {
	n := 0
	for _, known := range []bool{e.Container != "", e.ExitCode != nil, e.Status != 0, e.Subject != "", e.Port != 0, e.Final} {
		if known {
			n++
		}
	}
	return n
}

// summary is one sentence: what happened, to what, with which code, how often.
func summary(cause Cause, of []Evidence) string {
	if len(of) == 0 {
		return "the new tasks do not stay healthy; nothing says why"
	}
	e := of[0]
	text := sentence(cause, e)
	tasks := map[TaskID]bool{}
	for _, e := range of {
		if e.Task != "" {
			tasks[e.Task] = true
		}
	}
	if len(tasks) > 1 {
		text += fmt.Sprintf(" (%d tasks)", len(tasks))
	}
	return text
}

func sentence(cause Cause, e Evidence) string {
	container := "a container"
	if e.Container != "" {
		container = "container " + e.Container
	}
	switch cause {
	case Crash:
		return container + " exits" + code(e)
	case OutOfMemory:
		return container + " ran out of memory and was killed" + code(e)
	case HealthCheck:
		return container + " fails its health check"
	case TargetCheck, WrongPort:
		return targetSentence(cause, e)
	case ImageMissing, PullDenied, PullFailed, WrongArchitecture:
		if e.Subject != "" {
			return strings.Replace(string(cause), "image", "image "+e.Subject, 1) + because(e)
		}
	case SecretMissing, LogGroupMissing:
		if e.Subject != "" {
			return string(cause) + ": " + e.Subject
		}
	case CannotStart:
		return container + " cannot be started" + because(e)
	case DependencyFailed:
		if e.Subject != "" {
			return "container " + e.Subject + " never gets ready, and others depend on it"
		}
	}
	return string(cause) + because(e)
}

func targetSentence(cause Cause, e Evidence) string {
	where := ""
	if e.Port != 0 {
		where = " on port " + strconv.Itoa(e.Port)
	}
	if e.Subject != "" {
		where += " in " + e.Subject
	}
	switch {
	case cause == WrongPort:
		return "the load balancer reaches nothing" + where + because(e)
	case e.Status != 0:
		return fmt.Sprintf("the load balancer's health check gets %d%s", e.Status, where)
	default:
		return "the load balancer's health check fails" + where + because(e)
	}
}

func code(e Evidence) string {
	switch {
	case e.Signal != "" && e.ExitCode != nil:
		return fmt.Sprintf(" with code %d (%s)", *e.ExitCode, e.Signal)
	case e.ExitCode != nil:
		return fmt.Sprintf(" with code %d", *e.ExitCode)
	}
	return ""
}

func because(e Evidence) string {
	if e.Text == "" {
		return ""
	}
	return ": " + strings.TrimSuffix(e.Text, ".")
}
