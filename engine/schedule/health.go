package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// sickness is why a task has to be replaced.
type sickness struct {
	event  string // what the service's events say, after the service's name
	reason string // what becomes the task's stoppedReason
}

// reasonSick is what every stoppedReason of a task that failed its checks begins with.
const reasonSick = "Task failed "

// examine decides of each running task whether it is healthy, sick, or neither yet. [ecs-behaviour 1.2]
func (p *pass) examine() {
	for _, d := range p.current() {
		for _, t := range d.tasks {
			if staying(t) && t.Last == state.Running {
				p.check(t)
			}
		}
	}
}

func (p *pass) check(t *task) {
	s := p.ailment(t)
	switch {
	case s == nil:
		t.healthy = p.fit(t)
		t.of.overcome(sortUnhealthy + sort(t.ID))
	case !p.now.Before(t.StartedAt.Add(p.grace())):
		t.sick = s
		p.sayOnce(t.of, sortUnhealthy+sort(t.ID), "%s", s.event)
	}
	if t.healthy && !t.Healthy {
		p.plan.Healthy = append(p.plan.Healthy, t.ID)
		p.encourage(t.of)
	}
}

// grace is how long a running task's failed checks don't matter, those of its containers included.
func (p *pass) grace() time.Duration {
	seconds := aws.ToInt32(p.service.Doc.HealthCheckGracePeriodSeconds)
	return time.Duration(float64(seconds) * float64(time.Second) / p.pace.Speed)
}

// ailment returns which check says that the task is not well; nil when none does.
func (p *pass) ailment(t *task) *sickness {
	for _, name := range t.of.checked {
		if c, ok := t.Container(name); ok && c.Health == types.HealthStatusUnhealthy {
			return &sickness{
				event:  fmt.Sprintf(") (task %s) failed container health checks.", t.ID),
				reason: reasonSick + "container health checks",
			}
		}
	}
	for target := range p.snap.TargetsOfTask(t.ID) {
		if target.Draining.IsZero() && target.Health == v2.TargetHealthStateEnumUnhealthy {
			return unhealthyTarget(t, target)
		}
	}
	return nil
}

func unhealthyTarget(t *task, target *state.Target) *sickness {
	s := &sickness{reason: fmt.Sprintf("%sELB health checks in %s", reasonSick, groupName(target.Group))}
	why := strings.TrimSuffix(target.Description, ".")
	if why == "" {
		why = "Health checks failed"
	}
	if isClassic(target.Group) {
		s.event = fmt.Sprintf(") (instance %s) is unhealthy in %s due to (reason %s).",
			target.ID, groupName(target.Group), why)
	} else {
		s.event = fmt.Sprintf(") (task %s) (port %d) is unhealthy in %s due to (reason %s).",
			t.ID, target.Port, groupName(target.Group), why)
	}
	return s
}

// fit reports whether a running task that has no ailment counts as healthy: all its checks have passed, or, when it has
// none, it has been running for pace.Settle.
func (p *pass) fit(t *task) bool {
	for _, name := range t.of.checked {
		if c, ok := t.Container(name); !ok || c.Health != types.HealthStatusHealthy {
			return false
		}
	}
	balancers := t.of.balancers()
	for _, b := range balancers {
		if !p.serves(t, b) {
			return false
		}
	}
	return len(t.of.checked)+len(balancers) > 0 || !p.now.Before(t.StartedAt.Add(p.pace.Settle))
}

// serves reports whether the load balancer finds the task healthy.
func (p *pass) serves(t *task, b types.LoadBalancer) bool {
	want, ok := p.target(t, b)
	if !ok {
		return false
	}
	is, ok := p.snap.Target(want.Key())
	return ok && is.Task == t.ID && is.Draining.IsZero() && is.Health == v2.TargetHealthStateEnumHealthy
}
