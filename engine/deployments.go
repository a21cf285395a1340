package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// NewDeployment brings a new revision of a service on its way: its deployment is PRIMARY from now on, the one that was
// is being replaced. The document says what the revision fixes; its ARNs and times are filled in here. The service's
// record must have been put before, with its present wish; the caller sets Changed and TaskDefinition of it.
func (e *Engine) NewDeployment(
	tx *state.Tx, service *state.Service, definition *state.TaskDefinition, doc types.ServiceRevision,
) *state.Deployment {
	now := e.Now()
	number := NewDeploymentNumber()
	shift := schedule.NewShift(tx.Snapshot, service)
	doc.ResolvedConfiguration = schedule.Resolve(tx.Snapshot, service.ID, doc.LoadBalancers, shift != nil)
	rev := e.newRevision(service, definition, doc, number, now)
	history := e.newServiceDeployment(service, rev, now)
	d := &state.Deployment{
		ID: DeploymentID(number), Service: service.ID, Status: state.Primary, Revision: rev.ARN, ServiceDeployment: history.ARN,
		TaskDefinition: definition.TaskDefinitionID, Created: now, Updated: now, State: types.DeploymentRolloutStateInProgress,
		Shift: shift,
	}
	d.Reason = fmt.Sprintf("ECS deployment %s in progress.", d.ID)
	for old := range tx.Deployments(service.ID) {
		if old.Status == state.Primary {
			history.Doc.SourceServiceRevisions = append(history.Doc.SourceServiceRevisions, summary(tx, old))
			supersede(tx, old, now)
		}
	}
	stopUnderway(tx, service.ID, now)
	tx.Put(rev)
	tx.Put(history)
	tx.Put(d)
	return d
}

func (e *Engine) newRevision(
	s *state.Service, definition *state.TaskDefinition, doc types.ServiceRevision, number string, now time.Time,
) *state.Revision {
	rev := &state.Revision{ARN: e.options.Identity.RevisionARN(s.ID, number), Service: s.ID, Doc: doc}
	rev.Doc.ServiceRevisionArn = aws.String(rev.ARN)
	rev.Doc.ServiceArn = aws.String(e.options.Identity.ServiceARN(s.ID))
	rev.Doc.ClusterArn = aws.String(e.options.Identity.ClusterARN(s.ID.Cluster))
	rev.Doc.TaskDefinition = aws.String(e.options.Identity.TaskDefinitionARN(definition.TaskDefinitionID))
	rev.Doc.CreatedAt = &now
	if rev.Doc.ContainerImages == nil {
		for _, c := range definition.Doc.ContainerDefinitions {
			rev.Doc.ContainerImages = append(rev.Doc.ContainerImages, types.ContainerImage{ContainerName: c.Name, Image: c.Image})
		}
	}
	return rev
}

func (e *Engine) newServiceDeployment(s *state.Service, rev *state.Revision, now time.Time) *state.ServiceDeployment {
	arn := e.options.Identity.ServiceDeploymentARN(s.ID, NewServiceDeploymentID())
	return &state.ServiceDeployment{ARN: arn, Service: s.ID, Doc: types.ServiceDeployment{
		ServiceDeploymentArn: aws.String(arn), ServiceArn: rev.Doc.ServiceArn, ClusterArn: rev.Doc.ClusterArn,
		CreatedAt: &now, UpdatedAt: &now, Status: types.ServiceDeploymentStatusPending,
		DeploymentConfiguration: s.Doc.DeploymentConfiguration,
		TargetServiceRevision: &types.ServiceRevisionSummary{
			Arn: aws.String(rev.ARN), RequestedTaskCount: s.Doc.DesiredCount,
		},
		DeploymentCircuitBreaker: breaker(s.Doc.DeploymentConfiguration),
	}}
}

func breaker(c *types.DeploymentConfiguration) *types.ServiceDeploymentCircuitBreaker {
	if c == nil || c.DeploymentCircuitBreaker == nil || !c.DeploymentCircuitBreaker.Enable {
		return &types.ServiceDeploymentCircuitBreaker{Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled}
	}
	return &types.ServiceDeploymentCircuitBreaker{Status: types.ServiceDeploymentRollbackMonitorsStatusMonitoring}
}

func summary(tx *state.Tx, d *state.Deployment) types.ServiceRevisionSummary {
	s := types.ServiceRevisionSummary{Arn: aws.String(d.Revision)}
	for t := range tx.TasksOfDeployment(d.ID) {
		switch {
		case t.Desired == state.Stopped:
			continue
		case t.Last == state.Running:
			s.RunningTaskCount++
		default:
			s.PendingTaskCount++
		}
		s.RequestedTaskCount++
	}
	return s
}

// supersede makes a PRIMARY deployment one that is being replaced.
func supersede(tx *state.Tx, old *state.Deployment, now time.Time) {
	changed := *old
	changed.Status, changed.Updated = state.Active, now
	tx.Put(&changed)
}

// stopUnderway ends the service deployments that have not come to their end: only one is under way at a time.
func stopUnderway(tx *state.Tx, service state.ServiceKey, now time.Time) {
	for history := range tx.ServiceDeployments(service) {
		if !underway(history.Doc.Status) {
			continue
		}
		stopped := *history
		stopped.Doc.Status = types.ServiceDeploymentStatusStopped
		stopped.Doc.StatusReason = aws.String("Service deployment was superseded by a new service deployment.")
		stopped.Doc.StoppedAt, stopped.Doc.FinishedAt, stopped.Doc.UpdatedAt = &now, &now, &now
		tx.Put(&stopped)
	}
}

func underway(s types.ServiceDeploymentStatus) bool {
	switch s {
	case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress,
		types.ServiceDeploymentStatusStopRequested, types.ServiceDeploymentStatusRollbackRequested,
		types.ServiceDeploymentStatusRollbackInProgress:
		return true
	default:
		return false
	}
}

// DeploymentNumber returns the decimal part of a deployment's id, which its revision's ARN ends with.
func DeploymentNumber(id state.DeploymentID) string {
	return strings.TrimPrefix(string(id), "ecs-svc/")
}
