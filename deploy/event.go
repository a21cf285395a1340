package deploy

import (
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Schema is the version of the events' JSON form. Members are added without changing it; it grows when one changes its
// meaning or goes away.
const Schema = 1

// EventType says what an event tells, and with it which of the event's members are set.
type EventType string

// The types of events. Every rollout begins with Started and ends with Ended.
const (
	Started   EventType = "started"   // Plan: the steps that remain as far as can be told now
	Found     EventType = "finding"   // Finding: what was found out, or could not be, before anything was touched
	StepBegun EventType = "step"      // Step: about to be performed
	StepDone  EventType = "done"      // Step: performed; Deployment or Revision say what came of it
	Staged    EventType = "stage"     // Shift: how far a deployment has come that shifts traffic, or that it waits for a person
	Progress  EventType = "progress"  // Snapshot: what runs, told when it has changed
	Message   EventType = "event"     // Text: what the scheduler said
	Checked   EventType = "check"     // Check: what a check of the project came to, told when it has changed
	Trouble   EventType = "trouble"   // Text: an error while looking, which is tried again
	Diagnosed EventType = "diagnosis" // Diagnosis: why the rollout cannot succeed; with Undoing: why its rollback cannot
	Judged    EventType = "verdict"   // Verdict and Reasons; what follows is the undoing, if any
	Ended     EventType = "result"    // Result: the last event
)

// Event is one thing that happened in a rollout. Text says it on one line for people; the rest says it for programs.
type Event struct {
	Schema  int                 `json:"schema"`
	Time    time.Time           `json:"time"`
	Type    EventType           `json:"type"`
	Cluster rollout.ClusterName `json:"cluster"`
	Service rollout.ServiceName `json:"service"`
	Version string              `json:"version,omitempty"`
	Text    string              `json:"text"`

	At         time.Time            `json:"at,omitzero"` // of a message: when the scheduler says that it was
	Plan       []PlannedStep        `json:"plan,omitempty"`
	Finding    *rollout.Finding     `json:"finding,omitempty"`
	Step       *PlannedStep         `json:"step,omitempty"`
	Revision   rollout.RevisionID   `json:"revision,omitempty"`
	Deployment rollout.DeploymentID `json:"deployment,omitempty"`
	Shift      *rollout.Shift       `json:"shift,omitempty"`
	Snapshot   *Snapshot            `json:"snapshot,omitempty"`
	Check      *rollout.CheckResult `json:"check,omitempty"`
	Verdict    rollout.Verdict      `json:"verdict,omitempty"`
	Reasons    []rollout.Reason     `json:"reasons,omitempty"`
	Diagnosis  *rollout.Diagnosis   `json:"diagnosis,omitempty"`
	Undoing    rollout.Undoing      `json:"undoing,omitempty"`
	Result     *Result              `json:"result,omitempty"`
}

// PlannedStep is a step as it is told to people and programs.
type PlannedStep struct {
	Kind    rollout.StepKind `json:"kind"`
	Text    string           `json:"text"`
	Reasons []rollout.Reason `json:"reasons,omitempty"`
}

// Snapshot is what runs at one moment of a rollout.
type Snapshot struct {
	Elapsed     float64                `json:"elapsedSeconds"`
	Deployments []rollout.Deployment   `json:"deployments"`          // the primary one first
	Ours        rollout.DeploymentID   `json:"ours,omitempty"`       // the one that this rollout follows
	Tasks       []rollout.Task         `json:"tasks,omitempty"`      // as last looked at, which may be a moment ago
	Targets     []rollout.TargetHealth `json:"targets,omitempty"`    // as last looked at
	Shift       *rollout.Shift         `json:"shift,omitempty"`      // how far the deployment has come, when it shifts traffic
	Waiting     []rollout.Reason       `json:"waitingFor,omitempty"` // what is missing until it is proven
	Undoing     bool                   `json:"undoing,omitempty"`    // this is the rollback
}

// Reporter is told every event, in order, from one goroutine. It must not block for long: the rollout waits for it.
type Reporter func(Event)
