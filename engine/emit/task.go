package emit

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/state"
)

// documents writes tasks and container instances, without the lists that AWS leaves out when they are empty.
var documents = awswire.NewDocumentWriter(
	"tags", "ContainerOverride.command", "ContainerOverride.environment", "ContainerOverride.environmentFiles",
	"ContainerOverride.resourceRequirements", "Container.gpuIds", "Container.managedAgents", "Container.networkBindings",
	"Container.neuronDeviceIds", "Task.inferenceAccelerators", "ContainerInstance.gpuDevices", "Resource.stringSetValue",
)

// ofTask tells every version of a task. [ECS Developer Guide, "Amazon ECS task state change events"]
func (m *Emitter) ofTask(snap state.Snapshot, before, t *state.Task) []bus.Event {
	if before != nil && before.Version == t.Version && before.Last == t.Last && before.Desired == t.Desired {
		return nil
	}
	doc := m.ecs.TaskDocument(snap, t)
	doc.Tags = nil
	doc.Attachments = slices.Clone(doc.Attachments)
	for i, a := range doc.Attachments {
		if aws.ToString(a.Type) == "ElasticNetworkInterface" { // DescribeTasks calls it so, events don't
			doc.Attachments[i].Type = aws.String("eni")
		}
	}
	now := m.engine.Now()
	detail, err := with(&doc, map[string]any{"updatedAt": stamp(now)})
	if err != nil {
		m.logger.Error("a task could not be told", "task", t.ID, "error", err)
		return nil
	}
	return m.event("ECS Task State Change", t.ARN, now, detail)
}

// ofInstance tells that a container instance came, was drained, or went. [ECS Developer Guide, "Amazon ECS container instance
// state change events"]
func (m *Emitter) ofInstance(snap state.Snapshot, before, i *state.Instance) []bus.Event {
	if before != nil && before.Doc.Version == i.Doc.Version && aws.ToString(before.Doc.Status) == aws.ToString(i.Doc.Status) &&
		before.Doc.AgentConnected == i.Doc.AgentConnected {
		return nil
	}
	doc := m.ecs.InstanceDocument(snap, i)
	doc.Tags = nil
	now := m.engine.Now()
	more := map[string]any{"updatedAt": stamp(now)}
	if c, ok := snap.Cluster(i.Cluster); ok {
		more["clusterArn"] = aws.ToString(c.Doc.ClusterArn)
	}
	detail, err := with(&doc, more)
	if err != nil {
		m.logger.Error("a container instance could not be told", "instance", i.ID, "error", err)
		return nil
	}
	return m.event("ECS Container Instance State Change", aws.ToString(doc.ContainerInstanceArn), now, detail)
}

// with writes a document with some members that only events have.
func with(doc any, more map[string]any) ([]byte, error) {
	text, err := documents.Write(doc)
	if err != nil {
		return nil, err
	}
	tail, err := json.Marshal(more)
	if err != nil {
		return nil, err
	}
	return append(append(text[:len(text)-1], ','), tail[1:]...), nil
}

// serviceARN returns the ARNs of a service and its cluster.
func (m *Emitter) arns(key state.ServiceKey) (service, cluster string) {
	identity := m.engine.Identity()
	return identity.ServiceARN(key), identity.ClusterARN(key.Cluster)
}

// The deployment states that are told. [ECS Developer Guide, "Amazon ECS deployment state change events"]
var deploymentEvents = map[types.DeploymentRolloutState]struct{ kind, name string }{
	types.DeploymentRolloutStateInProgress: {"INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"},
	types.DeploymentRolloutStateCompleted:  {"INFO", "SERVICE_DEPLOYMENT_COMPLETED"},
	types.DeploymentRolloutStateFailed:     {"ERROR", "SERVICE_DEPLOYMENT_FAILED"},
}

// ofDeployment tells that a deployment began, came to its end, or is what a service is rolled back to.
func (m *Emitter) ofDeployment(before, d *state.Deployment) []bus.Event {
	told, ok := deploymentEvents[d.State]
	if !ok || before != nil && before.State == d.State {
		return nil
	}
	service, _ := m.arns(d.Service)
	return m.event("ECS Deployment State Change", service, m.engine.Now(), map[string]any{
		"eventType": told.kind, "eventName": told.name, "deploymentId": d.ID, "updatedAt": stamp(later(d.Updated, d.Created)),
		"reason": deploymentReason(d.Reason),
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// deploymentReason is the deployment's own reason, but for the words in which events differ: "task failed" for "tasks
// failed", and a full stop at the end. [ecs-behaviour 1.8]
func deploymentReason(reason string) string {
	const failed = "ECS deployment circuit breaker: tasks failed to start."
	switch {
	case reason == failed:
		return "ECS deployment circuit breaker: task failed to start."
	case reason != "" && reason[len(reason)-1] != '.':
		return fmt.Sprintf("%s.", reason)
	}
	return reason
}
