package schedule

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// The beginnings of the statusReasons of service deployments, which a deployment's Because completes, and whole ones.
// [ecs-behaviour 1.7; "stopped" unverified]
const (
	statusRolledBack  = "Service deployment rolled back because "
	statusStopped     = "Service deployment stopped because "
	statusNoCandidate = "No rollback candidate was found to run the rollback."
	statusDeleted     = "Service deployment stopped because the service was deleted."
)

// record keeps the documents of the service deployments that are under way true.
func (p *pass) record() {
	for _, d := range p.all() {
		concerned := d == p.primary || d.Status == state.Active || d.edited || d.RollbackTo == p.primary.ID
		if !concerned || d.ServiceDeployment == "" {
			continue
		}
		is, ok := p.snap.ServiceDeployment(d.ServiceDeployment)
		if !ok || !underway(is.Doc.Status) || p.rolledBackInto(d) {
			continue
		}
		if doc := p.describe(is.Doc, d); !reflect.DeepEqual(doc, is.Doc) {
			doc.UpdatedAt = p.moment()
			p.plan.ServiceDeployments = append(p.plan.ServiceDeployments, &state.ServiceDeployment{ARN: is.ARN, Service: is.Service, Doc: doc})
		}
	}
}

// rolledBackInto reports whether the deployment is PRIMARY again because another one failed: what happens to it then
// belongs to the history of the other.
func (p *pass) rolledBackInto(d *deployment) bool {
	return d == p.primary && !d.Completed.IsZero() && d.inProgress()
}

func underway(s types.ServiceDeploymentStatus) bool {
	switch s {
	case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress, types.ServiceDeploymentStatusStopRequested,
		types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress:
		return true
	default:
		return false
	}
}

// describe returns the document as it should be for the deployment that it is the history of.
func (p *pass) describe(doc types.ServiceDeployment, d *deployment) types.ServiceDeployment {
	p.describeBreaker(&doc, d)
	p.describeAlarms(&doc, d)
	p.describeCounts(&doc, d)
	p.describeTraffic(&doc, d)
	if doc.StartedAt == nil {
		doc.StartedAt = p.moment()
	}
	switch {
	case p.status() != statusActive:
		p.endHistory(&doc, types.ServiceDeploymentStatusStopped, statusDeleted)
	case d.Broken && d.RollbackTo != "":
		p.describeRollback(&doc, d)
	case d.Broken && p.wantedRollback(d):
		p.endHistory(&doc, types.ServiceDeploymentStatusRollbackFailed, statusNoCandidate)
	case d.Broken:
		p.endHistory(&doc, types.ServiceDeploymentStatusStopped, statusStopped+d.Because)
	case d.State == types.DeploymentRolloutStateCompleted:
		p.endHistory(&doc, types.ServiceDeploymentStatusSuccessful, "")
	default:
		doc.Status = types.ServiceDeploymentStatusInProgress
	}
	return doc
}

// wantedRollback reports whether a deployment that failed was to be rolled back, by the option of whatever ended it.
func (p *pass) wantedRollback(d *deployment) bool {
	switch d.Cause {
	case state.CauseBreaker:
		return p.breaker().Rollback
	case state.CauseAlarm:
		a := p.alarms(d)
		return a != nil && a.Rollback
	case state.CauseStop:
		history, ok := p.snap.ServiceDeployment(d.ServiceDeployment)
		return ok && history.Doc.Status != types.ServiceDeploymentStatusStopRequested
	default:
		return true
	}
}

func (p *pass) endHistory(doc *types.ServiceDeployment, status types.ServiceDeploymentStatus, reason string) {
	doc.Status, doc.FinishedAt = status, p.moment()
	if reason != "" {
		doc.StatusReason = aws.String(reason)
	}
	if status == types.ServiceDeploymentStatusStopped {
		doc.StoppedAt = p.moment()
	}
}

// describeRollback tells how the rollback goes: it stays within the service deployment that failed.
func (p *pass) describeRollback(doc *types.ServiceDeployment, d *deployment) {
	base := p.find(d.RollbackTo)
	reason := statusRolledBack + d.Because
	if doc.Rollback == nil {
		doc.Rollback = &types.Rollback{Reason: aws.String(reason), StartedAt: p.moment(), ServiceRevisionArn: aws.String(base.Revision)}
		doc.StatusReason = aws.String(reason)
	}
	switch base.State {
	case types.DeploymentRolloutStateCompleted:
		p.endHistory(doc, types.ServiceDeploymentStatusRollbackSuccessful, reason)
	case types.DeploymentRolloutStateFailed:
		p.endHistory(doc, types.ServiceDeploymentStatusRollbackFailed, reason)
	default:
		doc.Status = types.ServiceDeploymentStatusRollbackInProgress
	}
}

// find returns the deployment with that id; an empty one when nobody remembers it.
func (p *pass) find(id state.DeploymentID) *state.Deployment {
	for _, d := range p.all() {
		if d.ID == id {
			return d.Deployment
		}
	}
	return &state.Deployment{}
}

func (p *pass) describeBreaker(doc *types.ServiceDeployment, d *deployment) {
	c := p.breaker()
	if !c.Enable {
		doc.DeploymentCircuitBreaker = &types.ServiceDeploymentCircuitBreaker{
			Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled,
		}
		return
	}
	status := types.ServiceDeploymentRollbackMonitorsStatusMonitoring
	switch {
	case d.Cause == state.CauseBreaker:
		status = types.ServiceDeploymentRollbackMonitorsStatusTriggered
	case d.Broken || !d.inProgress():
		status = types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	}
	doc.DeploymentCircuitBreaker = &types.ServiceDeploymentCircuitBreaker{
		Status: status, FailureCount: int32(d.Consecutive), Threshold: int32(Threshold(c, p.desired)),
	}
}

// describeCounts counts the tasks of the revision that the service deployment brings, and of those that were there.
func (p *pass) describeCounts(doc *types.ServiceDeployment, target *deployment) {
	target.requested(p.desired, &doc.TargetServiceRevision)
	sources := make([]types.ServiceRevisionSummary, 0, len(doc.SourceServiceRevisions))
	for _, s := range doc.SourceServiceRevisions {
		summary := types.ServiceRevisionSummary{Arn: s.Arn}
		for _, d := range p.all() {
			if d.Revision == aws.ToString(s.Arn) {
				summary = d.summary(p.wanted(d))
			}
		}
		sources = append(sources, summary)
	}
	for _, d := range p.olds {
		if d != target && d.Status == state.Active && !described(sources, d) {
			sources = append(sources, d.summary(d.Wanted))
		}
	}
	if len(sources) > 0 {
		doc.SourceServiceRevisions = sources
	}
}

func described(list []types.ServiceRevisionSummary, d *deployment) bool {
	for _, s := range list {
		if aws.ToString(s.Arn) == d.Revision {
			return true
		}
	}
	return false
}

func (d *deployment) requested(desired int, summary **types.ServiceRevisionSummary) {
	if d.Broken {
		desired = d.Wanted
	}
	s := d.summary(desired)
	*summary = &s
}

// summary counts the tasks of the deployment: RUNNING ones, and those on their way there.
func (d *deployment) summary(requested int) types.ServiceRevisionSummary {
	return types.ServiceRevisionSummary{
		Arn: aws.String(d.Revision), RequestedTaskCount: int32(requested),
		RunningTaskCount: int32(d.count(func(t *task) bool { return t.Last == state.Running })),
		PendingTaskCount: int32(d.count(func(t *task) bool { return t.Last.Before(state.Running) })),
	}
}
