package rollout

import (
	"fmt"
	"strings"
	"time"
)

// Remember returns what is wanted with its progress brought up to date by one look: what was there before, since when
// nothing has changed, since when everything is healthy, and the verdict, which stays once it has fallen.
func Remember(want Desired, seen Observed, policy Policy, now time.Time) Desired {
	policy = policy.Filled()
	p := &want.Progress
	first(p, seen, now)
	if sight := fingerprint(seen); sight != p.Sight {
		p.Sight, p.Changed = sight, now
	}
	p.Planned = max(p.Planned, seen.Planned)
	p.hold(seen, now)
	if d := seen.Deployment(p.Deployment); d != nil && p.Created.IsZero() {
		p.Created = d.Created
	}
	if p.Verdict == Moving {
		well(want, p, seen, now)
		if j := judge(want, seen, policy, now); j.verdict != Moving {
			p.Verdict, p.Cause, p.Reasons, p.Ended = j.verdict, j.cause, j.reasons, now
		}
	}
	if p.Verdict != Moving {
		if p.UndoBegan.IsZero() {
			p.UndoBegan = undoBegan(*p, seen)
		}
		_, end := undo(want, seen, policy, now)
		p.Undoing, p.UndoCause, p.UndoReasons = end.undoing, end.cause, end.reasons
	}
	return want
}

// first notes what was there before this rollout changed anything.
func first(p *Progress, seen Observed, now time.Time) {
	if p.Looked {
		return
	}
	p.Looked, p.Before, p.Base = true, seen.Raw, seen.Proven
	if primary := seen.Primary(); primary != nil {
		p.Replaced, p.Underway = primary.ID, primary.State == InProgress
	}
	if p.Started.IsZero() {
		p.Started = now
	}
	if p.Verdict == "" {
		p.Verdict = Moving
	}
}

// well notes since when everything is healthy and the checks pass.
func well(want Desired, p *Progress, seen Observed, now time.Time) {
	if p.Deployment == "" || len(Unproven(seen, p.Deployment)) > 0 {
		p.Passed, p.Failing = time.Time{}, time.Time{}
		return
	}
	if len(unchecked(want, seen)) == 0 {
		p.Failing = time.Time{}
		since(&p.Passed, now)
		return
	}
	p.Passed = time.Time{}
	if len(seen.Checks) > 0 {
		since(&p.Failing, now)
	}
}

func since(t *time.Time, now time.Time) {
	if t.IsZero() {
		*t = now
	}
}

// fingerprint changes whenever the scheduler's answer does.
func fingerprint(seen Observed) string {
	var b strings.Builder
	fmt.Fprint(&b, seen.Status)
	for _, d := range seen.Deployments {
		fmt.Fprintf(&b, " %s:%t:%s:%d/%d/%d", d.ID, d.Primary, d.State, d.Desired, d.Running, d.Pending)
	}
	if seen.Shift != nil {
		fmt.Fprintf(&b, " %s", seen.Shift)
	}
	return b.String()
}

// After returns what is wanted with its progress brought up to date by a step that was performed.
func After(want Desired, step Step, receipt Receipt) Desired {
	p := &want.Progress
	switch step.Kind {
	case Register:
		p.Revision = receipt.Revision
	case Create, Update:
		p.Deployment = receipt.Deployment
	case Follow:
		if p.Deployment == "" {
			p.Deployment = step.Deployment
		}
	case Rollback:
		p.Undo, p.UndoTo = receipt.Deployment, step.To
	case Vacate, Probe, Bake, Unwind, Resume, Halt, Delete:
	}
	return want
}
