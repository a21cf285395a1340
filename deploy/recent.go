package deploy

import (
	"hash/fnv"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// recent knows which lines were read lately. Lines arrive late and out of order: a log driver holds them back for up to 5 s,
// each container's by itself, and CloudWatch Logs takes a moment to find them. So that none is missed, every look begins a
// while before the newest line, and what was seen before is passed over.
type recent struct {
	from   time.Time // nothing from before is of interest
	newest time.Time
	seen   map[uint64]time.Time
}

const (
	lateness   = 10 * time.Second
	mostRecent = 200_000 // lines, some 10 MB: beyond that a line may be told twice
)

func newRecent(from time.Time) *recent { return &recent{from: from, seen: map[uint64]time.Time{}} }

// since says where the next look begins.
func (r *recent) since() time.Time {
	if at := r.newest.Add(-lateness); at.After(r.from) {
		return at
	}
	return r.from
}

// add reports whether the line is new.
func (r *recent) add(line rollout.OutputLine) bool {
	h := fnv.New64a()
	for _, part := range []string{string(line.Task), line.Container, line.ID} {
		_, _ = h.Write([]byte(part)) // never fails
	}
	key := h.Sum64()
	if _, seen := r.seen[key]; seen {
		return false
	}
	if len(r.seen) < mostRecent {
		r.seen[key] = line.Time
	}
	if line.Time.After(r.newest) {
		r.newest = line.Time
	}
	return true
}

// forget lets go of lines that the next look will not find.
func (r *recent) forget() {
	since := r.since()
	for key, at := range r.seen {
		if at.Before(since) {
			delete(r.seen, key)
		}
	}
}
