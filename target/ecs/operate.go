package ecs

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// remove deletes a service. ECS stops its tasks as it does when it scales in: load balancers first.
func (t *Target) remove(ctx context.Context, step rollout.Step) (rollout.Receipt, error) {
	_, err := t.ecs.DeleteService(ctx, &ecs.DeleteServiceInput{
		Cluster: aws.String(string(step.Ref.Cluster)), Service: aws.String(string(step.Ref.Service)), Force: aws.Bool(true),
	})
	if err != nil {
		return rollout.Receipt{}, t.failed(fmt.Sprintf("delete service %q", step.Ref.Service), err)
	}
	return rollout.Receipt{}, nil
}

// Bounds asks Application Auto Scaling for the service's scalable target. Who may not ask is told of none.
func (t *Target) Bounds(ctx context.Context, ref rollout.ServiceRef) (*rollout.Bounds, error) {
	out, err := t.scaling.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{
		ServiceNamespace: scaling.ServiceNamespaceEcs, ScalableDimension: scaling.ScalableDimensionECSServiceDesiredCount,
		ResourceIds: []string{fmt.Sprintf("service/%s/%s", last(string(ref.Cluster)), last(string(ref.Service)))},
	})
	switch {
	case unavailableToUs(err):
		return nil, nil
	case err != nil:
		return nil, t.failed(fmt.Sprintf("look at the autoscaling of service %q", ref.Service), err)
	case len(out.ScalableTargets) == 0:
		return nil, nil
	}
	target := out.ScalableTargets[0]
	return &rollout.Bounds{Least: int(aws.ToInt32(target.MinCapacity)), Most: int(aws.ToInt32(target.MaxCapacity))}, nil
}

// Revisions lists the active revisions of a service's family, the newest first. Of the first so many it is told when and by
// whom they were registered, and which version they run, which is a call each.
func (t *Target) Revisions(ctx context.Context, seen rollout.Observed, described int) ([]rollout.RevisionReport, error) {
	family, err := t.familyOf(ctx, seen)
	if err != nil {
		return nil, err
	}
	var all []rollout.RevisionReport
	pages := ecs.NewListTaskDefinitionsPaginator(t.ecs, &ecs.ListTaskDefinitionsInput{
		FamilyPrefix: &family, Status: types.TaskDefinitionStatusActive, Sort: types.SortOrderDesc,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, t.failed(fmt.Sprintf("list the revisions of task definition %q", family), err)
		}
		for _, arn := range page.TaskDefinitionArns {
			all = append(all, revisionReport(arn, seen, len(all) == 0))
		}
	}
	for i := range all[:min(described, len(all))] {
		d, err := t.definition(ctx, string(all[i].ID))
		if err != nil {
			return nil, err
		}
		all[i].Version, all[i].Registered, all[i].By = d.version, aws.ToTime(d.RegisteredAt), aws.ToString(d.RegisteredBy)
	}
	return all, nil
}

// familyOf returns the family that a service runs, or that its project names.
func (t *Target) familyOf(ctx context.Context, seen rollout.Observed) (string, error) {
	if seen.Ref.Family != "" {
		return string(seen.Ref.Family), nil
	}
	primary := seen.Primary()
	if primary == nil {
		return "", fault.New(fault.NotFound, "service %q runs no task definition", seen.Ref.Service)
	}
	d, err := t.definition(ctx, string(primary.Revision))
	if err != nil {
		return "", err
	}
	return aws.ToString(d.Family), nil
}

func revisionReport(arn string, seen rollout.Observed, newest bool) rollout.RevisionReport {
	r := rollout.RevisionReport{ID: rollout.RevisionID(arn), Newest: newest}
	for _, d := range seen.Deployments {
		r.Running = r.Running || d.Revision == r.ID
	}
	for _, p := range seen.Proven {
		if p.Revision == r.ID && p.At.After(r.Proven) {
			r.Proven = p.At
		}
	}
	return r
}

// Retire deregisters a revision. What runs it goes on; nothing new can be started of it.
func (t *Target) Retire(ctx context.Context, id rollout.RevisionID) error {
	_, err := t.ecs.DeregisterTaskDefinition(ctx, &ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(string(id))})
	if err != nil {
		return t.failed(fmt.Sprintf("deregister task definition %q", strings.TrimPrefix(last(string(id)), "task-definition/")), err)
	}
	return nil
}

// Versions tells which versions the proven deployments were of.
func (t *Target) Versions(ctx context.Context, proven []rollout.Proof) (map[rollout.RevisionID]string, error) {
	all := map[rollout.RevisionID]string{}
	for _, p := range proven {
		if p.Revision == "" || all[p.Revision] != "" {
			continue
		}
		d, err := t.definition(ctx, string(p.Revision))
		switch kind := fault.KindOf(err); {
		case err == nil:
			all[p.Revision] = d.version
		case kind != fault.Invalid && kind != fault.NotFound: // deleted since: it has no version any more
			return nil, err
		}
	}
	return all, nil
}
