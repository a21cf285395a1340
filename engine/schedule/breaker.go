package schedule

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

const (
	reasonBroken   = "ECS deployment circuit breaker: tasks failed to start."
	reasonRollback = "ECS deployment circuit breaker: rolling back to deploymentId %s"
	reasonProgress = "ECS deployment %s in progress."
	reasonDone     = "ECS deployment %s completed."
)

// The bounds of BOUNDED_PERCENT. [ecs-behaviour 1.3]
const (
	thresholdMin = 3
	thresholdMax = 200
)

// Threshold returns at how many failures the circuit breaker of a service with that desired count trips.
func Threshold(c *types.DeploymentCircuitBreaker, desired int) int {
	kind, value := types.ThresholdTypeBoundedPercent, 50
	if c != nil && c.ThresholdConfiguration != nil {
		kind, value = c.ThresholdConfiguration.Type, int(c.ThresholdConfiguration.Value)
	}
	switch kind {
	case types.ThresholdTypeCount:
		return max(value, 1)
	case types.ThresholdTypeUnboundedPercent:
		return max(Floor(desired, value), 1)
	default:
		return min(max(Floor(desired, value), thresholdMin), thresholdMax)
	}
}

func (p *pass) breaker() *types.DeploymentCircuitBreaker {
	if c := p.service.Doc.DeploymentConfiguration; c != nil && c.DeploymentCircuitBreaker != nil {
		return c.DeploymentCircuitBreaker
	}
	return &types.DeploymentCircuitBreaker{}
}

// fail counts a failure of a deployment that has not come to its end.
func (p *pass) fail(d *deployment) {
	if d.inProgress() && !d.Broken {
		record := d.edit()
		record.Failed++
		record.Consecutive++
	}
}

// encourage notes that a task of the deployment has become healthy.
func (p *pass) encourage(d *deployment) {
	if d.Failed > 0 {
		d.edit().Failed = 0
	}
	if reset := p.breaker().ResetOnHealthyTask; d.Consecutive > 0 && (reset == nil || *reset) {
		d.edit().Consecutive = 0
	}
}

// breakCircuit ends a deployment of which too many tasks failed, and goes back to the last one that was completed.
func (p *pass) breakCircuit() {
	c := p.breaker()
	if !c.Enable || p.primary.Broken || !p.primary.inProgress() || p.primary.Consecutive < Threshold(c, p.desired) {
		return
	}
	again := !p.primary.Completed.IsZero() // it is a rollback itself
	broken := p.primary.edit()
	broken.Broken, broken.Updated = true, p.now
	broken.State, broken.Reason = types.DeploymentRolloutStateFailed, reasonBroken
	p.say(") (deployment %s) deployment failed: tasks failed to start.", broken.ID)
	if base := p.base(); c.Rollback && !again && base != nil {
		p.rollBack(base)
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
func (p *pass) rollBack(base *deployment) {
	p.say(") rolling back to deployment %s.", base.ID)
	broken := p.primary
	broken.edit().RollbackTo = base.ID
	broken.edit().Status = state.Active
	broken.edit().Wanted = 0

	record := base.edit()
	record.Status, record.Updated = state.Primary, p.now
	record.State, record.Reason = types.DeploymentRolloutStateInProgress, fmt.Sprintf(reasonRollback, base.ID)
	record.Failed, record.Consecutive, record.Launches, record.Running = 0, 0, 0, false
	record.Told = nil
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
