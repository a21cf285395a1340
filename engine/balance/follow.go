package balance

import (
	"context"
	"crypto/tls"
	"maps"
	"net/netip"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// retryTime is how soon a listener that could not be opened is tried again.
const retryTime = time.Second

// follow makes what runs be what the state wants, whenever that changes, until following ends.
func (b *Balance) follow(following context.Context, changes *state.Watcher) {
	defer changes.Close()
	for {
		ctx, cancel := following, context.CancelFunc(func() {})
		if len(b.Problems()) > 0 {
			ctx, cancel = context.WithTimeout(following, retryTime)
		}
		batch, err := changes.Next(ctx)
		cancel()
		switch {
		case following.Err() != nil:
			return
		case err != nil: // time to try again
			b.serve(b.db.Read())
		default:
			if touched, all := touchedBy(batch); all {
				b.reconcile(b.db.Read(), nil)
			} else if len(touched) > 0 {
				b.reconcile(b.db.Read(), touched)
			}
		}
	}
}

// touchedBy returns the groups whose targets have changed; all says that more than targets has.
func touchedBy(batch []state.Change) (touched map[string]bool, all bool) {
	touched = map[string]bool{}
	for _, c := range batch {
		switch c.Kind {
		case state.KindBalancer:
			all = all || !stateOnly(c)
		case state.KindClassicBalancer, state.KindListener, state.KindRule, state.KindTargetGroup:
			all = true
		case state.KindTarget:
			for _, r := range []state.Record{c.Before, c.After} {
				if t, ok := r.(*state.Target); ok {
					touched[t.Group] = true
				}
			}
		}
	}
	return touched, all
}

// stateOnly reports whether nothing but the state of a load balancer has changed, which is our own doing.
func stateOnly(c state.Change) bool {
	before, ok1 := c.Before.(*state.Balancer)
	after, ok2 := c.After.(*state.Balancer)
	return ok1 && ok2 && before.Address == after.Address && maps.Equal(before.Attributes, after.Attributes) &&
		value(before.Doc.State).Code != value(after.Doc.State).Code
}

// reconcile looks at the targets of the touched groups; at everything, sockets included, when touched is nil.
func (b *Balance) reconcile(snap state.Snapshot, touched map[string]bool) {
	if touched != nil {
		for name := range touched {
			b.reconcileGroup(snap, name)
		}
		return
	}
	b.wanted = layoutOf(snap)
	for id := range b.wanted.groups {
		if b.groups[id] == nil {
			b.groups[id] = &group{id: id}
		}
	}
	names := map[string]bool{}
	for t := range snap.AllTargets() {
		names[t.Group] = true
	}
	for name := range b.rosters {
		names[name] = true
	}
	for name := range names {
		b.reconcileGroup(snap, name)
	}
	b.serve(snap)
	for id := range b.groups { // after no table leads there any more
		if _, ok := b.wanted.groups[id]; !ok {
			delete(b.groups, id)
		}
	}
}

// serve opens the sockets that are wanted, gives those that are open their new tables, and closes the others.
func (b *Balance) serve(snap state.Snapshot) {
	for at, s := range b.sockets {
		want, ok := b.wanted.listeners[at]
		if ok && s.settings.same(want) {
			continue
		}
		delete(b.sockets, at)
		s.listener.Close() // at once: the port may be wanted again
		b.work.Go(func() { _ = s.close(b.ctx) })
	}
	failed := map[netip.AddrPort]Problem{}
	maker := forwardMaker{groups: b.groups, log: b.log, buffers: &buffers{}}
	for at, want := range b.wanted.listeners {
		if err := b.serveOne(at, want, maker); err != nil {
			failed[at] = Problem{Balancer: want.Owner, Address: at, Err: err}
		}
	}
	b.mu.Lock()
	for at, p := range failed {
		if _, known := b.failed[at]; !known {
			b.log.Error("a load balancer's listener is not served", "balancer", p.Balancer, "address", at, "error", p.Err)
		}
	}
	b.failed = failed
	b.mu.Unlock()
	b.tellStates(snap, failed)
}

func (b *Balance) serveOne(at netip.AddrPort, want listenerSettings, maker forwardMaker) error {
	table, errs := tableOf(want, maker)
	for _, err := range errs {
		b.log.Warn("a listener's rule is not followed", "balancer", want.Owner, "address", at, "error", err)
	}
	if s, ok := b.sockets[at]; ok {
		s.table.Store(table)
		return nil
	}
	var certificate tls.Certificate
	if want.Protocol.encrypted() {
		var err error
		if certificate, err = certify(want, time.Now()); err != nil {
			return err
		}
	}
	s, err := open(want, table, certificate, b.open, b.log)
	if err != nil {
		return err
	}
	b.sockets[at] = s
	return nil
}

// tellStates writes into the records of load balancers whether they are active or failed.
func (b *Balance) tellStates(snap state.Snapshot, failed map[netip.AddrPort]Problem) {
	reasons := map[string]string{}
	for _, p := range failed {
		reasons[p.Balancer] = p.Err.Error()
	}
	for lb := range snap.Balancers() {
		want := v2.LoadBalancerState{Code: v2.LoadBalancerStateEnumActive}
		if reason, ok := reasons[lb.ARN]; ok {
			want = v2.LoadBalancerState{Code: v2.LoadBalancerStateEnumFailed, Reason: &reason}
		}
		if value(lb.Doc.State).Code == want.Code {
			continue
		}
		b.write(func(tx *state.Tx) {
			if now, ok := tx.Balancer(lb.ARN); ok {
				changed := *now
				changed.Doc.State = &want
				tx.Put(&changed)
			}
		})
	}
}

// write changes the state; it returns false when that could not be stored, which is logged.
func (b *Balance) write(fn func(*state.Tx)) bool {
	err := b.db.Write(func(tx *state.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		b.log.Error("cannot write down what the load balancers found out", "error", err)
	}
	return err == nil
}
