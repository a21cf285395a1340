package elbapi

import (
	"context"
	"net/netip"
	"slices"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// RegisterInstancesWithLoadBalancer has container instances of the engine take requests, on the instance ports of all
// listeners, whatever runs there.
func (s *Server) RegisterInstancesWithLoadBalancer(_ context.Context, in *elb.RegisterInstancesWithLoadBalancerInput) (*elb.RegisterInstancesWithLoadBalancerOutput, error) {
	out := &elb.RegisterInstancesWithLoadBalancerOutput{}
	err := s.change(in.LoadBalancerName, func(tx *state.Tx, b *state.ClassicBalancer) error {
		for _, i := range in.Instances {
			instance, ok := byEC2(tx.Snapshot, awsdoc.Or(i.InstanceId, ""))
			if !ok {
				return noInstance(i)
			}
			for _, l := range b.Doc.ListenerDescriptions {
				s.register(tx, b, instance, int(*l.Listener.InstancePort))
			}
		}
		out.Instances = instances(tx.Snapshot, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) register(tx *state.Tx, b *state.ClassicBalancer, i *state.Instance, port int) {
	group, id := state.ClassicGroup(b.Name), *i.Doc.Ec2InstanceId
	if old, ok := tx.Target(state.TargetKey(group, id, port)); ok && old.Draining.IsZero() {
		return
	}
	now := s.engine.Now()
	tx.Put(&state.Target{
		Group: group, ID: id, Port: port, Zone: i.Zone, Address: netip.AddrPortFrom(i.Address, uint16(port)),
		Registered: now, Health: v2.TargetHealthStateEnumInitial, Reason: v2.TargetHealthReasonEnumRegistrationInProgress, Since: now,
	})
}

func noInstance(i types.Instance) error {
	return &types.InvalidEndPointException{Message: awsdoc.Text("Could not find EC2 instance %s.", awsdoc.Or(i.InstanceId, ""))}
}

func byEC2(snap state.Snapshot, id string) (*state.Instance, bool) {
	for i := range snap.AllInstances() {
		if awsdoc.Or(i.Doc.Ec2InstanceId, "") == id {
			return i, true
		}
	}
	return nil, false
}

// DeregisterInstancesFromLoadBalancer has instances take no more requests.
func (s *Server) DeregisterInstancesFromLoadBalancer(_ context.Context, in *elb.DeregisterInstancesFromLoadBalancerInput) (*elb.DeregisterInstancesFromLoadBalancerOutput, error) {
	out := &elb.DeregisterInstancesFromLoadBalancerOutput{}
	err := s.change(in.LoadBalancerName, func(tx *state.Tx, b *state.ClassicBalancer) error {
		for _, i := range in.Instances {
			found := false
			for _, t := range slices.Collect(tx.Targets(state.ClassicGroup(b.Name))) {
				if t.ID == awsdoc.Or(i.InstanceId, "") {
					found = true
					drain(tx, t, s)
				}
			}
			if !found {
				return noInstance(i)
			}
		}
		out.Instances = instances(tx.Snapshot, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func drain(tx *state.Tx, t *state.Target, s *Server) {
	if t.Draining.IsZero() {
		changed := *t
		changed.Draining = s.engine.Now()
		changed.Health, changed.Reason, changed.Since = v2.TargetHealthStateEnumDraining, v2.TargetHealthReasonEnumDeregistrationInProgress, changed.Draining
		tx.Put(&changed)
	}
}

// DescribeInstanceHealth tells which instances are InService, and why others are not.
func (s *Server) DescribeInstanceHealth(_ context.Context, in *elb.DescribeInstanceHealthInput) (*elb.DescribeInstanceHealthOutput, error) {
	snap := s.engine.DB().Read()
	b, err := find(snap, in.LoadBalancerName)
	if err != nil {
		return nil, err
	}
	out := &elb.DescribeInstanceHealthOutput{InstanceStates: []types.InstanceState{}}
	worst := map[string]types.InstanceState{}
	var ids []string
	for t := range snap.Targets(state.ClassicGroup(b.Name)) {
		if !t.Draining.IsZero() {
			continue
		}
		now := instanceState(t)
		old, seen := worst[t.ID]
		if !seen {
			ids = append(ids, t.ID)
		}
		if !seen || *old.State == "InService" {
			worst[t.ID] = now
		}
	}
	for _, i := range in.Instances { // asked for by name, known or not
		if _, known := worst[awsdoc.Or(i.InstanceId, "")]; !known {
			return nil, noInstance(i)
		}
	}
	for _, id := range ids {
		if len(in.Instances) == 0 || slices.ContainsFunc(in.Instances, func(i types.Instance) bool { return awsdoc.Or(i.InstanceId, "") == id }) {
			out.InstanceStates = append(out.InstanceStates, worst[id])
		}
	}
	return out, nil
}

// instanceState words a target's health as classic load balancers do. [API reference: InstanceState]
func instanceState(t *state.Target) types.InstanceState {
	i := types.InstanceState{InstanceId: &t.ID, State: awsdoc.Text("OutOfService"), ReasonCode: awsdoc.Text("Instance")}
	switch t.Health {
	case v2.TargetHealthStateEnumHealthy:
		i.State, i.ReasonCode, i.Description = awsdoc.Text("InService"), awsdoc.Text("N/A"), awsdoc.Text("N/A")
	case v2.TargetHealthStateEnumInitial:
		i.ReasonCode, i.Description = awsdoc.Text("ELB"), awsdoc.Text("Instance registration is still in progress.")
	default:
		i.Description = awsdoc.Text("Instance has failed at least the UnhealthyThreshold number of health checks consecutively.")
		if t.Description != "" { // the balancer adds to AWS's sentence what the instance answered
			i.Description = &t.Description
		}
	}
	return i
}
