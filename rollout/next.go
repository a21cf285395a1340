package rollout

import (
	"slices"
	"time"

	"github.com/slipway-cd/slipway/descriptor"
)

// Next returns the steps that remain until what is wanted is proven, or, once it has failed, until that is undone; the
// verdict as far as there is one; and why. A verdict other than Moving with no steps is the end.
//
// Next forgets nothing that Progress remembers and needs nothing else: asked again by another process after a kill, it
// goes on where the first one was. A failed rollout never starts another.
func Next(want Desired, seen Observed, policy Policy, now time.Time) (steps []Step, verdict Verdict, reasons []Reason) {
	policy = policy.Filled()
	want = Remember(want, seen, policy, now)
	p := want.Progress
	if p.Verdict != Moving {
		steps, _ := undo(want, seen, policy, now)
		return steps, p.Verdict, p.Reasons
	}
	steps, reasons = forward(want, seen, policy, now)
	return steps, Moving, reasons
}

// forward returns the steps that remain while nothing has failed.
func forward(want Desired, seen Observed, policy Policy, now time.Time) ([]Step, []Reason) {
	if want.Progress.Deployment != "" {
		steps := finish(want, seen, policy, now)
		if len(steps) == 0 {
			return nil, []Reason{"everything runs, is healthy and has stayed so"}
		}
		return steps, steps[0].Reasons
	}
	switch seen.Status {
	case Missing:
		return create(want, seen, policy, nil, "the service does not exist")
	case Draining:
		wait := step(want, Vacate, "a deleted service of the same name still has tasks")
		return create(want, seen, policy, []Step{wait}, "the service was deleted")
	case Active:
	}
	return change(want, seen, policy)
}

func create(want Desired, seen Observed, policy Policy, first []Step, why Reason) ([]Step, []Reason) {
	register, revision := revise(want, seen)
	c := step(want, Create, why)
	c.Document, c.Content, c.Revision = descriptor.ServiceDefinition, want.Document(descriptor.ServiceDefinition), revision
	steps := append(append(first, register...), c)
	return append(steps, tail(want, policy)...), []Reason{why}
}

// change updates a service that exists, or follows what is on its way already, or finds nothing to do.
func change(want Desired, seen Observed, policy Policy) ([]Step, []Reason) {
	reasons := changes(want, seen)
	if len(reasons) == 0 {
		return adopt(want, seen, policy)
	}
	register, revision := revise(want, seen)
	u := step(want, Update, reasons...)
	u.Document, u.Content, u.Revision = descriptor.ServiceUpdate, want.Document(descriptor.ServiceUpdate), revision
	u.Force = mustForce(want, seen)
	return append(append(register, u), tail(want, policy)...), reasons
}

// adopt follows the primary deployment, which carries what is wanted: an earlier run may have started it and been cut
// off. When it is complete and known to be proven there is nothing to do.
func adopt(want Desired, seen Observed, policy Policy) ([]Step, []Reason) {
	primary := seen.Primary()
	if unchanged(want, seen) {
		return nil, []Reason{"this is what runs already: nothing to change"}
	}
	why := Reason("what is wanted is on its way already")
	if primary.State == Completed {
		why = Reason("what is wanted runs already, and ") + pending(want, seen, *primary)
	}
	steps := tail(want, policy)
	steps[0].Deployment, steps[0].Reasons = primary.ID, []Reason{why}
	return steps, []Reason{why}
}

// pending says of a complete deployment what has yet to be seen of it: that it is proven at all, that it is well now, or
// that it passes the checks again.
func pending(want Desired, seen Observed, primary Deployment) Reason {
	missing := unsettled(seen, primary)
	switch {
	case !provenOnce(seen, primary.ID):
		return "has yet to be proven"
	case len(missing) > 0:
		return "was proven, but " + missing[0]
	case len(want.Checks) == 1:
		return "was proven; its check is asked again"
	}
	return "was proven; its checks are asked again"
}

func provenOnce(seen Observed, id DeploymentID) bool {
	return slices.ContainsFunc(seen.Proven, func(p Proof) bool { return p.Deployment == id })
}

// unchanged reports that what is wanted runs, complete and steady, was proven once, and needs no more checking.
func unchanged(want Desired, seen Observed) bool {
	primary := seen.Primary()
	if primary == nil || primary.State != Completed || len(unsettled(seen, *primary)) > 0 || len(want.Checks) > 0 {
		return false
	}
	return provenOnce(seen, primary.ID)
}

// finish returns what remains once there is a deployment to follow.
func finish(want Desired, seen Observed, policy Policy, now time.Time) []Step {
	steps := tail(want, policy)
	if missing := Unproven(seen, want.Progress.Deployment); len(missing) > 0 {
		steps[0].Deployment, steps[0].Reasons = want.Progress.Deployment, missing
		return steps
	}
	steps = steps[1:]
	if len(want.Checks) > 0 {
		if failing := unchecked(want, seen); len(failing) > 0 {
			steps[0].Reasons = failing
			return steps
		}
		steps = steps[1:]
	}
	if policy.Bake > 0 && !baked(want, seen, policy, now) {
		return steps
	}
	return nil
}

// baked reports that it has stayed proven for long enough. What had run for longer than that before this rollout found
// it needs no more of it.
func baked(want Desired, seen Observed, policy Policy, now time.Time) bool {
	p := want.Progress
	if !p.Passed.IsZero() && now.Sub(p.Passed) >= policy.Bake {
		return true
	}
	primary := seen.Primary()
	return p.Deployment == p.Replaced && primary != nil && now.Sub(primary.Created) >= policy.Timeout+policy.Bake
}

// tail returns the steps that follow every change.
func tail(want Desired, policy Policy) []Step {
	steps := []Step{step(want, Follow)}
	if len(want.Checks) > 0 {
		steps = append(steps, step(want, Probe))
	}
	if policy.Bake > 0 {
		steps = append(steps, step(want, Bake, reason("it has to stay proven for %s", policy.Bake)))
	}
	return steps
}

func step(want Desired, kind StepKind, reasons ...Reason) Step {
	return Step{Kind: kind, Ref: want.Ref, Reasons: reasons}
}

// unchecked returns which of the checks have not passed in their newest try.
func unchecked(want Desired, seen Observed) []Reason {
	results := map[string]CheckResult{}
	for _, r := range seen.Checks {
		results[r.Check.String()] = r
	}
	var missing []Reason
	for _, c := range want.Checks {
		r, asked := results[c.String()]
		switch {
		case r.Passed:
		case !asked:
			missing = append(missing, reason("%s has not been asked", c.Located(seen.Addresses)))
		default:
			missing = append(missing, reason("%s: %s", c.Located(seen.Addresses), r.Text))
		}
	}
	return missing
}
