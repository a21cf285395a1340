package state

import (
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Cause is what made a deployment fail.
type Cause string

// The causes for which a deployment fails.
const (
	CauseBreaker Cause = "breaker" // too many of its tasks failed
	CauseAlarm   Cause = "alarm"   // a CloudWatch alarm went off
	CauseStop    Cause = "stop"    // somebody had it stopped
	CauseHook    Cause = "hook"    // a lifecycle hook failed, or somebody decided against it
	CauseTime    Cause = "time"    // a stage took too long
	CauseNetwork Cause = "network" // its load balancers cannot do what it needs
)

// AlarmWatch is what the alarms of a deployment have said. [ecs-behaviour 1.4]
type AlarmWatch struct {
	Status    types.ServiceDeploymentRollbackMonitorsStatus // empty before they were first looked at
	Triggered []string                                      // names of those that went off
}

// Shift is how far a deployment that shifts traffic has come. [ecs-behaviour 1.7]
type Shift struct {
	Stage types.ServiceDeploymentLifecycleStage // empty before the first one
	Since time.Time                             // when the stage was entered
	Back  bool                                  // it takes the traffic back from a deployment that failed
	Step  int                                   // how many shifts of production traffic have been made

	Source DeploymentID // what serves until this one does; empty when there is nothing yet

	Test, Production float64 // percent of the traffic that goes to the deployment's own revision
	Hooks            []Hook  // the hooks of the stage
}

// Hook is a lifecycle hook at one stage of a deployment.
type Hook struct {
	ID      string
	For     string // ARN of the service deployment that it belongs to
	Type    types.DeploymentLifecycleHookTargetType
	Target  string // ARN of the function; empty for a pause
	Details string // JSON that is passed to the function; empty when there is none
	Status  types.DeploymentLifecycleHookStatus
	Failure string // why its Status is FAILED or TIMED_OUT, as a sentence

	Expires  time.Time // when OnExpiry is done
	OnExpiry types.DeploymentLifecycleHookAction
	Due      time.Time // when the function is called next; zero: now
}

// Open reports whether the hook still waits for its function or for a person.
func (h *Hook) Open() bool {
	return h.Status == types.DeploymentLifecycleHookStatusInProgress || h.Status == types.DeploymentLifecycleHookStatusAwaitingAction
}

// AllDeployments returns the deployments of all services.
func (s Snapshot) AllDeployments() iter.Seq[*Deployment] {
	return all[*Deployment](s, KindDeployment, "")
}

// WithHook returns a copy of the deployment in which the hook with that id is changed; false when it has none.
func (d *Deployment) WithHook(id string, change func(*Hook)) (*Deployment, bool) {
	if d.Shift == nil {
		return nil, false
	}
	for i := range d.Shift.Hooks {
		if d.Shift.Hooks[i].ID != id {
			continue
		}
		c, shift := *d, *d.Shift
		shift.Hooks = append([]Hook(nil), d.Shift.Hooks...)
		change(&shift.Hooks[i])
		c.Shift = &shift
		return &c, true
	}
	return nil, false
}
