package balance

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/engine/state"
)

// grace is real time that what is in flight has to come to its end, if the delay allows for it: the engine's speed hurries
// AWS's waits, but not the programs of its users.
const grace = 5 * time.Second

// drain sees to it that a deregistered target is gone when its delay has passed: AWS shows it as draining until then,
// even if nothing is in flight. In a group that no listener reaches there is nothing to wait for.
// [Application Load Balancers: Deregistration delay]
func (b *Balance) drain(t *target, record *state.Target, used bool) {
	end, last := record.Draining, record.Draining
	if used {
		end = end.Add(b.scaled(t.settings.Delay))
		last = last.Add(max(b.scaled(t.settings.Delay), min(t.settings.Delay, grace)))
	}
	if t.drainEnd.Equal(end) {
		return
	}
	t.uncheck()
	t.undrain()
	t.drain()
	ctx, cancel := context.WithCancel(b.ctx)
	t.drainEnd, t.stopDrain = end, cancel
	b.tell(t, drainingHealth(record))
	began, lasting := record.Draining, t.settings.Lasting
	b.work.Go(func() {
		defer cancel()
		if !waitUntil(ctx, end, nil) || !lasting && !waitUntil(ctx, last, t.silence()) {
			return
		}
		for !b.endDrain(t, began, lasting) && waitUntil(ctx, time.Now().Add(retryTime), nil) {
		}
	})
}

// endDrain deletes the record of a drained target, unless the drain was taken back, and closes what is left of it, unless
// that is to last. It returns false when the record could not be deleted.
func (b *Balance) endDrain(t *target, began time.Time, lasting bool) bool {
	mine := true
	stored := b.write(func(tx *state.Tx) {
		r, ok := tx.Target(t.key)
		if mine = ok && r.Draining.Equal(began) && r.Registered.Equal(t.registered); mine {
			tx.Delete(r)
		}
	})
	if stored && mine && !lasting {
		t.close()
	}
	return stored
}

// retire ends a target whose record is gone, or means another one now. What is in flight has the group's delay to come
// to its end; the connections of a network load balancer have as long as they want, unless they are to be terminated.
// [Network Load Balancers: Deregistration delay, connection termination]
func (b *Balance) retire(t *target) {
	t.uncheck()
	t.keep()
	t.drain()
	end := time.Now().Add(max(b.scaled(t.settings.Delay), min(t.settings.Delay, grace)))
	if t.settings.Lasting {
		end = time.Now().AddDate(1, 0, 0)
	}
	b.work.Go(func() {
		waitUntil(b.ctx, end, t.silence())
		t.close()
	})
}

// waitUntil waits until end, or until early is closed; it returns false when ctx ends first.
func waitUntil(ctx context.Context, end time.Time, early <-chan struct{}) bool {
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-early:
		return true
	case <-ctx.Done():
		return false
	}
}
