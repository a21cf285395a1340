package emit

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/state"
)

const serviceAction = "ECS Service Action"

// ofService tells that a service's desired count has changed.
func (m *Emitter) ofService(before, s *state.Service) []bus.Event {
	if before == nil || before.Doc.DesiredCount == s.Doc.DesiredCount {
		return nil
	}
	service, cluster := m.arns(s.ID)
	now := m.engine.Now()
	return m.event(serviceAction, service, now, map[string]any{
		"eventType": "INFO", "eventName": "SERVICE_DESIRED_COUNT_UPDATED", "clusterArn": cluster, "createdAt": stamp(now),
		"desiredCount": s.Doc.DesiredCount,
	})
}

// ofMessages tells the events of a service that are new, oldest first, so far as EventBridge has a name for them. [ECS
// Developer Guide, "Amazon ECS service action events"]
func (m *Emitter) ofMessages(before, after *state.Events) []bus.Event {
	fresh := after.List
	if before != nil && len(before.List) > 0 {
		for i, e := range after.List {
			if aws.ToString(e.Id) == aws.ToString(before.List[0].Id) {
				fresh = after.List[:i]
				break
			}
		}
	}
	var events []bus.Event
	for _, e := range slices.Backward(fresh) {
		events = append(events, m.ofMessage(after.Service, e)...)
	}
	return events
}

// actions are how the service events that EventBridge has a name for read.
var actions = []struct{ text, kind, name string }{
	{"has reached a steady state", "INFO", "SERVICE_STEADY_STATE"},
	{"is unable to consistently start tasks successfully", "WARN", "SERVICE_TASK_START_IMPAIRED"},
	{"is not AZ balanced with ", "INFO", "SERVICE_REBALANCING_STARTED"},
	{"is AZ balanced with ", "INFO", "SERVICE_REBALANCING_COMPLETED"},
	{" to AZ Rebalance: ", "INFO", "TASKS_STARTED"},
	{"is unable to place a task in ", "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE"},
	{"was unable to place a task", "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE"},
	{") has stopped ", "INFO", "TASKS_STOPPED"},
}

func (m *Emitter) ofMessage(key state.ServiceKey, e ecstypes.ServiceEvent) []bus.Event {
	text := aws.ToString(e.Message)
	for _, a := range actions {
		if !strings.Contains(text, a.text) {
			continue
		}
		service, cluster := m.arns(key)
		name := a.name
		if name == "SERVICE_STEADY_STATE" && strings.Contains(text, ", taskSet ") {
			name = "TASKSET_STEADY_STATE"
		}
		detail := map[string]any{"eventType": a.kind, "eventName": name, "clusterArn": cluster, "createdAt": stamp(aws.ToTime(e.CreatedAt))}
		if a.kind == "ERROR" {
			detail["reason"] = placementReason(text)
		}
		return m.event(serviceAction, service, aws.ToTime(e.CreatedAt), detail)
	}
	return nil
}

// lacks are the words of service events for what there is too little of.
var lacks = []struct{ text, reason string }{
	{"insufficient CPU", "RESOURCE:CPU"},
	{"insufficient memory", "RESOURCE:MEMORY"},
	{"already using a port", "RESOURCE:PORTS"},
	{"insufficient GPU", "RESOURCE:GPU"},
	{`error "AGENT"`, "AGENT"},
	{`error "ATTRIBUTE"`, "ATTRIBUTE"},
	{"missing an attribute", "ATTRIBUTE"},
	{"Capacity is unavailable", "RESOURCE:FARGATE"},
	{"No Container Instances were found", "MISSING"},
}

// placementReason is the word that EventBridge has for why a task found no place; the service event's own reason when
// there is none.
func placementReason(text string) string {
	for _, l := range lacks {
		if strings.Contains(text, l.text) {
			return l.reason
		}
	}
	_, reason, _ := strings.Cut(text, "Reason: ")
	return strings.TrimSuffix(reason, ".")
}
