package rollout

import (
	"time"

	"github.com/slipway-cd/slipway/descriptor"
)

// ending is what has become of a rollback, and, where it failed, why.
type ending struct {
	undoing Undoing
	cause   Cause
	reasons []Reason
}

// undo returns the steps that remain until a failed rollout is undone, and what has become of that. With no steps the
// second answer is final.
//
// The first deployment of a service that never came up has nothing to go back to. It is left as it is, as Amazon ECS
// itself leaves it: deleting a service takes its load balancer's registration and its name along, and that is for a
// person to decide.
func undo(want Desired, seen Observed, policy Policy, now time.Time) ([]Step, ending) {
	p := want.Progress
	if p.Undoing != NotUndone && p.Undoing != Undo {
		return nil, ending{p.Undoing, p.UndoCause, p.UndoReasons}
	}
	if p.Verdict != Failed || p.Deployment == "" {
		return nil, ending{undoing: NotUndone}
	}
	primary := seen.Primary()
	if p.Cause == ServiceGone || seen.Status != Active || primary == nil {
		return nil, ending{undoing: NothingThere}
	}
	switch id := restorer(p, seen); {
	case id != "" && id == p.Undo:
		return unwind(want, seen, policy, now, id, Undone)
	case id != "":
		return unwind(want, seen, policy, now, id, UndoneBy)
	case !policy.Rollback:
		return nil, ending{undoing: UndoOff}
	case p.Deployment == p.Replaced && !p.Underway && p.Cause != AskedFor && p.Started.Sub(primary.Created) > policy.Timeout:
		return nil, ending{undoing: Untouched}
	}
	to := lastProven(p, p.Deployment)
	if to == nil {
		return nil, ending{undoing: NothingThere}
	}
	back := step(want, Rollback, reason("deployment %s was the last one proven", to.Deployment))
	if p.Cause == AskedFor {
		back.Reasons = []Reason{"a rollback is asked for"}
	}
	back.Deployment, back.To, back.Before = p.Deployment, to, p.Before
	if (seen.Shift != nil || want.Force && want.Document(descriptor.TaskDefinition) == nil) && primary.ID == p.Deployment {
		back.Record = seen.Record // the scheduler sends the traffic back; another deployment would take all the stages again
	}
	return []Step{back, step(want, Unwind)}, ending{undoing: Undo}
}

// restorer returns the deployment that undoes a failed rollout: this rollout's own rollback, or the deployment that the
// scheduler went to by itself; "" while there is none.
func restorer(p Progress, seen Observed) DeploymentID {
	primary := seen.Primary()
	switch {
	case p.Verdict != Failed || p.Deployment == "":
		return ""
	case p.Undo != "":
		return p.Undo
	case primary != nil && primary.ID != p.Deployment && !p.Created.IsZero():
		return primary.ID
	}
	return ""
}

// undoBegan returns since when failures speak against the rollback, by the scheduler's own clock; zero while there is
// none to be seen. A deployment that the scheduler has gone back to is older than that: there, it is the time of the
// newest message.
func undoBegan(p Progress, seen Observed) time.Time {
	d := seen.Deployment(restorer(p, seen))
	switch {
	case d == nil:
		return time.Time{}
	case d.ID != p.Deployment && d.Created.After(p.Created):
		return d.Created
	case len(seen.Events) > 0 && seen.Events[0].At.After(p.Created):
		return seen.Events[0].At
	}
	return p.Created
}

// unwind follows a rollback that has begun.
func unwind(want Desired, seen Observed, policy Policy, now time.Time, id DeploymentID, done Undoing) ([]Step, ending) {
	missing := Unproven(seen, id)
	if len(missing) == 0 {
		return nil, ending{undoing: done}
	}
	if j := judgeUndoing(want, seen, policy, now, id); j.verdict != "" {
		return nil, ending{UndoFailed, j.cause, j.reasons}
	}
	s := step(want, Unwind, missing...)
	s.Deployment = id
	return []Step{s}, ending{undoing: Undo}
}

// judgeUndoing decides whether a rollback that is not proven yet has failed: by what happened to its deployment, by the
// evidence against it under the rules for every rollout, and by the clock.
func judgeUndoing(want Desired, seen Observed, policy Policy, now time.Time, id DeploymentID) judgement {
	p, d, primary := want.Progress, seen.Deployment(id), seen.Primary()
	if d != nil && d.State == Broken {
		return gaveUp(*d)
	}
	lost := d == nil && !p.UndoBegan.IsZero() && primary.Created.After(p.UndoBegan)
	replaced := d != nil && !d.Primary && primary.Created.After(d.Created)
	if primary.ID != p.Deployment && (lost || replaced) { // the scheduler may take a moment to go back from what has failed
		return judgement{Failed, Superseded, []Reason{reason("deployment %s took the place of %s", primary.ID, id)}}
	}
	seen.Evidence = against(seen, id)
	if primary.ID == id && !p.UndoBegan.IsZero() {
		if j := condemn(seen, "restored", policy, now.Sub(p.Changed)); j.verdict != "" {
			return j
		}
	}
	if now.Sub(p.Ended) < policy.RollbackTimeout {
		return judgement{}
	}
	after := reason("not restored after %s", policy.RollbackTimeout)
	if d := Diagnose(seen.Evidence); d.Cause != UnknownCause {
		return judgement{Failed, d.Cause, []Reason{after, Reason(d.Summary)}}
	}
	return judgement{Failed, TooSlow, append([]Reason{after}, Unproven(seen, id)...)}
}

// against returns the evidence if it speaks against the deployment with the id.
func against(seen Observed, id DeploymentID) []Evidence {
	if seen.EvidenceOf != "" && seen.EvidenceOf != id {
		return nil
	}
	return seen.Evidence
}

// lastProven returns the newest deployment that was proven before this rollout changed anything, and is not the one that
// failed.
func lastProven(p Progress, failed DeploymentID) *Proof {
	for _, proof := range p.Base {
		if proof.Deployment != failed {
			return &proof
		}
	}
	return nil
}
