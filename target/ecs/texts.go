package ecs

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/slipway-cd/slipway/rollout"
)

// A sign is a text of ECS, its agent, Docker or a registry that points to a cause. The first that is found counts, so
// that what says more comes first. [facts: service events, stopped tasks, container errors of the ECS agent]
type sign struct {
	text  *regexp.Regexp
	cause rollout.Cause
}

var signs = sync.OnceValue(func() []sign {
	return []sign{
		{like(`exec format error|no matching manifest|platform .*does not match|image operating system|no image found in .* for architecture`), rollout.WrongArchitecture},
		{like(`OutOfMemoryError|OOMKilled`), rollout.OutOfMemory},
		{like(`CannotPull.*(not found|manifest unknown|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN|does not exist|no such image|404)`), rollout.ImageMissing},
		{like(`CannotPull.*(denied|unauthorized|not authorized|no basic auth|forbidden|AccessDenied|UNAUTHORIZED|401|403)|CannotPullContainerAuthError`), rollout.PullDenied},
		{like(`CannotPull|TaskStoppedBeforePullBeginError`), rollout.PullFailed},
		{like(`log group does not exist|ResourceNotFoundException.*log group|failed to (create|validate) logger|CreateLogStream`), rollout.LogGroupMissing},
		{like(`(unable to|cannot) (pull|retrieve|fetch) .*secret|secretsmanager|ssm parameter|invalid ssm|pull secrets`), rollout.SecretMissing},
		{like(`unable to assume|assume(d)? (the )?role|AssumeRole|role .*(not exist|not valid|invalid)`), rollout.RoleWrong},
		{like(`deployment rolled back because .*lifecycle hook`), rollout.HookFailed},
		{like(`not associated with either productionListenerRule|deployment rolled back because of invalid networking configuration`), rollout.BalancerWrong},
		{like(`ContainerNetworkingError|network interface provision|ENI|invalid networking configuration|subnet`), rollout.NetworkWrong},
		{like(`TaskDependencyError|dependency .*(never|failed|did not)`), rollout.DependencyFailed},
		{like(`CannotStartContainerError|CannotCreateContainerError|CannotCreateVolumeError|HostConfigError|InvalidVolumeError|ContainerRuntimeError|DockerTimeoutError`), rollout.CannotStart},
		{like(`failed container health checks`), rollout.HealthCheck},
		{like(`No Container Instances were found`), rollout.NoInstances},
		{like(`insufficient CPU|RESOURCE:CPU`), rollout.NoCPU},
		{like(`insufficient memory|RESOURCE:MEMORY`), rollout.NoMemory},
		{like(`already using a port|RESOURCE:PORTS`), rollout.PortTaken},
		{like(`no container instance met all of its requirements|missing an attribute|ATTRIBUTE`), rollout.Unplaceable},
		{like(`Capacity is unavailable|unable to place a task`), rollout.NoCapacity},
		{like(`unable to stop or start tasks during a deployment because of the service deployment configuration`), rollout.Squeezed},
		{like(`deployment failed: alarm detected`), rollout.AlarmFired},
		{like(`deployment failed`), rollout.BreakerTripped},
		{like(`ResourceInitializationError`), rollout.CannotStart},
	}
})

// Case tells ECS's own words from prose, but Docker and registries don't agree on theirs.
func like(pattern string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + pattern) }

// points returns the cause that a text points to, "" for none.
func points(text string) rollout.Cause {
	if unhealthyTarget().MatchString(text) || strings.Contains(text, "failed ELB health checks") {
		return targetCause(text)
	}
	for _, s := range signs() {
		if s.text.MatchString(text) {
			return s.cause
		}
	}
	return ""
}

// placement are the causes that a task has found no place for.
var placement = map[rollout.Cause]bool{
	rollout.NoInstances: true, rollout.NoCPU: true, rollout.NoMemory: true, rollout.PortTaken: true,
	rollout.Unplaceable: true, rollout.NoCapacity: true,
}

var (
	inEvent = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\((task|instance|port|target-group|elb|deployment|taskSet) ([^)]+)\)`)
	})
	unhealthyTarget = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`is unhealthy in \(`) })
	codes           = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`with these codes: \[(\d{3})`) })
	image           = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?:image|reference|ref|manifest for) "?'?([\w.:/@-]+[\w])`)
	})
	dependency = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`ordering dependency \[([^\]]+)\]`) })
	arn        = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`arn:[\w-]+:(?:secretsmanager|ssm|logs):[\w:/.+=@-]+`)
	})
)

// targetCause tells a check that got the wrong answer from one that got none at all.
func targetCause(text string) rollout.Cause {
	lower := strings.ToLower(text)
	if strings.Contains(lower, "connection refused") || strings.Contains(lower, "reason health checks failed)") {
		return rollout.WrongPort
	}
	return rollout.TargetCheck
}

// httpStatus returns the status that a health check got, 0 when the text tells none.
func httpStatus(text string) int {
	m := codes().FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// named returns what an event names in parentheses: (task T) (port P) (target-group ARN).
func named(text string) map[string]string {
	names := map[string]string{}
	for _, m := range inEvent().FindAllStringSubmatch(text, -1) {
		if names[m[1]] == "" {
			names[m[1]] = m[2]
		}
	}
	return names
}

// because returns the reason within an event about a target: due to (reason …).
func because(text string) string {
	_, reason, ok := strings.Cut(text, "due to (reason ")
	if !ok {
		return text
	}
	return strings.TrimSuffix(strings.TrimSuffix(reason, "."), ")")
}

// subject returns the thing that a text is about, as far as it names it.
func subject(cause rollout.Cause, text string) string {
	switch cause {
	case rollout.ImageMissing, rollout.PullDenied, rollout.PullFailed, rollout.WrongArchitecture:
		if m := image().FindStringSubmatch(text); m != nil {
			return m[1]
		}
	case rollout.SecretMissing, rollout.LogGroupMissing:
		return arn().FindString(text)
	case rollout.DependencyFailed:
		if m := dependency().FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	return ""
}

// signals are the exit codes that a shell and Docker give to a process that a signal ended: 128 and its number.
var signals = map[int]string{
	129: "SIGHUP", 130: "SIGINT", 131: "SIGQUIT", 132: "SIGILL", 133: "SIGTRAP", 134: "SIGABRT", 135: "SIGBUS",
	136: "SIGFPE", 137: "SIGKILL", 139: "SIGSEGV", 141: "SIGPIPE", 143: "SIGTERM",
}

// harmless are the beginnings of what ECS says of a service while all is well.
var harmless = []string{
	"has started ", "has stopped ", "stopped ", "registered ", "deregistered ", "has begun draining ", "has reached a steady state",
}

// complains reports that an event tells of something wrong.
func complains(text string) bool {
	_, rest, ok := strings.Cut(text, ") ")
	if !ok {
		return true
	}
	if strings.HasPrefix(rest, "(deployment ") && strings.HasSuffix(rest, "deployment completed.") {
		return false
	}
	if strings.Contains(rest, "due to an unhealthy status") {
		return true
	}
	for _, h := range harmless {
		if strings.HasPrefix(rest, h) {
			return false
		}
	}
	return !strings.Contains(text, "has begun draining ")
}

// trouble counts what is wrong: tasks that failed to start, complaints, and tasks started again, since the primary
// deployment began.
func trouble(seen rollout.Observed) int {
	primary := seen.Primary()
	if primary == nil {
		return 0
	}
	n, starts := 0, 0
	for _, d := range seen.Deployments {
		n += d.Failed
	}
	for _, e := range seen.Events {
		if e.At.Before(primary.Created) {
			continue
		}
		if complains(e.Text) {
			n++
		}
		if strings.Contains(e.Text, " has started ") {
			starts += strings.Count(e.Text, "(task ")
		}
	}
	return n + max(0, starts-primary.Desired)
}
