package deploy

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// How often to look is a matter of what can be seen. A scheduler that decides every ten seconds has nothing new to show in
// most of them, and each look is a call of those that AWS counts for the whole account. So the rhythm of its messages says
// when to look: just after it may have decided again, then again within the next seconds, in case it was late. While its
// rhythm is not known, or is quicker than looks should be, the pauses grow with the time in which nothing changes.
const (
	alert    = 1900 * time.Millisecond // the longest pause while what may happen is to be known soon
	unsure   = 900 * time.Millisecond  // the same while the scheduler's rhythm is not known
	patience = 45 * time.Second        // for so long after the last change
	growth   = 15                      // after that the pause is this part of the time in which nothing has changed
	watching = time.Second             // the pause while all that is left is to see it stay so, or to ask again
)

// margins are how long after its rhythm would have it a scheduler is looked at.
var margins = []time.Duration{300 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second}

// pause waits until the next look.
func (r *run) pause(ctx context.Context, step rollout.Step) {
	r.sleep(ctx, r.wait(step, time.Now()))
}

// wait returns how long to wait before the next look.
func (r *run) wait(step rollout.Step, now time.Time) time.Duration {
	p := r.want.Progress
	quick, slow := r.opts.Pace.Quick*time.Duration(max(r.slowed, 1)), r.opts.Pace.Slow
	switch step.Kind {
	case rollout.Bake:
		return max(min(watching, r.policy.Bake-now.Sub(p.Passed)), time.Millisecond)
	case rollout.Probe:
		return max(min(watching, slow), quick)
	}
	idle := now.Sub(p.Changed)
	pause := min(max(quick, idle/2), unsure)
	atOnce := now.Sub(r.actedAt) < 2*quick // a scheduler that had nothing to do may look at what we did at once
	if rhythm := min(rollout.Rhythm(r.seen), slowest); !r.spoke.IsZero() && rhythm > 4*quick && !atOnce {
		pause = max(quick, untilNext(now.Sub(r.spoke), rhythm))
	}
	switch {
	case r.opts.Watched:
		pause = min(pause, alert)
	case idle > patience:
		pause = max(pause, min(idle/growth, slow))
	}
	return pause
}

// By slowing the quickest pause grows with each time that the target asks to slow down, until it is slowed times as long.
const (
	slowing = 2
	slowed  = 16
)

// scattered returns a pause of half to all of d: what was refused together is not to come back together.
func scattered(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// slowest is the rhythm of Amazon ECS: what seems slower has only had little to say.
const slowest = 10 * time.Second

// untilNext returns how long to wait when a scheduler of that rhythm spoke so long ago.
func untilNext(ago, rhythm time.Duration) time.Duration {
	begun := ago.Truncate(rhythm)
	if begun > 0 { // it might have spoken
		for _, margin := range margins {
			if at := begun + margin; at > ago && margin < rhythm {
				return at - ago
			}
		}
	}
	return begun + rhythm + margins[0] - ago
}

// note keeps account of when the scheduler spoke, by our clock. Its messages have its own, which differs from ours by no more
// than the least that it took a message to be seen; of those from before we looked nothing better is known than that the
// clocks agree.
func (r *run) note(seen rollout.Observed) {
	if len(seen.Events) == 0 || seen.Events[0].ID == r.newest {
		return
	}
	newest := seen.Events[0]
	if lag := time.Since(newest.At); r.looks > 1 && (!r.timed || lag < r.lag) {
		r.lag, r.timed = lag, true
	}
	r.newest, r.spoke = newest.ID, newest.At.Add(r.lag)
}

func (r *run) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
