package rollout

import (
	"math"
	"time"
)

// judgement is a verdict and what it rests on.
type judgement struct {
	verdict Verdict
	cause   Cause
	reasons []Reason
}

// judge decides whether what this rollout started has been proven, or has failed, or may still come to its end. Whoever
// judges first wins: what happened to the deployment, then what its tasks tell, then the checks, then the clock.
func judge(want Desired, seen Observed, policy Policy, now time.Time) judgement {
	for _, look := range []func(Desired, Observed, Policy, time.Time) judgement{
		taken, evident, failedChecks, reached, late,
	} {
		if j := look(want, seen, policy, now); j.verdict != "" {
			return j
		}
	}
	return judgement{verdict: Moving}
}

// taken tells what happened to the deployment as a whole: the scheduler gave it up, somebody replaced it, the service is
// gone. A deployment that has not been seen yet may be missing only because the scheduler answers from an old copy.
func taken(want Desired, seen Observed, _ Policy, _ time.Time) judgement {
	p := want.Progress
	if p.Deployment == "" {
		return judgement{}
	}
	if seen.Status != Active {
		if p.Created.IsZero() {
			return judgement{}
		}
		return judgement{Failed, ServiceGone, []Reason{"the service was deleted while it was being deployed"}}
	}
	primary := seen.Primary()
	if ours := seen.Deployment(p.Deployment); ours != nil && ours.State == Broken {
		return gaveUp(*ours)
	}
	if primary == nil || primary.ID == p.Deployment || p.Created.IsZero() {
		return judgement{}
	}
	if primary.ID == p.Replaced || primary.Undoes || primary.Created.Before(p.Created) {
		return judgement{Failed, BreakerTripped, []Reason{reason("the scheduler went back to deployment %s", primary.ID)}}
	}
	return judgement{Stopped, Superseded, []Reason{reason("deployment %s took the place of %s", primary.ID, p.Deployment)}}
}

func gaveUp(d Deployment) judgement {
	why := reason("the scheduler gave up deployment %s", d.ID)
	if d.Reason != "" {
		why += Reason(": " + d.Reason)
	}
	return judgement{Failed, BreakerTripped, []Reason{why}}
}

// evident tells what the evidence says of the deployment that this rollout started.
func evident(want Desired, seen Observed, policy Policy, now time.Time) judgement {
	if want.Progress.Deployment == "" {
		return judgement{}
	}
	return condemn(seen, "new", policy, now.Sub(want.Progress.Changed))
}

// condemn tells from the evidence that the primary deployment cannot succeed. Of a rollout and of its rollback it is told
// by the same rules; kind is what their tasks are called. Idle is for how long nothing has changed.
func condemn(seen Observed, kind string, policy Policy, idle time.Duration) judgement {
	if j := failing(seen, kind); j.verdict != "" {
		return j
	}
	return placeless(seen, policy, idle)
}

// failing tells from the tasks that failed that no attempt will succeed. One sight of what cannot be cured by trying
// again is enough, be that the cause itself or what the target found out about it; else it takes two failed tasks while none is healthy, or as many as make Amazon ECS's circuit
// breaker trip: half of the tasks, at least three. A single flapping task is none of these.
func failing(seen Observed, kind string) judgement {
	for _, e := range seen.Evidence {
		if e.New && (e.Final || terminal[e.Points]) && !placed(seen, e) {
			return judgement{Failed, Diagnose(seen.Evidence).Cause, []Reason{Reason(Diagnose(seen.Evidence).Summary)}}
		}
	}
	failed, desired := failedTasks(seen.Evidence), 0
	if primary := seen.Primary(); primary != nil {
		desired = primary.Desired
	}
	healthy := healthyTasks(seen)
	enough := max(3, int(math.Ceil(float64(desired)/2)))
	if failed >= enough || failed >= 2 && healthy == 0 && seen.Ref.Depth.Has(Tasks) {
		lost := count(failed, kind+" task has failed", kind+" tasks have failed")
		why := reason("%s and %s healthy", lost, count(healthy, "is", "are"))
		if healthy == 0 {
			why = reason("%s and none is healthy", lost)
		}
		return judgement{Failed, Diagnose(seen.Evidence).Cause, []Reason{why, Reason(Diagnose(seen.Evidence).Summary)}}
	}
	return judgement{}
}

// placed reports that a complaint about placing tasks is out of date: a task has found its place since.
func placed(seen Observed, e Evidence) bool {
	primary := seen.Primary()
	return e.Kind == NoPlace && primary != nil && (primary.Pending > 0 || primary.Running >= primary.Desired)
}

func failedTasks(evidence []Evidence) int {
	tasks := map[TaskID]bool{}
	for _, e := range evidence {
		if e.Counts() {
			tasks[e.Task] = true
		}
	}
	return len(tasks)
}

// settled is how long a task that nothing checks must have been running before it is taken for healthy here. Amazon ECS
// itself waits for 40 s.
const settled = 10 * time.Second

// healthyTasks counts the tasks of the primary deployment that are healthy by every check there is. An older deployment
// may run the same revision: its tasks don't count, as far as they can be told from each other.
func healthyTasks(seen Observed) int {
	primary := seen.Primary()
	if primary == nil {
		return 0
	}
	targets, all := map[TaskID]bool{}, true
	for _, t := range seen.Targets {
		was, known := targets[t.Task]
		targets[t.Task] = t.State == TargetHealthy && (was || !known)
		all = all && t.State == TargetHealthy && t.Task == "" // then it doesn't matter which of them is whose
	}
	n := 0
	for _, t := range seen.Tasks {
		if t.Revision != primary.Revision || t.Status != TaskRunning || t.Deployment != "" && t.Deployment != primary.ID {
			continue
		}
		well := t.Health == Healthy || t.Health == Unchecked && (len(seen.Targets) > 0 || seen.At.Sub(t.Started) >= settled)
		if well && (all || targets[t.ID]) {
			n++
		}
	}
	return n
}

// placeless tells that tasks find no place and nothing will make room for them. While old tasks hold theirs it pays to
// wait: they may be draining.
func placeless(seen Observed, policy Policy, idle time.Duration) judgement {
	primary := seen.Primary()
	if primary == nil || primary.Pending > 0 || primary.Running >= primary.Desired {
		return judgement{}
	}
	patience := policy.NoPlace
	for _, d := range seen.Deployments {
		if !d.Primary && d.Running+d.Pending > 0 {
			patience = policy.Stall
		}
	}
	for _, e := range seen.Evidence {
		if e.New && e.Kind == NoPlace && idle >= patience {
			d := Diagnose(seen.Evidence)
			return judgement{Failed, d.Cause, []Reason{Reason(d.Summary), "nothing has changed since"}}
		}
	}
	return judgement{}
}

// failedChecks tells that the project's checks fail although everything runs.
func failedChecks(want Desired, seen Observed, policy Policy, now time.Time) judgement {
	p := want.Progress
	if p.Failing.IsZero() || now.Sub(p.Failing) < policy.CheckPatience {
		return judgement{}
	}
	return judgement{Failed, checksCause(seen), unchecked(want, seen)}
}

// checksCause tells an alarm that sounds from the other checks.
func checksCause(seen Observed) Cause {
	for _, r := range seen.Checks {
		if !r.Passed && len(r.Check.Alarms) == 0 {
			return ChecksFail
		}
	}
	return AlarmFired
}

// reached tells that nothing remains to be done.
func reached(want Desired, seen Observed, policy Policy, now time.Time) judgement {
	if steps, reasons := forward(want, seen, policy, now); len(steps) == 0 {
		return judgement{verdict: Proven, reasons: reasons}
	}
	return judgement{}
}

// late tells that the time is up. Where there is evidence of a failure that is the verdict: that it timed out says only
// that nothing is known. What waits for nothing but its bake time is not late.
func late(want Desired, seen Observed, policy Policy, now time.Time) judgement {
	p := want.Progress
	if now.Before(Deadline(p, policy, now)) || !p.Passed.IsZero() {
		return judgement{}
	}
	after := reason("not proven after %s", policy.Timeout)
	for _, e := range seen.Evidence {
		if p.Deployment != "" && e.New && (e.Points != "" || e.Counts()) {
			d := Diagnose(seen.Evidence)
			return judgement{Failed, d.Cause, []Reason{after, Reason(d.Summary)}}
		}
	}
	return judgement{TimedOut, TooSlow, append([]Reason{after}, Unproven(seen, p.Deployment)...)}
}
