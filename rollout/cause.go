package rollout

// Cause is why a rollout failed.
type Cause string

// The causes.
const (
	ImageMissing      Cause = "image not found"
	PullDenied        Cause = "image cannot be pulled: no right to"
	PullFailed        Cause = "image cannot be pulled"
	WrongArchitecture Cause = "image is for another architecture"
	Crash             Cause = "container exits"
	CannotStart       Cause = "container cannot be started"
	OutOfMemory       Cause = "container ran out of memory"
	HealthCheck       Cause = "container fails its health check"
	TargetCheck       Cause = "load balancer's health check fails"
	WrongPort         Cause = "nothing answers on the port"
	NoCPU             Cause = "no instance has enough CPU"
	NoMemory          Cause = "no instance has enough memory"
	PortTaken         Cause = "the port is taken on every instance"
	NoInstances       Cause = "the cluster has no instances"
	Unplaceable       Cause = "no instance meets the constraints"
	NoCapacity        Cause = "no capacity"
	Squeezed          Cause = "deployment may neither stop nor start a task"
	SecretMissing     Cause = "secret cannot be read"
	LogGroupMissing   Cause = "log group does not exist"
	RoleWrong         Cause = "role is missing or may not be used"
	NetworkWrong      Cause = "network cannot be set up"
	DependencyFailed  Cause = "a container that others depend on never gets ready"
	AlarmFired        Cause = "an alarm fired"
	HookFailed        Cause = "a lifecycle hook failed"
	BalancerWrong     Cause = "the load balancer is not set up for this deployment"
	BreakerTripped    Cause = "the scheduler gave up"
	ChecksFail        Cause = "the project's checks fail"
	Superseded        Cause = "somebody else deployed in between"
	ServiceGone       Cause = "the service was deleted in between"
	TooSlow           Cause = "not ready in time"
	AskedFor          Cause = "asked for" // a rollback by hand: nothing is wrong with what ran
	UnknownCause      Cause = "unknown"
)

// terminal are the causes that no further attempt can cure, so that one sight of them is enough. What an old task in
// the way, a moment's overload or a slow start may explain is not among them.
var terminal = map[Cause]bool{
	ImageMissing: true, PullDenied: true, WrongArchitecture: true, SecretMissing: true, LogGroupMissing: true,
	RoleWrong: true, NoInstances: true, Squeezed: true, BalancerWrong: true, HookFailed: true,
}

// remediesForGood are those of causes that the target has shown to be final.
var remediesForGood = map[Cause]string{
	NoCPU:    "lower the task's cpu, or add instances that have more",
	NoMemory: "lower the task's memory, or add instances that have more",
}

// remedies say what the user can do about a cause.
var remedies = map[Cause]string{
	ImageMissing:      "check the image's name and tag, and that it was pushed to the registry the task definition names",
	PullDenied:        "let the task's execution role read the repository, or give repositoryCredentials",
	PullFailed:        "see that the registry can be reached from the instances, and try again",
	WrongArchitecture: "build the image for the platform of the instances, or for several platforms",
	Crash:             "read the container's last lines; what it needs to start is missing, or its command is wrong",
	CannotStart:       "check the container's command, entry point, mounts and user",
	OutOfMemory:       "raise the container's memory, or find what uses it up",
	HealthCheck:       "run the health check's command in the container; give a slow start a startPeriod",
	TargetCheck:       "see what the service answers on the health check's path; give a slow start healthCheckGracePeriodSeconds",
	WrongPort:         "see that the program listens on the containerPort of the task definition, on all addresses; give a slow start healthCheckGracePeriodSeconds",
	NoCPU:             "lower the task's cpu, add instances, or allow fewer tasks at a time (maximumPercent)",
	NoMemory:          "lower the task's memory, add instances, or allow fewer tasks at a time (maximumPercent)",
	PortTaken:         "use a dynamic host port (hostPort 0), add instances, or let old tasks go first (minimumHealthyPercent)",
	NoInstances:       "add container instances to the cluster, or use a capacity provider",
	Unplaceable:       "compare the placement constraints with the instances' attributes",
	NoCapacity:        "try again later, or use another capacity provider, zone or size",
	Squeezed:          "raise maximumPercent or lower minimumHealthyPercent, so that one task may start or stop",
	SecretMissing:     "create the secret or parameter, and let the task's execution role read it",
	LogGroupMissing:   "create the log group, or set awslogs-create-group in the task definition",
	RoleWrong:         "check the task definition's roles: that they exist, and that ECS tasks may assume them",
	NetworkWrong:      "check the subnets, security groups and the way to the registry",
	DependencyFailed:  "look at the container that is depended on: its health check, exit code and log",
	HookFailed:        "see what the hook found, and why; a pause that nobody continued in time fails as well",
	BalancerWrong:     "check the listener rules and target groups that the service's advancedConfiguration names",
	AlarmFired:        "look at the alarm's metric since the deployment began",
	BreakerTripped:    "look at why its tasks stopped, as far as `slipway status` can tell",
	ChecksFail:        "ask for the address yourself, and compare what is expected with what is answered",
	Superseded:        "see who deployed, then install again if this version should run",
	ServiceGone:       "install again to create it anew",
	TooSlow:           "see what the new tasks are waiting for, or allow more time with --timeout",
	UnknownCause:      "look at the events and the tasks that stopped",
}
