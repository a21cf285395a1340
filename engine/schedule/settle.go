package schedule

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// fate is what a task's end means for its deployment.
type fate string

const (
	ordered  fate = "ordered"   // somebody stopped it, or its instance was lost: nothing is wrong with it
	neverRan fate = "never ran" // it came to its end before it was RUNNING
	crashed  fate = "crashed"   // it ended by itself before it was healthy
	worn     fate = "worn"      // it ended by itself after it had been healthy
)

func fateOf(t *state.Task) fate {
	switch t.StopCode {
	case types.TaskStopCodeTaskFailedToStart:
		return neverRan
	case types.TaskStopCodeEssentialContainerExited:
		if t.Healthy {
			return worn
		}
		return crashed
	default:
		return ordered
	}
}

// impairedAfter is after how many rounds of failed starts the service is said to be impaired. [unverified]
const impairedAfter = 3

// settle draws the consequences of the tasks that have come to their end: what the circuit breaker counts
// [ecs-behaviour 1.3], and how long the next start waits [ecs-behaviour 1.5].
func (p *pass) settle() {
	p.noteStarted()
	for _, t := range p.ended {
		p.plan.Settle = append(p.plan.Settle, t.ID)
		t.of.overcome(sortUnhealthy + sort(t.ID))
		switch fateOf(t.Task) {
		case neverRan:
			p.delay(t)
			if !t.of.Running {
				p.fail(t.of)
			}
			p.sayOnce(t.of, sortLaunch, ") was unable to place a task. Reason: %s.", strings.TrimSuffix(t.StoppedReason, "."))
		case crashed:
			p.fail(t.of)
		}
	}
	for _, d := range p.current() {
		if d.Launches >= impairedAfter {
			p.sayOnce(d, sortImpaired, ") is unable to consistently start tasks successfully.")
		}
	}
}

// noteStarted notes which deployments have had a task RUNNING; that ends the throttling of their starts.
func (p *pass) noteStarted() {
	for _, d := range p.current() {
		var last time.Time
		for _, t := range d.tasks {
			if t.StartedAt.After(last) {
				last = t.StartedAt
			}
		}
		p.ran(d, last)
	}
	for _, t := range p.ended {
		p.ran(t.of, t.StartedAt)
	}
}

// ran notes that a task of the deployment became RUNNING at that time; zero: none did.
func (p *pass) ran(d *deployment, at time.Time) {
	if at.IsZero() {
		return
	}
	if !d.Running {
		d.edit().Running = true
	}
	if d.Launches > 0 && at.After(d.LastFailed) {
		d.edit().Launches, d.edit().NotBefore = 0, time.Time{}
		d.overcome(sortLaunch)
		d.overcome(sortImpaired)
	}
}

// delay makes the deployment wait before it starts tasks again: twice as long after each round that failed. A task that
// was started in a round which is already paid for makes it no longer.
func (p *pass) delay(t *task) {
	d := t.of.edit()
	d.LastFailed = p.now
	if t.CreatedAt.Before(d.NotBefore) {
		return
	}
	d.Launches++
	d.NotBefore = p.now.Add(BackOff(d.Launches, p.pace))
}

// BackOff returns how long no task is started after that many rounds of failed starts in a row.
func BackOff(rounds int, pace Pace) time.Duration {
	wait := pace.BackOff
	for range rounds - 1 {
		if wait >= pace.BackOffMax {
			break
		}
		wait *= 2
	}
	return min(wait, pace.BackOffMax)
}
