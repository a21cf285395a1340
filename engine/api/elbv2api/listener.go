package elbv2api

import (
	"context"
	"reflect"
	"slices"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateListener opens a port of a load balancer. Its default actions become its default rule.
func (s *Server) CreateListener(_ context.Context, in *v2.CreateListenerInput) (*v2.CreateListenerOutput, error) {
	if port := awsdoc.Or(in.Port, 0); port < 1 || port > 65535 {
		return nil, validation("A listener port must be specified, between 1 and 65535")
	}
	l := &state.Listener{Tags: in.Tags}
	err := s.write(func(tx *state.Tx) error {
		b, err := balancer(tx.Snapshot, in.LoadBalancerArn)
		if err != nil {
			return err
		}
		if err := checkListenerProtocol(b.Doc.Type, in.Protocol); err != nil {
			return err
		}
		if err := checkActions(tx.Snapshot, b.ARN, in.Protocol, in.DefaultActions); err != nil {
			return err
		}
		awsdoc.Assign(&l.Doc, in, "DefaultActions")
		if err := secure(&l.Doc); err != nil {
			return err
		}
		l.Doc.DefaultActions = inFull(in.DefaultActions)
		if old, ok := sameListener(tx.Snapshot, b.ARN, l.Doc); ok {
			l = old
			return nil
		}
		if err := portFree(tx.Snapshot, b.ARN, "", *in.Port); err != nil {
			return err
		}
		l.ARN, l.Balancer = s.arn("listener/"+below(b.ARN)+"/"+newID()), b.ARN
		l.Doc.ListenerArn = &l.ARN
		tx.Put(l)
		s.putDefault(tx, l)
		attach(tx)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.CreateListenerOutput{Listeners: []types.Listener{l.Doc}}, nil
}

// sameListener finds a listener with the same settings: to create it again changes nothing. [API reference: CreateListener]
func sameListener(snap state.Snapshot, balancer string, wanted types.Listener) (*state.Listener, bool) {
	for other := range snap.Listeners(balancer) {
		doc := other.Doc
		doc.ListenerArn = nil
		if reflect.DeepEqual(doc, wanted) {
			return other, true
		}
	}
	return nil, false
}

func portFree(snap state.Snapshot, balancer, except string, port int32) error {
	for other := range snap.Listeners(balancer) {
		if other.ARN != except && awsdoc.Or(other.Doc.Port, 0) == port {
			return &types.DuplicateListenerException{Message: awsdoc.Text("A listener already exists on this port for this load balancer '%s'", balancer)}
		}
	}
	return nil
}

// putDefault keeps the default rule in step with the listener's default actions.
func (s *Server) putDefault(tx *state.Tx, l *state.Listener) {
	yes := true
	r := &state.Rule{ARN: s.arn("listener-rule/" + below(l.ARN) + "/" + newID()), Listener: l.ARN}
	for old := range tx.Rules(l.ARN) {
		if awsdoc.Or(old.Doc.IsDefault, false) {
			r.ARN, r.Tags = old.ARN, old.Tags
		}
	}
	r.Doc = types.Rule{
		RuleArn: &r.ARN, IsDefault: &yes, Priority: awsdoc.Text("default"),
		Actions: l.Doc.DefaultActions, Conditions: []types.RuleCondition{},
	}
	tx.Put(r)
}

// ModifyListener changes a listener; members left out stay as they are.
func (s *Server) ModifyListener(_ context.Context, in *v2.ModifyListenerInput) (*v2.ModifyListenerOutput, error) {
	var changed state.Listener
	err := s.write(func(tx *state.Tx) error {
		l, err := listener(tx.Snapshot, in.ListenerArn)
		if err != nil {
			return err
		}
		if in.Port != nil {
			if err := portFree(tx.Snapshot, l.Balancer, l.ARN, *in.Port); err != nil {
				return err
			}
		}
		changed = *l
		awsdoc.Assign(&changed.Doc, in, "DefaultActions")
		if err := checkChanged(tx.Snapshot, &changed, in.DefaultActions); err != nil {
			return err
		}
		if len(in.DefaultActions) > 0 {
			changed.Doc.DefaultActions = inFull(in.DefaultActions)
		}
		tx.Put(&changed)
		s.putDefault(tx, &changed)
		attach(tx)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.ModifyListenerOutput{Listeners: []types.Listener{changed.Doc}}, nil
}

// checkChanged refuses a protocol that the load balancer, the default actions or the rules cannot live with.
func checkChanged(snap state.Snapshot, l *state.Listener, actions []types.Action) error {
	b, err := balancer(snap, &l.Balancer)
	if err != nil {
		return err
	}
	if err := checkListenerProtocol(b.Doc.Type, l.Doc.Protocol); err != nil {
		return err
	}
	if len(actions) == 0 {
		actions = l.Doc.DefaultActions
	}
	if err := checkActions(snap, b.ARN, l.Doc.Protocol, actions); err != nil {
		return err
	}
	return secure(&l.Doc)
}

// secure sees to it that a listener that ends TLS has a certificate and a policy, and that no other has.
// [API reference: CreateListener, SslPolicy]
func secure(doc *types.Listener) error {
	if doc.Protocol != types.ProtocolEnumHttps && doc.Protocol != types.ProtocolEnumTls {
		doc.Certificates, doc.SslPolicy = nil, nil
		return nil
	}
	if len(doc.Certificates) == 0 {
		return validation("A certificate must be specified for %s listeners", doc.Protocol)
	}
	if doc.SslPolicy == nil {
		doc.SslPolicy = awsdoc.Text("ELBSecurityPolicy-2016-08")
	}
	return nil
}

// DescribeListeners describes the listeners of a load balancer, or those named.
func (s *Server) DescribeListeners(_ context.Context, in *v2.DescribeListenersInput) (*v2.DescribeListenersOutput, error) {
	snap := s.read()
	keys := slices.Clone(in.ListenerArns)
	for _, arn := range keys {
		if _, err := listener(snap, &arn); err != nil {
			return nil, err
		}
	}
	if len(keys) == 0 {
		b, err := balancer(snap, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		for l := range snap.Listeners(b.ARN) {
			keys = append(keys, l.ARN)
		}
	}
	keys, next, err := page(keys, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &v2.DescribeListenersOutput{Listeners: []types.Listener{}, NextMarker: next}
	for _, arn := range keys {
		l, _ := snap.Listener(arn)
		out.Listeners = append(out.Listeners, l.Doc)
	}
	return out, nil
}

// DeleteListener closes a port of a load balancer.
func (s *Server) DeleteListener(_ context.Context, in *v2.DeleteListenerInput) (*v2.DeleteListenerOutput, error) {
	err := s.write(func(tx *state.Tx) error {
		l, err := listener(tx.Snapshot, in.ListenerArn)
		if err == nil {
			deleteListener(tx, l)
			attach(tx)
		}
		return err
	})
	return &v2.DeleteListenerOutput{}, err
}

func deleteListener(tx *state.Tx, l *state.Listener) {
	for _, r := range slices.Collect(tx.Rules(l.ARN)) {
		tx.Delete(r)
	}
	tx.Delete(l)
}
