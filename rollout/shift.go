package rollout

import (
	"fmt"
	"time"
)

// Shift is how far a deployment has come that brings new tasks up beside the old ones, and then has the load balancer send
// them the traffic: all at once (blue/green), in equal steps (linear), or a little first (canary).
type Shift struct {
	Record     string   `json:"record"`               // under which name the scheduler keeps it (ECS: ARN of the service deployment)
	Strategy   string   `json:"strategy"`             // the scheduler's own word, BLUE_GREEN
	Stage      string   `json:"stage"`                // the scheduler's own word, PRE_SCALE_UP
	Production *float64 `json:"production,omitempty"` // percent of the production traffic that the new tasks get; nil: not told
	Test       *float64 `json:"test,omitempty"`       // the same of the test traffic
	Undoing    bool     `json:"undoing,omitempty"`    // traffic goes back to the old tasks
	Pauses     []Pause  `json:"pauses,omitempty"`     // what it waits for
}

// Pause is a place in a deployment at which it waits for a person.
type Pause struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until,omitzero"` // when the scheduler stops waiting
	Then  string    `json:"then,omitempty"` // what it does then, in its own word: CONTINUE, ROLLBACK
}

// String tells the stage on one line: what it is called, who gets the traffic, what it waits for.
func (s Shift) String() string {
	text := s.Stage
	if s.Production != nil {
		text += fmt.Sprintf(", %s %% of the traffic goes to the new tasks", percent(*s.Production))
	}
	if s.Test != nil && *s.Test > 0 && (s.Production == nil || *s.Production < *s.Test) {
		text += fmt.Sprintf(", %s %% of the test traffic", percent(*s.Test))
	}
	if len(s.Pauses) > 0 {
		text += ", waits for somebody to continue it"
		if p := s.Pauses[0]; !p.Until.IsZero() {
			text += fmt.Sprintf(" (%s at %s)", p.Then, p.Until.UTC().Format(time.RFC3339))
		}
	}
	return text
}

// percent writes whole numbers as such, and others with one decimal, which is all that schedulers take.
func percent(p float64) string {
	if p == float64(int(p)) {
		return fmt.Sprintf("%d", int(p))
	}
	return fmt.Sprintf("%.1f", p)
}

// paused reports that a deployment waits for a person.
func paused(seen Observed) bool {
	return seen.Shift != nil && !seen.Shift.Undoing && len(seen.Shift.Pauses) > 0
}

// hold keeps account of the time that a deployment spends waiting for people: it is not the deployment's own.
func (p *Progress) hold(seen Observed, now time.Time) {
	switch {
	case paused(seen) && p.HeldSince.IsZero():
		p.HeldSince = now
	case !paused(seen) && !p.HeldSince.IsZero():
		p.Held += now.Sub(p.HeldSince)
		p.HeldSince = time.Time{}
	}
}

// Deadline is when a rollout has to be proven: the time that the policy gives it, and besides it the waiting that the
// service's own strategy consists of (bake times, steps), and that for people. It is later than now while one is waited for.
func Deadline(p Progress, policy Policy, now time.Time) time.Time {
	held := p.Held
	if !p.HeldSince.IsZero() {
		held += now.Sub(p.HeldSince)
	}
	return p.Started.Add(policy.Timeout + p.Planned + held)
}

// Serving reports that the new tasks have all of the traffic, and all that remains is to wait and see: the scheduler's bake
// time, or the policy's.
func Serving(want Desired, seen Observed) bool {
	p, primary := want.Progress, seen.Primary()
	if p.Verdict != Moving || p.Deployment == "" || primary == nil || primary.ID != p.Deployment {
		return false
	}
	if !p.Passed.IsZero() {
		return true
	}
	s := seen.Shift
	return s != nil && !s.Undoing && s.Stage == baking && s.Production != nil && *s.Production == 100
}

// baking is the stage in which a scheduler only watches. [Amazon ECS: BAKE_TIME]
const baking = "BAKE_TIME"

// Paused reports that what this rollout started waits for a person.
func Paused(want Desired, seen Observed) bool {
	return want.Progress.Verdict == Moving && want.Progress.Deployment != "" && paused(seen)
}
