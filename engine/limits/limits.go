// Package limits counts requests as AWS does: a bucket of tokens for each group of operations of an account.
//
// A request takes a token from its group's bucket and is refused when there is none. A bucket fills again at its own rate
// up to its size. Time comes in as values; the room has no clock.
package limits

import (
	"sync"
	"time"
)

// Limit says how often the operations of one group may be called, all of them together.
type Limit struct {
	Group     string  // what AWS calls the group
	Burst     float64 // tokens that the bucket holds
	PerSecond float64 // tokens that come back each second
}

// Buckets are the buckets of one account, each full at first. They may be used by several goroutines; the zero value is
// ready.
type Buckets struct {
	mu      sync.Mutex
	buckets map[string]bucket // by group
}

// bucket is what a bucket held at one time.
type bucket struct {
	tokens float64
	at     time.Time
}

// Take takes a token for an operation, SERVICE:OPERATION with the service's name in the AWS CLI, and reports whether there
// was one. What AWS states no limit for always may.
func (b *Buckets) Take(action string, now time.Time) bool {
	limit, ok := Of(action)
	if !ok {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buckets == nil {
		b.buckets = map[string]bucket{}
	}
	left, ok := b.buckets[limit.Group].take(limit, now)
	b.buckets[limit.Group] = left
	return ok
}

// Fill fills all buckets.
func (b *Buckets) Fill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.buckets)
}

// take returns the bucket without the token that was taken, if there was one.
func (b bucket) take(limit Limit, now time.Time) (bucket, bool) {
	if b.at.IsZero() {
		b = bucket{limit.Burst, now}
	}
	if now.After(b.at) { // a clock that was set back gives nothing, and takes nothing
		b = bucket{min(limit.Burst, b.tokens+now.Sub(b.at).Seconds()*limit.PerSecond), now}
	}
	if b.tokens < 1 {
		return b, false
	}
	b.tokens--
	return b, true
}
