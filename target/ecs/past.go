package ecs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/rollout"
)

// History is read one page deep: 100 service deployments, of the 90 days that ECS remembers. Of so many revisions one
// call tells the attributes.
const (
	remembered = 100
	recorded   = 20
)

// past tells which deployments were brought to their end, and the newest one that was not.
func (t *Target) past(ctx context.Context, seen *rollout.Observed, s *service) error {
	out, err := t.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{
		Cluster: s.ClusterArn, Service: s.ServiceArn, MaxResults: aws.Int32(remembered),
	})
	var history []types.ServiceDeploymentBrief
	switch {
	case err == nil:
		history = out.ServiceDeployments
	case !unavailableToUs(err):
		return t.failed(fmt.Sprintf("look at the past deployments of service %q", seen.Ref.Service), err)
	}
	for _, d := range history {
		if d.Status == types.ServiceDeploymentStatusSuccessful {
			record := aws.ToString(d.TargetServiceRevisionArn)
			proof := rollout.Proof{Deployment: deploymentOf(record), Record: record, At: aws.ToTime(d.FinishedAt)}
			if d.StartedAt != nil && d.FinishedAt != nil {
				proof.Took = d.FinishedAt.Sub(*d.StartedAt).Seconds()
			}
			seen.Proven = append(seen.Proven, proof)
		}
	}
	if primary := seen.Primary(); len(seen.Proven) == 0 && primary != nil && primary.State == rollout.Completed {
		// Deployed longer ago than ECS remembers: that it was completed is all there is to know.
		seen.Proven = []rollout.Proof{{Deployment: primary.ID, Revision: primary.Revision}}
	}
	if !seen.Ref.Depth.Has(rollout.Records) {
		return nil
	}
	return t.records(ctx, seen, history)
}

// unavailableToUs reports that the caller may not read history, or that this ECS has none: a rollback then knows only
// what was seen before.
func unavailableToUs(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return false
	}
	switch api.ErrorCode() {
	case "AccessDeniedException", "UnsupportedFeatureException", "UnknownOperationException", "InvalidAction":
		return true
	}
	return false
}

// deploymentOf returns the id of the deployment that a service revision belongs to: both end in the same number.
func deploymentOf(record string) rollout.DeploymentID {
	return rollout.DeploymentID("ecs-svc/" + last(record))
}

// recordOf returns the service revision of a deployment, told from that of another one of the same service.
func recordOf(id rollout.DeploymentID, other string) string {
	return strings.TrimSuffix(other, last(other)) + last(string(id))
}

// records tells which task definitions the proven deployments ran, and the last failure.
func (t *Target) records(ctx context.Context, seen *rollout.Observed, history []types.ServiceDeploymentBrief) error {
	var arns []string
	for _, d := range history {
		if arn := aws.ToString(d.TargetServiceRevisionArn); arn != "" && len(arns) < recorded {
			arns = append(arns, arn)
		}
	}
	if len(arns) == 0 {
		return nil
	}
	revisions, err := t.revisions(ctx, seen.Ref, arns...)
	if err != nil {
		return err
	}
	for i, p := range seen.Proven {
		if r, ok := revisions[p.Record]; ok {
			seen.Proven[i].Revision = rollout.RevisionID(aws.ToString(r.TaskDefinition))
		}
	}
	return t.lastFailure(ctx, seen, history, revisions)
}

// lastFailure tells the newest deployment that was not brought to its end, unless another version has been proven since:
// what went back to a revision that had been proven before is only its undoing.
func (t *Target) lastFailure(ctx context.Context, seen *rollout.Observed, history []types.ServiceDeploymentBrief, revisions map[string]revision) error {
	var ended []types.ServiceDeploymentBrief
	for _, d := range history {
		if d.Status != types.ServiceDeploymentStatusPending && d.Status != types.ServiceDeploymentStatusInProgress {
			ended = append(ended, d)
		}
	}
	undone := false
	if len(ended) > 1 && ended[0].Status == types.ServiceDeploymentStatusSuccessful {
		undone = wentBack(ended, revisions)
		if !undone {
			return nil
		}
		ended = ended[1:]
	}
	if len(ended) == 0 || ended[0].Status == types.ServiceDeploymentStatusSuccessful {
		return nil
	}
	d := ended[0]
	record := aws.ToString(d.TargetServiceRevisionArn)
	failure := &rollout.LastFailure{
		Deployment: deploymentOf(record), Reason: aws.ToString(d.StatusReason), Started: aws.ToTime(d.StartedAt),
		Ended: aws.ToTime(d.FinishedAt), RolledBack: undone || d.Status == types.ServiceDeploymentStatusRollbackSuccessful,
	}
	if undone {
		failure.Reason = "" // ECS says only that something newer took its place
	}
	if failure.Started.IsZero() {
		failure.Started = aws.ToTime(d.CreatedAt)
	}
	if r, ok := revisions[record]; ok {
		failure.Revision = rollout.RevisionID(aws.ToString(r.TaskDefinition))
		definition, err := t.definition(ctx, aws.ToString(r.TaskDefinition))
		if err != nil {
			return err
		}
		failure.Version = definition.version
	}
	seen.LastFailure = failure
	return nil
}

// wentBack reports that the newest deployment runs what an older one than the one before it had proven.
func wentBack(ended []types.ServiceDeploymentBrief, revisions map[string]revision) bool {
	if ended[1].Status == types.ServiceDeploymentStatusSuccessful {
		return false
	}
	task := func(d types.ServiceDeploymentBrief) string {
		return aws.ToString(revisions[aws.ToString(d.TargetServiceRevisionArn)].TaskDefinition)
	}
	for _, d := range ended[2:] {
		if d.Status == types.ServiceDeploymentStatusSuccessful {
			return task(d) != "" && task(d) == task(ended[0])
		}
	}
	return false
}

// addresses tells where the service's load balancers are reached, as host or host:port.
func (t *Target) addresses(ctx context.Context, seen *rollout.Observed, s *service) error {
	for _, b := range s.LoadBalancers {
		ask, name := t.classicAddress, aws.ToString(b.LoadBalancerName)
		if arn := aws.ToString(b.TargetGroupArn); arn != "" {
			ask, name = t.groupAddresses, arn
		}
		found, err := ask(ctx, name)
		if err != nil {
			return t.failed(fmt.Sprintf("look at the load balancer of service %q", seen.Ref.Service), err)
		}
		seen.Addresses = append(seen.Addresses, found...)
	}
	return nil
}
