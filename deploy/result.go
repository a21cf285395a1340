package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Outcome is what a rollout came to, its undoing included. The command line has an exit code for each.
type Outcome string

// The outcomes, each with the exit code of the command line.
const (
	Unchanged     Outcome = "unchanged"       // 0: this version runs already and is proven; nothing was done
	Proven        Outcome = "proven"          // 0
	RolledBack    Outcome = "rolled back"     // 4: it failed; the last proven revision serves
	NotRolledBack Outcome = "not rolled back" // 5: it failed; Result.Undoing says why nothing was undone
	TimedOut      Outcome = "timed out"       // 6
	Superseded    Outcome = "superseded"      // 1: somebody else's deployment took its place
	Serving       Outcome = "serving"         // 0, where that was enough: it has all of the traffic, and its bake time has yet to pass
	Paused        Outcome = "paused"          // 0, where that was enough: it waits for a person
	Continued     Outcome = "continued"       // 0: what waited was continued, and is not followed
	Halted        Outcome = "halted"          // 0: it was to be stopped as it stands, and was
	Deleted       Outcome = "deleted"         // 0: it was to be deleted, and is gone
	Interrupted   Outcome = "interrupted"     // 130
)

// Result is what a rollout came to, and what is left running.
type Result struct {
	Outcome   Outcome             `json:"outcome"`
	Cluster   rollout.ClusterName `json:"cluster"`
	Service   rollout.ServiceName `json:"service"`
	Version   string              `json:"version,omitempty"`
	Verdict   rollout.Verdict     `json:"verdict"`
	Reasons   []rollout.Reason    `json:"reasons,omitempty"`
	Diagnosis *rollout.Diagnosis  `json:"diagnosis,omitempty"`
	Undoing   rollout.Undoing     `json:"undoing,omitempty"`
	To        *rollout.Proof      `json:"rolledBackTo,omitempty"`

	UndoReasons   []rollout.Reason   `json:"undoReasons,omitempty"`   // why the rollback failed
	UndoDiagnosis *rollout.Diagnosis `json:"undoDiagnosis,omitempty"` // the same, where its tasks tell

	Revision   rollout.RevisionID   `json:"revision,omitempty"`   // what this rollout wanted to run
	Deployment rollout.DeploymentID `json:"deployment,omitempty"` // what this rollout started or adopted
	Seconds    float64              `json:"seconds"`
	Looks      int                  `json:"looks"` // how often the target was observed
	Seen       rollout.Observed     `json:"seen"`  // the last look: what is left running

	Progress rollout.Progress `json:"-"`
}

// Options are what Rollout and the others can do without.
type Options struct {
	Report Reporter                     // nil: tell nobody
	Prober Prober                       // nil: DefaultProber, in the directory that the program was called in
	Pace   Pace                         // zero: DefaultPace
	From   rollout.Progress             // of an earlier run of the same rollout that was cut off; zero: begin
	Save   func(rollout.Progress) error // called before and after every step that changes something; nil: nothing is kept
	Until  Until                        // how far to follow it; empty: UntilProven

	// Verify is asked once, before the first step that brings the version nearer. When it finds problems, nothing is touched and
	// the rollout ends with an error. Nil: nothing is verified.
	Verify func(context.Context) (Verification, error)
	// Watched says that somebody looks on: tasks and targets are looked at while they change, which costs more calls.
	Watched bool
}

// Until is how far a rollout is followed. Whatever comes first of what ends it otherwise ends it all the same.
type Until string

// How far a rollout can be followed.
const (
	UntilProven  Until = "proven"
	UntilServing Until = "serving" // or until all that remains is to watch it for its bake time
	UntilPaused  Until = "paused"  // or until it waits for a person, or serves
)

// Pace is how often to look.
type Pace struct {
	Quick time.Duration // while something changes, or the end is near
	Slow  time.Duration // the longest pause, reached when nothing has changed for long
}

// DefaultPace is well below the limits of Amazon ECS, which answers 20 reads of services a second, for the whole account.
func DefaultPace() Pace { return Pace{Quick: 400 * time.Millisecond, Slow: 5 * time.Second} }
