package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// A change is often followed by the next one within its restless time; after that the pauses grow.
const (
	restless = 3 * time.Second
	growth   = 6                      // the pause is this part of the time in which nothing has changed
	nearEnd  = 800 * time.Millisecond // the longest pause when the end may come at any moment
	watching = time.Second            // the pause while all that is left is to see it stay so, or to ask again
)

// pause waits until the next look.
func (r *run) pause(ctx context.Context, step rollout.Step) {
	r.sleep(ctx, r.wait(step, time.Now()))
}

// wait returns how long to wait before the next look: little while things change or the end is near, more the longer
// nothing does.
func (r *run) wait(step rollout.Step, now time.Time) time.Duration {
	p := r.want.Progress
	quick, slow := r.opts.Pace.Quick, r.opts.Pace.Slow
	switch step.Kind {
	case rollout.Bake:
		return max(min(watching, r.policy.Bake-now.Sub(p.Passed)), time.Millisecond)
	case rollout.Probe:
		return max(min(watching, slow), quick)
	}
	idle := now.Sub(p.Changed)
	if idle < restless {
		return quick
	}
	longest := slow
	if rollout.NearEnd(r.seen) {
		longest = min(slow, max(quick, nearEnd))
	}
	return min(max(quick, idle/growth), longest)
}

func (r *run) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
