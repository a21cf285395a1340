package schedule

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
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

// tripped reports whether too many tasks of the PRIMARY deployment have failed.
func (p *pass) tripped() (failure, bool) {
	c := p.breaker()
	return failure{
		cause: state.CauseBreaker, rollback: c.Rollback,
		event: "tasks failed to start.", because: "the circuit breaker threshold was exceeded.",
		reason: reasonBroken, back: reasonRollback,
	}, c.Enable && p.primary.Consecutive >= Threshold(c, p.desired)
}
