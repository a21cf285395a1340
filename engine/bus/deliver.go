package bus

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// The bounds of deliveries. AWS tries for a day and up to 185 times; here a target that doesn't answer for a few minutes has
// its events dropped, unless its retry policy asks for more.
const (
	maxQueued      = 10_000 // events that wait for one target
	usualRetries   = 10
	mostRetries    = 185
	usualAge       = 24 * time.Hour
	firstWait      = 200 * time.Millisecond // doubles
	longestWait    = 30 * time.Second
	shortestOfWait = time.Millisecond
)

// queueKey names a target: its events arrive in their order.
type queueKey struct{ rule, target string }

type queue struct{ waiting []delivery }

type delivery struct {
	target types.Target
	body   []byte
	at     time.Time
}

// enqueue has an event delivered after those that wait for the same target.
func (b *Bus) enqueue(r *state.EventRule, t types.Target, body []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return
	}
	key := queueKey{r.Name, aws.ToString(t.Id)}
	q, ok := b.queues[key]
	if !ok {
		q = &queue{}
		b.queues[key] = q
		b.running.Go(func() { b.work(key, q) })
	}
	if len(q.waiting) >= maxQueued {
		b.options.Logger.Warn("an event was dropped: too many wait for the target", "rule", key.rule, "target", key.target)
		return
	}
	q.waiting = append(q.waiting, delivery{t, body, time.Now()})
}

// work delivers what waits for a target until nothing does.
func (b *Bus) work(key queueKey, q *queue) {
	for {
		d, ok := b.next(key, q)
		if !ok {
			return
		}
		if err := b.deliver(b.ctx, d); err != nil && b.ctx.Err() == nil {
			b.options.Logger.Warn("an event was dropped: it could not be delivered", "rule", key.rule, "target", key.target, "error", err)
		}
	}
}

func (b *Bus) next(key queueKey, q *queue) (delivery, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(q.waiting) == 0 || b.ctx.Err() != nil {
		delete(b.queues, key)
		return delivery{}, false
	}
	d := q.waiting[0]
	q.waiting = q.waiting[1:]
	return d, true
}

// deliver tries until the target takes the event, or until there have been enough tries.
func (b *Bus) deliver(ctx context.Context, d delivery) error {
	retries, age := usualRetries, usualAge
	if p := d.target.RetryPolicy; p != nil {
		if p.MaximumRetryAttempts != nil {
			retries = min(int(*p.MaximumRetryAttempts), mostRetries)
		}
		if p.MaximumEventAgeInSeconds != nil {
			age = time.Duration(*p.MaximumEventAgeInSeconds) * time.Second
		}
	}
	wait := firstWait
	for try := 0; ; try++ {
		to, err := b.place(b.options.DB.Read(), d.target)
		if err != nil {
			return err
		}
		again, err := to.take(ctx, d.body)
		if err == nil || !again || try >= retries || time.Since(d.at) > age {
			return err
		}
		if !b.pause(ctx, max(time.Duration(float64(wait)/b.options.Speed), shortestOfWait)) {
			return err
		}
		wait = min(2*wait, longestWait)
	}
}

// pause waits; it reports whether there is sense in another try.
func (b *Bus) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-b.stopping:
	case <-ctx.Done():
	}
	return false
}

// newID returns a random UUID.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails [crypto/rand]
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
