package datachannel

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// mostPending is how many messages wait for an acknowledgement at the most.
const mostPending = 1 << 14

// Pending are the messages that the other side has not acknowledged. Its zero value is ready.
type Pending struct {
	mu   sync.Mutex
	all  map[int64]Message
	none chan struct{} // closed when there are none; nil when nobody waits
}

// Add notes a message that is about to be sent. It returns a fault of the kind Unavailable when too many are not acknowledged.
func (p *Pending) Add(m Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[int64]Message{}
	}
	m.Payload = slices.Clone(m.Payload)
	if len(p.all) >= mostPending {
		return fault.New(fault.Unavailable, "the other side acknowledges nothing")
	}
	p.all[m.Sequence] = m
	return nil
}

// Done forgets what an acknowledgement says has arrived.
func (p *Pending) Done(acknowledgement []byte) {
	var receipt Receipt
	if json.Unmarshal(acknowledgement, &receipt) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, receipt.Sequence)
	if len(p.all) == 0 && p.none != nil {
		close(p.none)
		p.none = nil
	}
}

// Older returns the messages from before a time, in their order.
func (p *Pending) Older(than time.Time) []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []Message
	for _, m := range p.all {
		if m.At.Before(than) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Message) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return list
}

// Wait waits until there are none, but not for ever.
func (p *Pending) Wait(ctx context.Context, most time.Duration) {
	p.mu.Lock()
	if len(p.all) == 0 {
		p.mu.Unlock()
		return
	}
	p.none = make(chan struct{})
	none := p.none
	p.mu.Unlock()
	patience := time.NewTimer(most)
	defer patience.Stop()
	select {
	case <-none:
	case <-patience.C:
	case <-ctx.Done():
	}
}
