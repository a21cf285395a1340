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

// CreateTargetGroup makes a set of targets. Repeated with the same settings it changes nothing, as with AWS.
func (s *Server) CreateTargetGroup(_ context.Context, in *v2.CreateTargetGroupInput) (*v2.CreateTargetGroupOutput, error) {
	g := &state.TargetGroup{Tags: in.Tags}
	awsdoc.Assign(&g.Doc, in)
	g.Doc.TargetGroupName = in.Name
	defaultGroup(&g.Doc)
	if err := checkGroup(&g.Doc); err != nil {
		return nil, err
	}
	g.Attributes = groupAttributes(g.Doc).defaults()
	err := s.write(func(tx *state.Tx) error {
		for old := range tx.TargetGroups() {
			if *old.Doc.TargetGroupName != *in.Name {
				continue
			}
			if !sameGroup(old.Doc, g.Doc) {
				return &types.DuplicateTargetGroupNameException{Message: awsdoc.Text("A target group with the same name '%s' exists, but with different settings", *in.Name)}
			}
			g = old
			return nil
		}
		g.ARN = s.arn("targetgroup/" + *in.Name + "/" + newID())
		g.Doc.TargetGroupArn = &g.ARN
		tx.Put(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.CreateTargetGroupOutput{TargetGroups: []types.TargetGroup{g.Doc}}, nil
}

func sameGroup(a, b types.TargetGroup) bool {
	for _, doc := range []*types.TargetGroup{&a, &b} { // what is not decided by who creates it
		doc.TargetGroupArn, doc.LoadBalancerArns = nil, nil
	}
	return reflect.DeepEqual(a, b)
}

// ModifyTargetGroup changes how the health of targets is checked.
func (s *Server) ModifyTargetGroup(_ context.Context, in *v2.ModifyTargetGroupInput) (*v2.ModifyTargetGroupOutput, error) {
	changed, err := s.changeGroup(in.TargetGroupArn, func(g *state.TargetGroup) error {
		awsdoc.Assign(&g.Doc, in)
		return checkHealth(&g.Doc)
	})
	if err != nil {
		return nil, err
	}
	return &v2.ModifyTargetGroupOutput{TargetGroups: []types.TargetGroup{changed.Doc}}, nil
}

func (s *Server) changeGroup(arn *string, alter func(*state.TargetGroup) error) (*state.TargetGroup, error) {
	var changed state.TargetGroup
	err := s.write(func(tx *state.Tx) error {
		g, err := targetGroup(tx.Snapshot, arn)
		if err != nil {
			return err
		}
		changed = *g
		if err := alter(&changed); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
	return &changed, err
}

// DescribeTargetGroups describes target groups by ARN, name or load balancer, or all.
func (s *Server) DescribeTargetGroups(_ context.Context, in *v2.DescribeTargetGroupsInput) (*v2.DescribeTargetGroupsOutput, error) {
	snap := s.read()
	for _, arn := range in.TargetGroupArns {
		if _, err := targetGroup(snap, &arn); err != nil {
			return nil, err
		}
	}
	var keys []string
	found := map[string]bool{}
	for g := range snap.TargetGroups() {
		if (len(in.TargetGroupArns) == 0 || slices.Contains(in.TargetGroupArns, g.ARN)) &&
			(len(in.Names) == 0 || slices.Contains(in.Names, *g.Doc.TargetGroupName)) &&
			(in.LoadBalancerArn == nil || slices.Contains(g.Doc.LoadBalancerArns, *in.LoadBalancerArn)) {
			keys, found[*g.Doc.TargetGroupName] = append(keys, g.ARN), true
		}
	}
	for _, name := range in.Names {
		if !found[name] {
			return nil, &types.TargetGroupNotFoundException{Message: awsdoc.Text("One or more target groups not found")}
		}
	}
	keys, next, err := page(keys, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	out := &v2.DescribeTargetGroupsOutput{TargetGroups: []types.TargetGroup{}, NextMarker: next}
	for _, arn := range keys {
		g, _ := snap.TargetGroup(arn)
		out.TargetGroups = append(out.TargetGroups, g.Doc)
	}
	return out, nil
}

// DeleteTargetGroup deletes a target group that no rule forwards to.
func (s *Server) DeleteTargetGroup(_ context.Context, in *v2.DeleteTargetGroupInput) (*v2.DeleteTargetGroupOutput, error) {
	err := s.write(func(tx *state.Tx) error {
		g, ok := tx.TargetGroup(awsdoc.Or(in.TargetGroupArn, ""))
		if !ok {
			return nil
		}
		if len(g.Doc.LoadBalancerArns) > 0 {
			return &types.ResourceInUseException{Message: awsdoc.Text("Target group '%s' is currently in use by a listener or a rule", g.ARN)}
		}
		for _, t := range slices.Collect(tx.Targets(g.ARN)) {
			tx.Delete(t)
		}
		tx.Delete(g)
		return nil
	})
	return &v2.DeleteTargetGroupOutput{}, err
}
