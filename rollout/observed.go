package rollout

import (
	"encoding/json"
	"time"

	"github.com/slipway-cd/slipway/descriptor"
)

// ServiceStatus is what a service is at all.
type ServiceStatus string

// The statuses of a service.
const (
	Missing  ServiceStatus = "missing"  // it doesn't exist, or not any more
	Active   ServiceStatus = "active"   // it is kept running
	Draining ServiceStatus = "draining" // it was deleted and its tasks are stopping
)

// Observed is what a scheduler says about one service at one moment.
type Observed struct {
	Ref    ServiceRef    `json:"ref"`
	At     time.Time     `json:"at"`
	Status ServiceStatus `json:"status"`

	Deployments []Deployment   `json:"deployments"`         // the primary one first
	Events      []Event        `json:"events,omitempty"`    // newest first
	Trouble     int            `json:"-"`                   // grows with every sign that something goes wrong: time to ask for evidence
	Newest      *Revision      `json:"newest,omitempty"`    // the family's newest revision; nil: none, or nothing to compare with
	Running     *Revision      `json:"running,omitempty"`   // what the primary deployment runs
	Differs     []Difference   `json:"differs,omitempty"`   // the service's own attributes, against the wanted service update
	Tasks       []Task         `json:"tasks,omitempty"`     // with Tasks
	Targets     []TargetHealth `json:"targets,omitempty"`   // with Tasks
	Addresses   []string       `json:"addresses,omitempty"` // host or host:port of the load balancers, with Addresses
	Record      string         `json:"-"`                   // under which name the scheduler keeps the deployment under way; empty: there is none
	Shift       *Shift         `json:"shift,omitempty"`     // of the deployment under way, when it shifts traffic
	Planned     time.Duration  `json:"-"`                   // how long the service's strategy waits by itself: bake times, steps

	Proven      []Proof      `json:"proven,omitempty"`      // newest first, with Past
	LastFailure *LastFailure `json:"lastFailure,omitempty"` // with Past

	// Raw is the service as the scheduler described it, kept so that a rollback can restore what it knows nothing of.
	Raw json.RawMessage `json:"-"`

	// Evidence and Checks are what the caller found out besides, for Next to weigh.
	Evidence   []Evidence    `json:"-"`
	EvidenceOf DeploymentID  `json:"-"` // against which deployment Evidence speaks; empty: the one that is followed
	Checks     []CheckResult `json:"checks,omitempty"`
}

// Primary returns the deployment that the scheduler works towards, or nil.
func (o Observed) Primary() *Deployment {
	for i := range o.Deployments {
		if o.Deployments[i].Primary {
			return &o.Deployments[i]
		}
	}
	return nil
}

// Deployment returns the deployment with the id, or nil.
func (o Observed) Deployment(id DeploymentID) *Deployment {
	for i := range o.Deployments {
		if o.Deployments[i].ID == id {
			return &o.Deployments[i]
		}
	}
	return nil
}

// DeploymentState is how far a deployment has come, as the scheduler judges it.
type DeploymentState string

// The states of a deployment.
const (
	InProgress DeploymentState = "in-progress"
	Completed  DeploymentState = "completed"
	Broken     DeploymentState = "failed" // the scheduler has given it up
)

// Deployment brings the tasks of one revision to the wanted number.
type Deployment struct {
	ID       DeploymentID    `json:"id"`
	Primary  bool            `json:"primary"`
	State    DeploymentState `json:"state"`
	Reason   string          `json:"reason,omitempty"`
	Undoes   bool            `json:"undoes,omitempty"` // the scheduler itself went back to it
	Revision RevisionID      `json:"revision"`
	Version  string          `json:"version,omitempty"` // of the image, as far as it can be told
	Desired  int             `json:"desired"`
	Running  int             `json:"running"`
	Pending  int             `json:"pending"`
	Failed   int             `json:"failed"`
	Created  time.Time       `json:"created"`
}

// Event is one message of the scheduler about a service.
type Event struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Revision is a registered task definition, and how it differs from the wanted one.
type Revision struct {
	ID      RevisionID   `json:"id"`
	Version string       `json:"version,omitempty"` // of the image, as far as it can be told
	Differs []Difference `json:"differs,omitempty"` // empty: it is what is wanted
}

// Difference is one member of a document that is not as wanted.
type Difference struct {
	Document descriptor.Kind `json:"document"`
	Path     string          `json:"path"`
	Have     string          `json:"have,omitempty"` // JSON; empty: there is none
	Want     string          `json:"want,omitempty"` // JSON; empty: there should be none
}

// TaskHealth is what the health checks of a task's essential containers say together.
type TaskHealth string

// The healths of a task.
const (
	Unchecked TaskHealth = "unchecked" // no essential container has a health check
	Unknown   TaskHealth = "unknown"   // checked, with no answer yet
	Healthy   TaskHealth = "healthy"
	Unhealthy TaskHealth = "unhealthy"
)

// TaskStatus is how far a task is in its life.
type TaskStatus string

// The statuses of a task.
const (
	TaskPending  TaskStatus = "pending" // on its way to running
	TaskRunning  TaskStatus = "running"
	TaskStopping TaskStatus = "stopping" // still there, but not wanted any more
)

// Task is one task of a service that has not stopped yet.
type Task struct {
	ID         TaskID       `json:"id"`
	Revision   RevisionID   `json:"revision"`
	Deployment DeploymentID `json:"deployment,omitempty"`
	Status     TaskStatus   `json:"status"`
	Health     TaskHealth   `json:"health"`
	Started    time.Time    `json:"started,omitzero"`
	Host       string       `json:"host,omitempty"`
}

// TargetState is what a load balancer says of a target.
type TargetState string

// The states of a target.
const (
	TargetHealthy   TargetState = "healthy"
	TargetUnhealthy TargetState = "unhealthy"
	TargetInitial   TargetState = "initial"  // being registered, or checked for the first time
	TargetDraining  TargetState = "draining" // being taken out
)

// TargetHealth is one target of a load balancer.
type TargetHealth struct {
	Task   TaskID      `json:"task,omitempty"` // that it stands for, where this can be told
	Group  string      `json:"group"`          // target group, or the classic load balancer
	ID     string      `json:"id"`             // instance or address
	Port   int         `json:"port,omitempty"`
	State  TargetState `json:"state"`
	Reason string      `json:"reason,omitempty"`
}

// Proof is a deployment that was once brought to its end: what a rollback can go back to.
type Proof struct {
	Deployment DeploymentID `json:"deployment"`
	Revision   RevisionID   `json:"revision,omitempty"` // empty unless asked for with Records
	Record     string       `json:"record,omitempty"`   // where the scheduler keeps all its attributes (ECS: service revision)
	At         time.Time    `json:"at,omitzero"`
	Took       float64      `json:"tookSeconds,omitempty"` // until it was brought to its end
}

// LastFailure is the newest deployment of a service that did not succeed, when nothing newer but its undoing has.
type LastFailure struct {
	Deployment DeploymentID `json:"deployment,omitempty"`
	Revision   RevisionID   `json:"revision,omitempty"`
	Version    string       `json:"version,omitempty"`
	Reason     string       `json:"reason,omitempty"`
	Started    time.Time    `json:"started,omitzero"`
	Ended      time.Time    `json:"ended,omitzero"`
	RolledBack bool         `json:"rolledBack"`
}

// CheckResult is what the newest try of one check came to.
type CheckResult struct {
	Check  Check  `json:"check"`
	Passed bool   `json:"passed"`
	Text   string `json:"text"` // what was answered, or why there was no answer
}
