package rollout

import (
	"encoding/json"
	"time"
)

// Verdict is what a rollout came to.
type Verdict string

// The verdicts.
const (
	Moving   Verdict = "moving"    // none yet
	Proven   Verdict = "proven"    // what this rollout started runs, complete, healthy, checked, and stayed so
	Failed   Verdict = "failed"    // it cannot succeed any more
	TimedOut Verdict = "timed out" // neither proven nor failed in the time allowed
	Stopped  Verdict = "stopped"   // somebody else's deployment took its place
)

// Undoing is what became of a failed rollout's rollback.
type Undoing string

// The ends of a rollback, and Undo while it is under way.
const (
	NotUndone    Undoing = "" // nothing had to be undone
	Undo         Undoing = "under way"
	Undone       Undoing = "rolled back" // the last proven revision serves
	UndoneBy     Undoing = "rolled back by the scheduler"
	NothingThere Undoing = "nothing to roll back to" // the first deployment of a service: what was started is left as it is
	Untouched    Undoing = "left as it was: this rollout changed nothing"
	UndoOff      Undoing = "switched off" // the policy says not to
	UndoFailed   Undoing = "rollback failed"
)

// Progress is how far a rollout has come. It begins at zero and is kept by whoever carries the rollout out; it holds all
// that must be known besides what the scheduler says, and goes through JSON unharmed.
type Progress struct {
	Started    time.Time       `json:"started,omitzero"`
	Looked     bool            `json:"looked"`               // the first look has been noted: Replaced, Before and Base hold
	Replaced   DeploymentID    `json:"replaced,omitempty"`   // the primary deployment before this rollout
	Underway   bool            `json:"underway,omitempty"`   // that one was still on its way then
	Before     json.RawMessage `json:"before,omitempty"`     // the service before this rollout changed it
	Base       []Proof         `json:"base,omitempty"`       // what was proven before this rollout changed anything
	Revision   RevisionID      `json:"revision,omitempty"`   // registered by this rollout
	Deployment DeploymentID    `json:"deployment,omitempty"` // started or adopted by this rollout
	Created    time.Time       `json:"created,omitzero"`     // when the scheduler made that deployment
	Changed    time.Time       `json:"changed,omitzero"`     // when the scheduler's answer last changed
	Sight      string          `json:"sight,omitempty"`      // that answer's fingerprint
	Failing    time.Time       `json:"failing,omitzero"`     // since when the checks fail, though the rest is proven
	Passed     time.Time       `json:"passed,omitzero"`      // since when the checks pass as well; zero: they don't
	Planned    time.Duration   `json:"planned,omitempty"`    // the longest that the service's strategy was seen to wait by itself
	Held       time.Duration   `json:"held,omitempty"`       // how long it has waited for people
	HeldSince  time.Time       `json:"heldSince,omitzero"`   // since when it waits for one now

	Verdict Verdict      `json:"verdict,omitempty"` // once it is anything but moving it stays
	Cause   Cause        `json:"cause,omitempty"`
	Reasons []Reason     `json:"reasons,omitempty"`
	Ended   time.Time    `json:"ended,omitzero"`
	Undo    DeploymentID `json:"undo,omitempty"` // the deployment that undoes this one
	UndoTo  *Proof       `json:"undoTo,omitempty"`
	Undoing Undoing      `json:"undoing,omitempty"`

	UndoBegan   time.Time `json:"undoBegan,omitzero"`    // since when, by the scheduler's clock, a failure speaks against the rollback
	UndoCause   Cause     `json:"undoCause,omitempty"`   // why the rollback failed
	UndoReasons []Reason  `json:"undoReasons,omitempty"` // what that rests on
}
