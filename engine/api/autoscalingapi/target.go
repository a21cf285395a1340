package autoscalingapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"

	as "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// RegisterScalableTarget makes a service scalable within bounds, or changes the bounds. A desired count beyond them is
// brought within.
func (s *Server) RegisterScalableTarget(_ context.Context, in *as.RegisterScalableTargetInput) (*as.RegisterScalableTargetOutput, error) {
	if err := checkNamespace(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	var t *state.ScalableTarget
	err := s.write(func(tx *state.Tx) error {
		if err := activeService(tx.Snapshot, *in.ResourceId); err != nil {
			return err
		}
		t = s.targetFor(tx.Snapshot, in)
		if t.Doc.MinCapacity == nil || t.Doc.MaxCapacity == nil {
			return validation("Both MinCapacity and MaxCapacity must be specified for a new scalable target")
		}
		if low, high := *t.Doc.MinCapacity, *t.Doc.MaxCapacity; low < 0 || low > high {
			return validation("Maximum capacity cannot be less than minimum capacity")
		}
		tx.Put(t)
		s.engine.KeepBounds(tx, t)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &as.RegisterScalableTargetOutput{ScalableTargetARN: t.Doc.ScalableTargetARN}, nil
}

func activeService(snap state.Snapshot, resource string) error {
	key, ok := engine.ServiceOf(resource)
	if !ok {
		return validation("Unsupported service namespace, resource type or scalable dimension: the resource ID %s is not service/CLUSTER/NAME", resource)
	}
	if svc, ok := snap.Service(key); !ok || awsdoc.Or(svc.Doc.Status, "") != "ACTIVE" {
		return validation("ECS service doesn't exist: %s", resource)
	}
	return nil
}

// targetFor returns the target that there is with what the request changes, or a new one.
func (s *Server) targetFor(snap state.Snapshot, in *as.RegisterScalableTargetInput) *state.ScalableTarget {
	t := &state.ScalableTarget{Resource: *in.ResourceId, Tags: in.Tags}
	if old, ok := snap.ScalableTarget(t.Resource); ok {
		t.Doc = old.Doc
		t.Tags = maps.Clone(old.Tags)
		for key, value := range in.Tags {
			if t.Tags == nil {
				t.Tags = map[string]string{}
			}
			t.Tags[key] = value
		}
	} else {
		now := s.engine.Now()
		t.Doc.CreationTime = &now
		t.Doc.ScalableTargetARN = awsdoc.Text("%s", s.engine.Identity().ARN("application-autoscaling", "scalable-target/"+newTargetID()))
		t.Doc.RoleARN = awsdoc.Text("%s", s.engine.Identity().RoleARN(
			"/aws-service-role/ecs.application-autoscaling.amazonaws.com/", "AWSServiceRoleForApplicationAutoScaling_ECSService"))
	}
	awsdoc.Assign(&t.Doc, in)
	if t.Doc.SuspendedState == nil {
		t.Doc.SuspendedState = &types.SuspendedState{
			DynamicScalingInSuspended: new(bool), DynamicScalingOutSuspended: new(bool), ScheduledScalingSuspended: new(bool),
		}
	}
	return t
}

// newTargetID returns what the ARNs of scalable targets end with.
func newTargetID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails [crypto/rand]
	return "0ec5" + hex.EncodeToString(b)
}

// DescribeScalableTargets describes targets by resource, or all.
func (s *Server) DescribeScalableTargets(_ context.Context, in *as.DescribeScalableTargetsInput) (*as.DescribeScalableTargetsOutput, error) {
	if err := checkNamespace(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	snap := s.read()
	var resources []string
	for t := range snap.ScalableTargets() {
		if len(in.ResourceIds) == 0 || slices.Contains(in.ResourceIds, t.Resource) {
			resources = append(resources, t.Resource)
		}
	}
	resources, next, err := page(resources, awsdoc.Ascending, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &as.DescribeScalableTargetsOutput{ScalableTargets: []types.ScalableTarget{}, NextToken: next}
	for _, resource := range resources {
		t, _ := snap.ScalableTarget(resource)
		out.ScalableTargets = append(out.ScalableTargets, t.Doc)
	}
	return out, nil
}

// DeregisterScalableTarget leaves a service's count alone from now on. Its policies, with the alarms that they made, and
// its scheduled actions go with it.
func (s *Server) DeregisterScalableTarget(_ context.Context, in *as.DeregisterScalableTargetInput) (*as.DeregisterScalableTargetOutput, error) {
	return &as.DeregisterScalableTargetOutput{}, s.write(func(tx *state.Tx) error {
		t, err := target(tx.Snapshot, in.ServiceNamespace, in.ScalableDimension, in.ResourceId)
		if err != nil {
			return err
		}
		for _, p := range slices.Collect(tx.ScalingPolicies(t.Resource)) {
			deletePolicy(tx, p)
		}
		for _, a := range slices.Collect(tx.ScheduledActions(t.Resource)) {
			tx.Delete(a)
		}
		tx.Delete(t)
		return nil
	})
}

// DescribeScalingActivities tells what was done with a target, or with all, newest first.
func (s *Server) DescribeScalingActivities(_ context.Context, in *as.DescribeScalingActivitiesInput) (*as.DescribeScalingActivitiesOutput, error) {
	if err := checkNamespace(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	byTime := map[string]types.ScalingActivity{}
	var keys []string
	for list := range s.read().AllScalingActivities() {
		if in.ResourceId != nil && *in.ResourceId != list.Resource {
			continue
		}
		for _, a := range list.List {
			key := a.StartTime.Format("2006-01-02T15:04:05.000000000") + *a.ActivityId
			keys, byTime[key] = append(keys, key), a
		}
	}
	keys, next, err := page(keys, awsdoc.Descending, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &as.DescribeScalingActivitiesOutput{ScalingActivities: []types.ScalingActivity{}, NextToken: next}
	for _, key := range keys {
		out.ScalingActivities = append(out.ScalingActivities, byTime[key])
	}
	return out, nil
}

// tagged returns the target with that ARN: nothing else has tags.
func tagged(snap state.Snapshot, arn *string) (*state.ScalableTarget, error) {
	for t := range snap.ScalableTargets() {
		if *t.Doc.ScalableTargetARN == awsdoc.Or(arn, "") {
			return t, nil
		}
	}
	return nil, &types.ResourceNotFoundException{Message: awsdoc.Text("The resource %s does not exist", awsdoc.Or(arn, "")), ResourceName: arn}
}

// ListTagsForResource lists the tags of a target.
func (s *Server) ListTagsForResource(_ context.Context, in *as.ListTagsForResourceInput) (*as.ListTagsForResourceOutput, error) {
	t, err := tagged(s.read(), in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &as.ListTagsForResourceOutput{Tags: t.Tags}, nil
}

// TagResource adds tags to a target, or gives those that are there other values.
func (s *Server) TagResource(_ context.Context, in *as.TagResourceInput) (*as.TagResourceOutput, error) {
	return &as.TagResourceOutput{}, s.retag(in.ResourceARN, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagResource removes tags from a target by their keys.
func (s *Server) UntagResource(_ context.Context, in *as.UntagResourceInput) (*as.UntagResourceOutput, error) {
	return &as.UntagResourceOutput{}, s.retag(in.ResourceARN, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (s *Server) retag(arn *string, change func(map[string]string)) error {
	return s.write(func(tx *state.Tx) error {
		t, err := tagged(tx.Snapshot, arn)
		if err != nil {
			return err
		}
		changed := *t
		changed.Tags = map[string]string{}
		maps.Copy(changed.Tags, t.Tags)
		if change(changed.Tags); len(changed.Tags) > 50 {
			return &types.TooManyTagsException{Message: awsdoc.Text("A scalable target has at most 50 tags"), ResourceName: arn}
		}
		tx.Put(&changed)
		return nil
	})
}
