package schedule

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// The rolloutStateReasons of a deployment. AWS documents those of the circuit breaker; the others follow their form.
const (
	reasonBroken   = "ECS deployment circuit breaker: tasks failed to start."
	reasonRollback = "ECS deployment circuit breaker: rolling back to deploymentId %s"
	reasonAlarm    = "ECS deployment alarm: alarm detected."
	reasonAlarmed  = "ECS deployment alarm: rolling back to deploymentId %s"
	reasonStopped  = "ECS deployment %s stopped."
	reasonReturn   = "ECS deployment rolling back to deploymentId %s"
	reasonProgress = "ECS deployment %s in progress."
	reasonDone     = "ECS deployment %s completed."
)

// failure is why the PRIMARY deployment goes no further.
type failure struct {
	cause    state.Cause
	rollback bool   // go back to the deployment that was completed last, if there is one
	event    string // how the service's event ends
	because  string // how the statusReason of the service deployment ends
	reason   string // rolloutStateReason of the deployment that failed
	back     string // rolloutStateReason of the one that is gone back to, with its id left open
}

// failing is a failure that the service deployment tells in words of its own, which are its event too.
func failing(cause state.Cause, because string) failure {
	return failure{
		cause: cause, rollback: true, because: because,
		event:  statusRolledBack + because,
		reason: statusRolledBack + because, back: reasonReturn,
	}
}

// breakCircuit ends the PRIMARY deployment when somebody has asked for it, when too many of its tasks have failed, or when one of
// its alarms goes off. [ecs-behaviour 1.3, 1.4, 1.7]
func (p *pass) breakCircuit() {
	if p.primary.Broken || !p.primary.inProgress() {
		return
	}
	for _, sign := range []func() (failure, bool){p.halted, p.tripped, p.alarmed} {
		if f, failed := sign(); failed {
			p.breakOff(f)
			return
		}
	}
}

// halted reports whether StopServiceDeployment was called for the PRIMARY deployment. Its events are unverified.
func (p *pass) halted() (failure, bool) {
	history, ok := p.snap.ServiceDeployment(p.primary.ServiceDeployment)
	if !ok || !p.primary.Completed.IsZero() { // a rollback goes on as it was
		return failure{}, false
	}
	f := failing(state.CauseStop, "it was stopped by a user.")
	switch history.Doc.Status {
	case types.ServiceDeploymentStatusRollbackRequested:
		return f, true
	case types.ServiceDeploymentStatusStopRequested:
		f.rollback, f.event = false, statusStopped+f.because
		f.reason = fmt.Sprintf(reasonStopped, p.primary.ID)
		return f, true
	default:
		return failure{}, false
	}
}

// breakOff ends the PRIMARY deployment, and goes back to the last one that was completed when the failure says so.
func (p *pass) breakOff(f failure) {
	again := !p.primary.Completed.IsZero() // it is a rollback itself
	broken := p.primary.edit()
	broken.Broken, broken.Updated = true, p.now
	broken.Cause, broken.Because = f.cause, f.because
	broken.State, broken.Reason = types.DeploymentRolloutStateFailed, f.reason
	p.say(") (deployment %s) deployment failed: %s", broken.ID, f.event)
	if base := p.base(); f.rollback && !again && base != nil {
		p.rollBack(base, f)
	}
}

// base returns the deployment that was completed last, other than the PRIMARY one.
func (p *pass) base() *deployment {
	var base *deployment
	for _, d := range p.all()[1:] {
		if d.known && !d.Broken && !d.Completed.IsZero() && (base == nil || d.Completed.After(base.Completed)) {
			base = d
		}
	}
	return base
}

// rollBack makes a deployment PRIMARY again, under its old id. [ecs-behaviour 1.3]
func (p *pass) rollBack(base *deployment, f failure) {
	p.say(") rolling back to deployment %s.", base.ID)
	broken := p.primary
	broken.edit().RollbackTo = base.ID
	broken.edit().Status = state.Active
	if broken.Shift == nil { // else its tasks may be serving: they go when the traffic is taken back
		broken.edit().Wanted = 0
	}

	record := base.edit()
	record.Status, record.Updated = state.Primary, p.now
	record.State, record.Reason = types.DeploymentRolloutStateInProgress, fmt.Sprintf(f.back, base.ID)
	record.Failed, record.Consecutive, record.Launches, record.Running = 0, 0, 0, false
	record.Told, record.Baking, record.Shift = nil, time.Time{}, nil
	if broken.Shift != nil {
		record.Shift = p.shiftBack(broken)
	}
	p.turned = true

	p.olds = append([]*deployment{broken}, without(p.olds, base)...)
	p.past = without(p.past, base)
	p.primary = base
	if base.definition == nil {
		p.equip(base)
	}
	p.restore(base)
}

// restore gives the service what the revision fixes, as AWS describes a service that was rolled back.
func (p *pass) restore(d *deployment) {
	doc, r := &p.editService().Doc, d.revision
	doc.TaskDefinition = r.TaskDefinition
	doc.LaunchType, doc.CapacityProviderStrategy = r.LaunchType, r.CapacityProviderStrategy
	doc.LoadBalancers, doc.ServiceRegistries = r.LoadBalancers, r.ServiceRegistries
	doc.NetworkConfiguration = r.NetworkConfiguration
	doc.PlatformFamily = r.PlatformFamily
	if aws.ToString(r.PlatformVersion) != "" && aws.ToString(doc.PlatformVersion) != "LATEST" {
		doc.PlatformVersion = r.PlatformVersion
	}
}

func without(list []*deployment, d *deployment) []*deployment {
	var rest []*deployment
	for _, other := range list {
		if other != d {
			rest = append(rest, other)
		}
	}
	return rest
}
