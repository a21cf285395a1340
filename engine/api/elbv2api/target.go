package elbv2api

import (
	"context"
	"net/netip"
	"slices"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// RegisterTargets has container instances (by EC2 instance id) or addresses take requests.
func (s *Server) RegisterTargets(_ context.Context, in *v2.RegisterTargetsInput) (*v2.RegisterTargetsOutput, error) {
	err := s.write(func(tx *state.Tx) error {
		g, err := targetGroup(tx.Snapshot, in.TargetGroupArn)
		if err != nil {
			return err
		}
		for _, t := range in.Targets {
			if err := s.register(tx, g, t); err != nil {
				return err
			}
		}
		return nil
	})
	return &v2.RegisterTargetsOutput{}, err
}

func (s *Server) register(tx *state.Tx, g *state.TargetGroup, t types.TargetDescription) error {
	id, port := awsdoc.Or(t.Id, ""), int(awsdoc.Or(t.Port, awsdoc.Or(g.Doc.Port, 0)))
	if old, ok := tx.Target(state.TargetKey(g.ARN, id, port)); ok && old.Draining.IsZero() {
		return nil
	}
	address, zone, err := s.locate(tx.Snapshot, g, id)
	if err != nil {
		return err
	}
	now := s.engine.Now()
	tx.Put(&state.Target{
		Group: g.ARN, ID: id, Port: port, Zone: zone, Address: netip.AddrPortFrom(address, uint16(port)), Registered: now,
		Health: types.TargetHealthStateEnumInitial, Reason: types.TargetHealthReasonEnumRegistrationInProgress, Since: now,
	})
	return nil
}

func (s *Server) locate(snap state.Snapshot, g *state.TargetGroup, id string) (netip.Addr, string, error) {
	if g.Doc.TargetType == types.TargetTypeEnumIp {
		address, err := netip.ParseAddr(id)
		if err != nil {
			return netip.Addr{}, "", validation("'%s' is not a valid IP address", id)
		}
		return address, zoneOf(snap, address), nil
	}
	for i := range snap.AllInstances() {
		if awsdoc.Or(i.Doc.Ec2InstanceId, "") == id {
			return i.Address, i.Zone, nil
		}
	}
	return netip.Addr{}, "", &types.InvalidTargetException{Message: awsdoc.Text("The following targets are not in a running state and cannot be registered: '%s'", id)}
}

// zoneOf is the zone of the task that has the address; "all", as AWS says of addresses outside, when there is none.
func zoneOf(snap state.Snapshot, address netip.Addr) string {
	for t := range snap.AllTasks() {
		if t.Alive() && t.Address == address {
			return t.Zone
		}
	}
	return "all"
}

// DeregisterTargets has targets take no more requests; they drain for the deregistration delay.
func (s *Server) DeregisterTargets(_ context.Context, in *v2.DeregisterTargetsInput) (*v2.DeregisterTargetsOutput, error) {
	err := s.write(func(tx *state.Tx) error {
		g, err := targetGroup(tx.Snapshot, in.TargetGroupArn)
		if err != nil {
			return err
		}
		for _, t := range slices.Collect(tx.Targets(g.ARN)) {
			if named(in.Targets, t) && t.Draining.IsZero() {
				changed := *t
				changed.Draining = s.engine.Now()
				changed.Health, changed.Reason = types.TargetHealthStateEnumDraining, types.TargetHealthReasonEnumDeregistrationInProgress
				changed.Description, changed.Since = "Target deregistration is in progress", changed.Draining
				tx.Put(&changed)
			}
		}
		return nil
	})
	return &v2.DeregisterTargetsOutput{}, err
}

// named reports whether a target is among those described; a description without a port means all ports of the id.
func named(list []types.TargetDescription, t *state.Target) bool {
	return slices.ContainsFunc(list, func(d types.TargetDescription) bool {
		return awsdoc.Or(d.Id, "") == t.ID && (d.Port == nil || int(*d.Port) == t.Port)
	})
}

// DescribeTargetHealth tells the health of the targets of a group, or of those named.
func (s *Server) DescribeTargetHealth(_ context.Context, in *v2.DescribeTargetHealthInput) (*v2.DescribeTargetHealthOutput, error) {
	snap := s.read()
	g, err := targetGroup(snap, in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	out := &v2.DescribeTargetHealthOutput{TargetHealthDescriptions: []types.TargetHealthDescription{}}
	for t := range snap.Targets(g.ARN) {
		if len(in.Targets) == 0 || named(in.Targets, t) {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, health(g, t))
		}
	}
	for _, d := range in.Targets {
		known := slices.ContainsFunc(out.TargetHealthDescriptions, func(h types.TargetHealthDescription) bool { return *h.Target.Id == awsdoc.Or(d.Id, "") })
		if !known {
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, types.TargetHealthDescription{Target: &d, TargetHealth: &types.TargetHealth{
				State: types.TargetHealthStateEnumUnused, Reason: types.TargetHealthReasonEnumNotRegistered,
				Description: awsdoc.Text("Target is not registered to the target group"),
			}})
		}
	}
	return out, nil
}

func health(g *state.TargetGroup, t *state.Target) types.TargetHealthDescription {
	port := int32(t.Port)
	d := types.TargetHealthDescription{
		Target:       &types.TargetDescription{Id: &t.ID, Port: &port},
		TargetHealth: &types.TargetHealth{State: t.Health, Reason: t.Reason},
		AdministrativeOverride: &types.AdministrativeOverride{
			State: types.TargetAdministrativeOverrideStateEnumNoOverride, Reason: types.TargetAdministrativeOverrideReasonEnumNoOverrideEngaged,
			Description: awsdoc.Text("No override is currently active on target"),
		},
	}
	if g.Doc.TargetType == types.TargetTypeEnumIp && t.Zone != "" {
		d.Target.AvailabilityZone = &t.Zone
	}
	if t.Description != "" {
		d.TargetHealth.Description = &t.Description
	}
	d.HealthCheckPort = awsdoc.Text("%d", port)
	if p := awsdoc.Or(g.Doc.HealthCheckPort, ""); p != "" && p != "traffic-port" {
		d.HealthCheckPort = &p
	}
	return d
}
