package ecs

import (
	"testing"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

func TestTextsPointToTheirCause(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]rollout.Cause{
		"CannotPullContainerError: manifest for web:9 not found: manifest unknown":                                                                                                                       rollout.ImageMissing,
		"CannotPullContainerError: failed to resolve ref 123.dkr.ecr.us-east-1.amazonaws.com/web:9: 123.dkr.ecr/web:9: not found":                                                                        rollout.ImageMissing,
		"CannotPullContainerError: pull access denied for web, repository does not exist or may require 'docker login': denied: requested":                                                               rollout.ImageMissing,
		"CannotPullECRContainerError: AccessDeniedException: not authorized to perform ecr:GetAuthorizationToken":                                                                                        rollout.PullDenied,
		"CannotPullContainerError: dial tcp: i/o timeout":                                                                                                                                                rollout.PullFailed,
		"CannotPullContainerError: no matching manifest for linux/arm64 in the manifest list entries":                                                                                                    rollout.WrongArchitecture,
		"CannotStartContainerError: exec /app: exec format error":                                                                                                                                        rollout.WrongArchitecture,
		"CannotStartContainerError: executable file not found in $PATH":                                                                                                                                  rollout.CannotStart,
		"OutOfMemoryError: Container killed due to memory usage":                                                                                                                                         rollout.OutOfMemory,
		"ResourceInitializationError: unable to pull secrets or registry auth: ResourceNotFoundException: Secrets Manager can't find it":                                                                 rollout.SecretMissing,
		"ResourceInitializationError: failed to validate logger args: The specified log group does not exist.":                                                                                           rollout.LogGroupMissing,
		"TaskDependencyError: dependency db never became healthy":                                                                                                                                        rollout.DependencyFailed,
		"Task failed container health checks":                                                                                                                                                            rollout.HealthCheck,
		"(service web) (task abc) failed container health checks.":                                                                                                                                       rollout.HealthCheck,
		"Task failed ELB health checks in (target-group arn:aws:x/web/1)":                                                                                                                                rollout.TargetCheck,
		"Essential container in task exited":                                                                                                                                                             "",
		"Scaling activity initiated by (deployment ecs-svc/1)":                                                                                                                                           "",
		"(service web) (deployment ecs-svc/1) deployment failed: alarm detected.":                                                                                                                        rollout.AlarmFired,
		"(service web) (task a) (port 80) is unhealthy in (target-group arn:x/web/1) due to (reason Health checks failed with these codes: [503]).":                                                      rollout.TargetCheck,
		"(service web) (task a) (port 80) is unhealthy in (target-group arn:x/web/1) due to (reason Health checks failed).":                                                                              rollout.WrongPort,
		"(service web) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.":                                 rollout.NoInstances,
		"(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance a) is already using a port required by your task.": rollout.PortTaken,
		"(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance a) has insufficient CPU units available.":          rollout.NoCPU,
		"(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance a) has insufficient memory available.":             rollout.NoMemory,
	} {
		if got := points(text); got != want {
			t.Errorf("%q points to %q, want %q", text, got, want)
		}
	}
}

func TestADependencyIsNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"TaskDependencyError: dependency graph: container ordering dependency [db] for target [web] has timed out.": "db",
		"TaskDependencyError: something else": "",
	} {
		if got := subject(rollout.DependencyFailed, text); got != want {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
}

func TestWhatECSSaysWhileAllIsWellIsNoTrouble(t *testing.T) {
	t.Parallel()
	made := time.Unix(1000, 0)
	seen := rollout.Observed{Deployments: []rollout.Deployment{{ID: "ecs-svc/2", Primary: true, Desired: 2, Created: made}}}
	for _, text := range []string{
		"(service web) has started 2 tasks: (task a) (task b).",
		"(service web) registered 2 targets in (target-group arn:x/web/1)",
		"(service web) has stopped 1 running tasks: (task c).",
		"(service web) stopped 1 pending tasks.",
		"(service web) deregistered 1 targets in (target-group arn:x/web/1)",
		"(service web, taskSet ecs-svc/1) has begun draining connections on 1 tasks.",
		"(service web) (deployment ecs-svc/2) deployment completed.",
		"(service web) has reached a steady state.",
	} {
		seen.Events = append(seen.Events, rollout.Event{At: made.Add(time.Second), Text: text})
	}
	if n := trouble(seen); n != 0 {
		t.Errorf("%d troubles", n)
	}
	for i, text := range []string{
		"(service web) has started 1 tasks: (task d).", // again: more than are desired
		"(service web) is unable to consistently start tasks successfully.",
		"(service web) (task a) failed container health checks.",
		"(service web) has started 1 tasks: (task e). Amazon ECS replaced 1 tasks due to an unhealthy status.",
	} {
		before := trouble(seen)
		seen.Events = append(seen.Events, rollout.Event{At: made.Add(time.Minute), Text: text})
		if trouble(seen) <= before {
			t.Errorf("%d: %q is no trouble", i, text)
		}
	}
}
