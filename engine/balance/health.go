package balance

import (
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// Outcome is what one health check came to. It passed when Reason is empty.
type Outcome struct {
	Reason      v2.TargetHealthReasonEnum
	Description string // "Health checks failed with these codes: [503]"
}

// health is what is known of a target, and how many checks in a row spoke for or against it.
type health struct {
	State          v2.TargetHealthStateEnum
	Reason         v2.TargetHealthReasonEnum
	Description    string
	passed, failed int
}

// The descriptions that AWS gives with the reasons. [answers of DescribeTargetHealth]
const (
	textInitial    = "Initial health checks in progress"
	textNotInUse   = "Target group is not configured to receive traffic from the load balancer"
	textDraining   = "Target deregistration is in progress"
	textDisabled   = "Health checks are disabled for this target group"
	textFailed     = "Health checks failed"
	textTimeout    = "Request timed out"
	textCodes      = "Health checks failed with these codes: [%d]"
	textClassicOut = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
	textClassicNew = "Instance has not passed the configured HealthyThreshold number of health checks consecutively."
	textClassicReg = "Instance registration is still in progress."
	textClassicEnd = "Instance deregistration currently in progress."
)

// knownHealth is what a target's record says. What was found out before a restart still holds.
func knownHealth(t *state.Target, c Check) health {
	switch t.Health {
	case v2.TargetHealthStateEnumHealthy, v2.TargetHealthStateEnumUnhealthy:
		return health{State: t.Health, Reason: t.Reason, Description: t.Description}
	default:
		return initialHealth(c)
	}
}

func initialHealth(c Check) health {
	h := health{State: v2.TargetHealthStateEnumInitial, Reason: v2.TargetHealthReasonEnumInitialHealthChecking, Description: textInitial}
	if c.Classic {
		h.Description = textClassicReg
	}
	return h
}

// after returns the health of a target once one more check has ended.
func (h health) after(o Outcome, c Check) health {
	if o.Reason == "" {
		return h.afterSuccess(c)
	}
	return h.afterFailure(o, c)
}

// startGrace is real time that a new target has until it answers at all, if its check allows for it: the engine's speed
// hurries AWS's waits, but not the start of its users' programs on a machine that is busy.
const startGrace = 10 * time.Second

// starting reports whether a target that was registered so long ago is silent because its program has yet to listen. An
// answer, even a wrong one, says that it does.
func (h health) starting(o Outcome, c Check, age time.Duration) bool {
	silent := o.Reason != "" && o.Reason != v2.TargetHealthReasonEnumResponseCodeMismatch
	return silent && h.State == v2.TargetHealthStateEnumInitial && age < min(time.Duration(c.Unhealthy)*c.Interval, startGrace)
}

func (h health) afterSuccess(c Check) health {
	h.passed, h.failed = h.passed+1, 0
	needed := c.Healthy
	if h.State == v2.TargetHealthStateEnumInitial {
		needed = c.First
	}
	if h.State != v2.TargetHealthStateEnumHealthy && h.passed >= needed {
		return health{State: v2.TargetHealthStateEnumHealthy, passed: h.passed}
	}
	return h
}

func (h health) afterFailure(o Outcome, c Check) health {
	h.passed, h.failed = 0, h.failed+1
	switch {
	case h.State == v2.TargetHealthStateEnumUnhealthy || h.failed >= c.Unhealthy:
		h.State, h.Reason, h.Description = v2.TargetHealthStateEnumUnhealthy, o.Reason, o.Description
		if c.Classic { // AWS tells no cause here; the sentence after its own does
			h.Description = textClassicOut + " " + o.Description
		}
	case h.State == v2.TargetHealthStateEnumInitial && c.Classic:
		h.Description = textClassicNew
	}
	return h
}

// drainingHealth is the health of a target that was deregistered.
func drainingHealth(t *state.Target) health {
	h := draining
	if isClassic(t.Group) {
		h.Description = textClassicEnd
	}
	return h
}

// unused, draining and unchecked are the health of targets that are not checked.
var (
	unused    = health{State: v2.TargetHealthStateEnumUnused, Reason: v2.TargetHealthReasonEnumNotInUse, Description: textNotInUse}
	draining  = health{State: v2.TargetHealthStateEnumDraining, Reason: v2.TargetHealthReasonEnumDeregistrationInProgress, Description: textDraining}
	unchecked = health{State: v2.TargetHealthStateEnumUnavailable, Reason: v2.TargetHealthReasonEnumHealthCheckDisabled, Description: textDisabled}
)

// ofRecord reports whether the target's record already says so.
func (h health) ofRecord(t *state.Target) bool {
	return t.Health == h.State && t.Reason == h.Reason && t.Description == h.Description
}
