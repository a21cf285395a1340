package engine

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// TaskSetARN returns the ARN of a task set, which ends with its id.
func (i Identity) TaskSetARN(key state.ServiceKey, id state.DeploymentID) string {
	return i.ARN("ecs", fmt.Sprintf("task-set/%s/%s/%s", key.Cluster, key.Name, id))
}

// NewTaskSet adds a set of tasks to a service whose deployments somebody else controls. The revision says what its tasks
// are; doc says what else is known of the set: its status, scale, names. Its ids and times are filled in here.
func (e *Engine) NewTaskSet(
	tx *state.Tx, service *state.Service, definition *state.TaskDefinition, revision types.ServiceRevision, set state.TaskSet,
) *state.TaskSet {
	now := e.Now()
	number := NewDeploymentNumber()
	rev := e.newRevision(service, definition, revision, number, now)
	d := &state.Deployment{
		ID: DeploymentID(number), Service: service.ID, Status: state.DeploymentStatus(aws.ToString(set.Doc.Status)), Revision: rev.ARN,
		TaskDefinition: definition.TaskDefinitionID, Created: now, Updated: now,
	}
	set.ARN, set.Service, set.Deployment = e.options.Identity.TaskSetARN(service.ID, d.ID), service.ID, d.ID
	doc := &set.Doc
	doc.TaskSetArn, doc.Id = aws.String(set.ARN), aws.String(string(d.ID))
	doc.ServiceArn, doc.ClusterArn, doc.TaskDefinition = rev.Doc.ServiceArn, rev.Doc.ClusterArn, rev.Doc.TaskDefinition
	doc.CreatedAt, doc.UpdatedAt, doc.StabilityStatusAt = &now, &now, &now
	doc.StabilityStatus = types.StabilityStatusStabilizing
	tx.Put(rev)
	tx.Put(d)
	tx.Put(&set)
	return &set
}

// SetPrimary makes a task set the PRIMARY one of its service: what it fixes, the service is described with. The one that
// was is ACTIVE from now on.
func (e *Engine) SetPrimary(tx *state.Tx, service *state.Service, set *state.TaskSet) *state.TaskSet {
	now := e.Now()
	var primary *state.TaskSet
	for _, other := range slices.Collect(tx.TaskSets(service.ID)) {
		status := aws.ToString(other.Doc.Status)
		switch {
		case other.ARN == set.ARN:
			status = string(state.Primary)
		case status == string(state.Primary):
			status = string(state.Active)
		default:
			continue
		}
		changed := *other
		changed.Doc.Status, changed.Doc.UpdatedAt = &status, &now
		tx.Put(&changed)
		if d, ok := tx.Deployment(other.Deployment); ok {
			moved := *d
			moved.Status, moved.Updated = state.DeploymentStatus(status), now
			tx.Put(&moved)
		}
		if other.ARN == set.ARN {
			primary = &changed
		}
	}
	tx.Put(withPrimary(service, primary))
	return primary
}

// withPrimary returns the service as it is described when that task set is its PRIMARY one.
func withPrimary(service *state.Service, set *state.TaskSet) *state.Service {
	changed := *service
	doc, from := &changed.Doc, set.Doc
	doc.TaskDefinition, doc.LoadBalancers, doc.ServiceRegistries = from.TaskDefinition, from.LoadBalancers, from.ServiceRegistries
	doc.NetworkConfiguration, doc.LaunchType = from.NetworkConfiguration, from.LaunchType
	doc.CapacityProviderStrategy, doc.PlatformVersion, doc.PlatformFamily = from.CapacityProviderStrategy, from.PlatformVersion, from.PlatformFamily
	return &changed
}
