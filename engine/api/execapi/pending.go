package execapi

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/datachannel"
	"github.com/slipway-cd/slipway/fault"
)

const (
	repeatAfter = 200 * time.Millisecond // without an acknowledgement
	mostPending = 1 << 14                // messages
	lastWords   = 5 * time.Second        // is waited for the last of them
)

// pending are the messages that the client has not acknowledged. Its zero value is ready.
type pending struct {
	mu   sync.Mutex
	all  map[int64]datachannel.Message
	none chan struct{} // closed when there are none; nil when nobody waits
}

// add notes a message that is about to be sent. It returns a fault of the kind Unavailable when too many are not acknowledged.
func (p *pending) add(m datachannel.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[int64]datachannel.Message{}
	}
	m.Payload = slices.Clone(m.Payload)
	if len(p.all) >= mostPending {
		return fault.New(fault.Unavailable, "the client acknowledges nothing")
	}
	p.all[m.Sequence] = m
	return nil
}

// done forgets what an acknowledgement says has arrived.
func (p *pending) done(acknowledgement []byte) {
	var receipt datachannel.Receipt
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

// older returns the messages from before a time, in their order.
func (p *pending) older(than time.Time) []datachannel.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []datachannel.Message
	for _, m := range p.all {
		if m.At.Before(than) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b datachannel.Message) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return list
}

// wait waits until there are none, but not for ever.
func (p *pending) wait(ctx context.Context, most time.Duration) {
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
