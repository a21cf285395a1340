package rollout

import "time"

// EvidenceKind is what sort of thing was seen.
type EvidenceKind string

// The kinds of evidence.
const (
	EventSeen     EvidenceKind = "event"     // a message of the scheduler
	TaskStopped   EvidenceKind = "task"      // a task that stopped, though nobody asked it to
	ContainerExit EvidenceKind = "container" // a container of such a task
	TargetSick    EvidenceKind = "target"    // a load balancer's word on a target
	NoPlace       EvidenceKind = "placement" // a task that found no place
	LogLine       EvidenceKind = "log"       // what a container wrote last
	CheckFailed   EvidenceKind = "check"     // a check of the project that failed
)

// Evidence is one thing seen that tells why a rollout does not succeed. The target translates its scheduler's own
// language into Points; rollout weighs.
type Evidence struct {
	Kind      EvidenceKind `json:"kind"`
	At        time.Time    `json:"at,omitzero"`
	New       bool         `json:"new"` // it is about what this rollout started
	Revision  RevisionID   `json:"revision,omitempty"`
	Task      TaskID       `json:"task,omitempty"`
	Container string       `json:"container,omitempty"`
	Essential bool         `json:"essential,omitempty"`
	ExitCode  *int         `json:"exitCode,omitempty"`
	Signal    string       `json:"signal,omitempty"`
	Status    int          `json:"status,omitempty"` // the HTTP status that a health check got
	Port      int          `json:"port,omitempty"`
	Subject   string       `json:"subject,omitempty"` // the image, secret, target group, log group or check that it is about
	Text      string       `json:"text"`              // as the scheduler, the container or the load balancer put it
	Points    Cause        `json:"points,omitempty"`  // the cause that it points to; empty: none by itself
	Final     bool         `json:"final,omitempty"`   // it shows that no further attempt can succeed
}

// Counts reports whether the evidence tells of a task that failed, rather than adding to another's story.
func (e Evidence) Counts() bool {
	return e.New && e.Task != "" && (e.Kind == TaskStopped || e.Kind == TargetSick || e.Kind == EventSeen && e.Points != "")
}
