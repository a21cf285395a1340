package emit

import (
	"testing"
)

func TestPlacementReasonsAreEventBridgesWords(t *testing.T) {
	t.Parallel()
	const none = "(service web) was unable to place a task because no container instance met all of its requirements. "
	for text, want := range map[string]string{
		none + "The closest matching (container-instance 1) has insufficient CPU units available. For more information": "RESOURCE:CPU",
		none + "The closest matching (container-instance 1) has insufficient memory available.":                         "RESOURCE:MEMORY",
		none + "The closest matching (container-instance 1) is already using a port required by your task.":             "RESOURCE:PORTS",
		none + `The closest matching (container-instance 1) encountered error "AGENT".`:                                 "AGENT",
		none + "Reason: No Container Instances were found in your cluster.":                                             "MISSING",
		"(service web) was unable to place a task. Reason: Capacity is unavailable at this time.":                       "RESOURCE:FARGATE",
		"(service web) was unable to place a task. Reason: CannotPullContainerError: no such image.":                    "CannotPullContainerError: no such image",
	} {
		if got := placementReason(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestDeploymentReasonsEndAsEventsDo(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{
		"ECS deployment ecs-svc/1 in progress.":                                  "ECS deployment ecs-svc/1 in progress.",
		"ECS deployment circuit breaker: tasks failed to start.":                 "ECS deployment circuit breaker: task failed to start.",
		"ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1": "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.",
		"": "",
	} {
		if got := deploymentReason(reason); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
