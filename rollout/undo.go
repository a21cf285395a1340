package rollout

import "time"

// undo returns the steps that remain until a failed rollout is undone, and what has become of that. With no steps the
// second answer is final.
//
// The first deployment of a service that never came up has nothing to go back to. It is left as it is, as Amazon ECS
// itself leaves it: deleting a service takes its load balancer's registration and its name along, and that is for a
// person to decide.
func undo(want Desired, seen Observed, policy Policy, now time.Time) ([]Step, Undoing) {
	p := want.Progress
	if p.Undoing != NotUndone && p.Undoing != Undo {
		return nil, p.Undoing
	}
	if p.Verdict != Failed || p.Deployment == "" {
		return nil, NotUndone
	}
	switch primary := seen.Primary(); {
	case p.Cause == ServiceGone || seen.Status != Active || primary == nil:
		return nil, NothingThere
	case p.Undo != "":
		return unwind(want, seen, policy, now, p.Undo, Undone)
	case primary.ID != p.Deployment && !p.Created.IsZero():
		return unwind(want, seen, policy, now, primary.ID, UndoneBy)
	case !policy.Rollback:
		return nil, UndoOff
	case p.Deployment == p.Replaced && !p.Underway && p.Cause != AskedFor && p.Started.Sub(primary.Created) > policy.Timeout:
		return nil, Untouched
	}
	to := lastProven(p, p.Deployment)
	if to == nil {
		return nil, NothingThere
	}
	back := step(want, Rollback, reason("deployment %s was the last one proven", to.Deployment))
	if p.Cause == AskedFor {
		back.Reasons = []Reason{"a rollback is asked for"}
	}
	back.Deployment, back.To, back.Before = p.Deployment, to, p.Before
	return []Step{back, step(want, Unwind)}, Undo
}

// unwind follows a rollback that has begun.
func unwind(want Desired, seen Observed, policy Policy, now time.Time, id DeploymentID, done Undoing) ([]Step, Undoing) {
	missing := Unproven(seen, id)
	if len(missing) == 0 {
		return nil, done
	}
	d, primary := seen.Deployment(id), seen.Primary()
	replaced := d != nil && !d.Primary && primary.Created.After(d.Created)
	if now.Sub(want.Progress.Ended) >= policy.RollbackTimeout || d != nil && d.State == Broken || replaced {
		return nil, UndoFailed
	}
	s := step(want, Unwind, missing...)
	s.Deployment = id
	return []Step{s}, Undo
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
