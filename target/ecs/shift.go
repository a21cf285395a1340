package ecs

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// staged reports that a service's deployments go through stages, which its description does not tell.
func staged(s *service) bool {
	c := s.DeploymentConfiguration
	return c != nil && (c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling || len(c.LifecycleHooks) > 0)
}

// shift tells how far the deployment under way has come, where it goes through stages.
func (t *Target) shift(ctx context.Context, seen *rollout.Observed, s *service) error {
	seen.Planned = planned(s.DeploymentConfiguration)
	record := aws.ToString(s.CurrentServiceDeployment)
	seen.Record = record
	if record == "" || !staged(s) {
		return nil
	}
	d, err := t.serviceDeployment(ctx, seen.Ref, record)
	if err != nil || d == nil {
		return err
	}
	seen.Shift = &rollout.Shift{
		Record: record, Strategy: string(s.DeploymentConfiguration.Strategy), Stage: string(d.LifecycleStage),
		Undoing: undoing(d.Status), Pauses: pauses(d.LifecycleHookDetails),
	}
	if target := d.TargetServiceRevision; target != nil {
		seen.Shift.Production, seen.Shift.Test = target.RequestedProductionTrafficWeight, target.RequestedTestTrafficWeight
	}
	return nil
}

// serviceDeployment describes one; nil when ECS doesn't know it yet, or the caller may not ask.
func (t *Target) serviceDeployment(ctx context.Context, ref rollout.ServiceRef, arn string) (*types.ServiceDeployment, error) {
	out, err := t.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
	switch {
	case unavailableToUs(err):
		return nil, nil
	case err != nil:
		return nil, t.failed(fmt.Sprintf("look at the deployment of service %q", ref.Service), err)
	case len(out.ServiceDeployments) == 0:
		return nil, nil
	}
	return &out.ServiceDeployments[0], nil
}

func undoing(s types.ServiceDeploymentStatus) bool {
	return s == types.ServiceDeploymentStatusRollbackRequested || s == types.ServiceDeploymentStatusRollbackInProgress
}

func pauses(hooks []types.DeploymentLifecycleHookDetail) []rollout.Pause {
	var all []rollout.Pause
	for _, h := range hooks {
		if h.Status == types.DeploymentLifecycleHookStatusAwaitingAction {
			all = append(all, rollout.Pause{ID: aws.ToString(h.HookId), Until: aws.ToTime(h.ExpiresAt), Then: string(h.TimeoutAction)})
		}
	}
	return all
}

// planned is how long a deployment waits because its configuration says so: bake times, and between the steps of a shift.
func planned(c *types.DeploymentConfiguration) time.Duration {
	if c == nil {
		return 0
	}
	wait := minutes(c.BakeTimeInMinutes)
	if l := c.LinearConfiguration; l != nil && aws.ToFloat64(l.StepPercent) > 0 {
		steps := math.Ceil(100 / *l.StepPercent)
		wait += time.Duration(steps-1) * minutes(l.StepBakeTimeInMinutes)
	}
	if canary := c.CanaryConfiguration; canary != nil {
		wait += minutes(canary.CanaryBakeTimeInMinutes)
	}
	return wait
}

func minutes(n *int32) time.Duration { return time.Duration(aws.ToInt32(n)) * time.Minute }

// resume continues a deployment at every pause that it waits at. One that somebody else has continued meanwhile is as wanted.
func (t *Target) resume(ctx context.Context, step rollout.Step) (rollout.Receipt, error) {
	for _, p := range step.Pauses {
		_, err := t.ecs.ContinueServiceDeployment(ctx, &ecs.ContinueServiceDeploymentInput{
			ServiceDeploymentArn: &step.Record, HookId: aws.String(p.ID), Action: types.DeploymentLifecycleHookActionContinue,
		})
		if err != nil {
			return rollout.Receipt{}, t.failed(fmt.Sprintf("continue the deployment of service %q", step.Ref.Service), err)
		}
	}
	return rollout.Receipt{Deployment: step.Deployment}, nil
}

// halt has ECS stop a deployment as it stands.
func (t *Target) halt(ctx context.Context, step rollout.Step) (rollout.Receipt, error) {
	return rollout.Receipt{}, t.stop(ctx, step, types.StopServiceDeploymentStopTypeAbort)
}

func (t *Target) stop(ctx context.Context, step rollout.Step, how types.StopServiceDeploymentStopType) error {
	_, err := t.ecs.StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: &step.Record, StopType: how})
	if err != nil {
		return t.failed(fmt.Sprintf("stop the deployment of service %q", step.Ref.Service), err)
	}
	return nil
}

// shiftBack has ECS send the traffic back to the revision before, which is still there, and then restores the attributes
// of the service that are not of its revisions.
func (t *Target) shiftBack(ctx context.Context, step rollout.Step, s service) (rollout.Receipt, error) {
	if aws.ToString(s.CurrentServiceDeployment) == step.Record {
		d, err := t.serviceDeployment(ctx, step.Ref, step.Record)
		if err != nil {
			return rollout.Receipt{}, err
		}
		if d != nil && !undoing(d.Status) {
			if err := t.stop(ctx, step, types.StopServiceDeploymentStopTypeRollback); err != nil {
				return rollout.Receipt{}, err
			}
		}
	}
	receipt := rollout.Receipt{Deployment: step.To.Deployment}
	back, err := t.outside(step, s)
	if err != nil || len(back.set) == 0 {
		return receipt, err
	}
	document, err := back.document(step)
	if err != nil {
		return receipt, err
	}
	if _, err := t.send(ctx, step.Ref, "", document); err != nil {
		return receipt, fault.New(fault.KindOf(err), "the traffic of service %q goes back, but not all of the service is as before: %w", step.Ref.Service, err)
	}
	return receipt, nil
}

// outside is what a rollback restores of a service besides its revision: what starts no new deployment when it changes.
func (t *Target) outside(step rollout.Step, s service) (restoration, error) {
	back := restoration{set: map[string]json.RawMessage{}}
	before, err := members(step.Before)
	if err != nil {
		return back, err
	}
	now, err := members(s.raw)
	if err != nil || len(before) == 0 {
		return back, err
	}
	for _, name := range []string{"deploymentConfiguration", "healthCheckGracePeriodSeconds", "placementConstraints", "placementStrategy", "propagateTags", "enableECSManagedTags"} {
		back.restoreMember(name, before[name], now[name])
	}
	return back, nil
}

// reasonOf leaves out of an event what everybody knows who sees it: which service it is about, and where AWS's guide is.
func reasonOf(text string) string {
	if _, why, ok := strings.Cut(text, " deployment failed: "); ok {
		return strings.TrimPrefix(why, "Service deployment rolled back because of ")
	}
	text, _, _ = strings.Cut(text, " For more information, see the ")
	if _, said, ok := strings.Cut(text, ") was unable "); ok {
		return "was unable " + said
	}
	return text
}
