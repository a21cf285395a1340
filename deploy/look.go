package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// How often the closer looks are taken, which cost more calls.
const (
	tasksEvery    = 5 * time.Second  // tasks and targets, while something changes and somebody watches
	evidenceEvery = time.Second      // evidence, while there is trouble
	evidenceQuiet = 30 * time.Second // evidence, while tasks are missing, nothing changes and nobody says why
)

// look observes as closely as the moment asks for. One call is enough while a deployment moves; tasks and targets are
// looked at when its end is in sight or something has changed, evidence is gathered when there is trouble.
func (r *run) look(ctx context.Context) error {
	if r.fresh { // it was looked at just now, and only the checks have been asked since
		r.fresh, r.seen.Checks = false, r.checks
		return nil
	}
	ref := r.ref()
	if err := r.observe(ctx, ref); err != nil {
		return err
	}
	troubled := r.seen.Trouble != r.trouble
	if !r.seen.Ref.Depth.Has(rollout.Tasks) && r.want.Progress.Deployment != "" && (troubled || r.stale()) {
		ref.Depth |= rollout.Tasks
		if err := r.observe(ctx, ref); err != nil {
			return err
		}
	}
	if err := r.inquire(ctx, troubled); err != nil {
		return err
	}
	if !rollout.Settled(r.seen) {
		r.checks = nil // what was answered by tasks that are gone proves nothing
	}
	if len(r.addresses) == 0 {
		r.addresses = r.seen.Addresses
	}
	r.seen.Addresses = r.addresses
	r.seen.Evidence, r.seen.EvidenceOf, r.seen.Checks = r.evidence, r.about, r.checks
	r.stumbles = 0
	return nil
}

// ref says how closely to look first. Documents are compared only until a deployment has been started.
func (r *run) ref() rollout.ServiceRef {
	ref := r.want.Ref
	ref.Depth = rollout.Glance
	p := r.want.Progress
	if !p.Looked {
		ref.Depth |= rollout.Past
	}
	if p.Deployment != "" {
		ref.Wanted, ref.Deployment = nil, p.Deployment
		ref.Depth |= rollout.TasksWhenSettled
		if r.needsAddress() && len(r.addresses) == 0 {
			ref.Depth |= rollout.AddressesWhenSettled
		}
	}
	return ref
}

func (r *run) observe(ctx context.Context, ref rollout.ServiceRef) error {
	seen, err := observe(ctx, r.target, ref)
	if err != nil {
		return err
	}
	r.looks++
	if seen.Ref.Depth.Has(rollout.Tasks) {
		r.tasks, r.targets, r.wholeAt, r.sight = seen.Tasks, seen.Targets, time.Now(), r.want.Progress.Sight
	}
	r.note(seen)
	r.seen = seen
	return nil
}

// stale reports that what is known of the tasks is from before the last change, and not from just now.
func (r *run) stale() bool {
	return r.opts.Watched && r.sight != r.want.Progress.Sight && time.Since(r.wholeAt) >= tasksEvery
}

// inquire gathers evidence when something seems wrong, and now and then while nothing moves.
func (r *run) inquire(ctx context.Context, troubled bool) error {
	about, since, late := r.suspect()
	if about == "" {
		return nil
	}
	if about != r.about {
		r.about, r.evidence, r.askedAt = about, nil, time.Time{}
	}
	now, changed := time.Now(), r.want.Progress.Changed
	d := r.seen.Deployment(about)
	lost := d == nil || !d.Primary || d.State == rollout.Broken
	quiet := now.Sub(changed) >= evidenceQuiet && now.Sub(r.askedAt) >= evidenceQuiet && !rollout.NearEnd(r.seen)
	if !lost && !late && !quiet && (!troubled || now.Sub(r.askedAt) < evidenceEvery) {
		return nil
	}
	ref := r.want.Ref
	ref.Deployment = about
	found, err := r.target.Evidence(ctx, ref, since)
	if err != nil {
		return err
	}
	r.evidence, r.askedAt, r.trouble = found, now, r.seen.Trouble
	return nil
}

// suspect returns the deployment against which evidence is of interest: the one that this rollout started, or, when that
// has failed, the one that undoes it; since when; and whether its time is up. It returns none when there is nothing to
// find out.
func (r *run) suspect() (id rollout.DeploymentID, since time.Time, late bool) {
	p := r.want.Progress
	switch {
	case p.Verdict == rollout.Moving:
		since = p.Started
		if !p.Created.IsZero() {
			since = p.Created // by the scheduler's own clock
		}
		return p.Deployment, since, !time.Now().Before(rollout.Deadline(p, r.policy, time.Now()))
	case p.Undoing == rollout.Undo && !p.UndoBegan.IsZero():
		return r.following(), p.UndoBegan, time.Since(p.Ended) >= r.policy.RollbackTimeout
	}
	return "", time.Time{}, false
}

// stumble decides what an error means: one that may pass is told and tried again for as long as the rollout may take,
// provided that something has been seen before; any other ends the rollout where it is.
func (r *run) stumble(ctx context.Context, err error) error {
	p := r.want.Progress
	within := time.Now().Before(rollout.Deadline(p, r.policy, time.Now())) || p.Undoing == rollout.Undo && time.Since(p.Ended) < r.policy.RollbackTimeout
	throttled := fault.KindOf(err) == fault.Throttled // somebody is there, so it pays to wait from the very beginning
	if !fault.MayPass(err) || !throttled && !p.Looked || !within {
		return err
	}
	r.stumbles++
	if throttled {
		r.slowed = min(max(r.slowed, 1)*slowing, slowed)
	}
	r.emit(Event{Type: Trouble, Text: err.Error() + "; trying again"})
	r.sleep(ctx, scattered(min(r.opts.Pace.Quick<<min(r.stumbles, 10), r.opts.Pace.Slow)))
	return nil
}
