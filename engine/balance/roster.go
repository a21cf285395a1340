package balance

import (
	"context"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// reconcileGroup makes the targets of one group be what their records say: which ones take requests, which ones are
// checked, which ones are drained.
func (b *Balance) reconcileGroup(snap state.Snapshot, name string) {
	known := b.rosters[name]
	current := roster{}
	choices := map[groupID][]candidate{}
	for record := range snap.Targets(name) {
		settings, used := b.wanted.groups[groupOf(record)]
		t := known[record.Key()]
		if t == nil || (used && !t.is(record, settings)) {
			t = newTarget(record, settings)
		}
		t.settings.Delay, t.settings.Lasting, t.settings.CutSick = settings.Delay, settings.Lasting, settings.CutSick
		current[t.key] = t
		if record.Draining.IsZero() {
			b.tend(t, settings, used)
			choices[groupOf(record)] = append(choices[groupOf(record)], candidate{t, record.Health})
		}
	}
	b.rosters[name] = current
	if len(current) == 0 {
		delete(b.rosters, name)
	}
	for id, g := range b.groups {
		if belongs(id, name) {
			b.choose(snap, g, choices[id])
		}
	}
	b.letGo(snap, known, current) // now that nobody chooses them any more
}

// choose gives a group its targets to choose from, and cuts off what is connected to those that have fallen ill, if so.
func (b *Balance) choose(snap state.Snapshot, g *group, candidates []candidate) {
	settings := b.wanted.groups[g.id]
	r := settings.Routing
	r.SlowStart = b.scaled(r.SlowStart)
	var ill []*target
	for _, c := range candidates {
		if settings.CutSick && c.known == v2.TargetHealthStateEnumHealthy && c.health == v2.TargetHealthStateEnumUnhealthy {
			ill = append(ill, c.target)
		}
	}
	startSlowly(candidates, r.SlowStart, func(t *target) time.Time {
		record, _ := snap.Target(t.key)
		return record.Since
	})
	g.pool.Store(&pool{targets: choose(candidates, r), routing: r})
	for _, t := range ill { // now that nobody chooses them any more
		t.cut()
	}
}

// letGo begins to drain the targets that were deregistered, and ends those whose records are gone.
func (b *Balance) letGo(snap state.Snapshot, known, current roster) {
	for key, t := range known {
		if current[key] != t {
			b.retire(t)
		}
	}
	for key, t := range current {
		if record, ok := snap.Target(key); ok && !record.Draining.IsZero() {
			_, used := b.wanted.groups[groupOf(record)]
			b.drain(t, record, used)
		}
	}
}

// belongs reports whether a group's targets are kept under that name.
func belongs(id groupID, name string) bool {
	if !isClassic(name) {
		return string(id) == name
	}
	return len(id) > len(name) && string(id[:len(name)]) == name && id[len(name)] == ':'
}

// tend starts and stops the health checks of a target that is not draining.
func (b *Balance) tend(t *target, s groupSettings, used bool) {
	t.keep()
	switch {
	case !used:
		t.uncheck()
		b.tell(t, unused)
	case !s.Checked:
		t.uncheck()
		b.tell(t, unchecked)
	case t.stopCheck == nil || t.check != s.Check:
		t.uncheck()
		ctx, cancel := context.WithCancel(b.ctx)
		t.stopCheck, t.check = cancel, s.Check
		b.work.Go(func() { b.watchHealth(ctx, t, s.Check) })
	}
}

func (t *target) uncheck() {
	if t.stopCheck != nil {
		t.stopCheck()
		t.stopCheck = nil
	}
}

// watchHealth checks a target again and again, at once for the first time, and writes down what changes.
func (b *Balance) watchHealth(ctx context.Context, t *target, c Check) {
	record, ok := b.db.Read().Target(t.key)
	if !ok {
		return
	}
	known := knownHealth(record, c)
	interval := max(b.scaled(c.Interval), time.Millisecond)
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		outcome := b.probe(ctx, record, c)
		if ctx.Err() != nil {
			return
		}
		if !known.starting(outcome, c, time.Since(t.registered)) {
			known = known.after(outcome, c)
		}
		b.tell(t, known)
		select {
		case <-ctx.Done():
			return
		case <-timer.C: // the next check is due an interval after the last one began, however long that took
			timer.Reset(interval)
		}
	}
}

// tell writes a target's health into its record, unless it says so already or means another target by now.
func (b *Balance) tell(t *target, h health) {
	unchanged := func(snap state.Snapshot) (*state.Target, bool) {
		r, ok := snap.Target(t.key)
		return r, !ok || h.ofRecord(r) || !r.Registered.Equal(t.registered) || r.Draining.IsZero() == (h.State == draining.State)
	}
	if _, skip := unchanged(b.db.Read()); skip {
		return
	}
	b.write(func(tx *state.Tx) {
		r, skip := unchanged(tx.Snapshot)
		if skip {
			return
		}
		changed := *r
		if changed.Health != h.State {
			changed.Since = time.Now()
		}
		changed.Health, changed.Reason, changed.Description = h.State, h.Reason, h.Description
		tx.Put(&changed)
	})
}
