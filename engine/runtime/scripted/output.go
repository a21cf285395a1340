package scripted

import (
	"slices"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// most is how many lines are kept of one that is printed again and again: the newest.
const most = 10_000

// printed returns the lines printed after since, up to now or the container's end, in order. The lock is held.
func (r *Runtime) printed(c *container, since, now time.Time) []runtime.Line {
	if c.started.IsZero() {
		return nil
	}
	until := now
	if c.phase == runtime.Exited {
		until = c.ended
	}
	var lines []runtime.Line
	for i, p := range c.script.Output {
		// Lines of the same time are told apart by nanoseconds, in the order of the script.
		first := c.started.Add(r.pace(p.After) + time.Duration(i))
		every, from, count := r.pace(p.Every), 0, 1
		if every > 0 && !until.Before(first) {
			count = int(until.Sub(first)/every) + 1
			from = max(0, count-most)
			if after := since.Sub(first); !since.IsZero() && after > 0 {
				from = max(from, int(after/every))
			}
		}
		for k := from; k < count; k++ {
			at := first.Add(time.Duration(k) * every)
			if at.After(since) && !at.After(until.Add(time.Duration(i))) {
				lines = append(lines, runtime.Line{Time: at, Stderr: p.Stderr, Text: p.Text})
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b runtime.Line) int { return a.Time.Compare(b.Time) })
	return lines
}

// nextLine returns how long it takes until the next line is printed; 0 when none is to come. The lock is held.
func (r *Runtime) nextLine(c *container, now time.Time) time.Duration {
	var next time.Duration
	for i, p := range c.script.Output {
		wait := c.started.Add(r.pace(p.After) + time.Duration(i)).Sub(now)
		if every := r.pace(p.Every); wait <= 0 && every > 0 {
			wait = every - -wait%every
		}
		if wait > 0 && (next == 0 || wait < next) {
			next = wait
		}
	}
	return next
}
