package rollout

import (
	"encoding/json"
	"fmt"

	"github.com/slipway-cd/slipway/descriptor"
)

// StepKind is what a step does.
type StepKind string

// The kinds of steps. Those for which Changes holds are performed by the target; the others wait and look.
const (
	Register StepKind = "register" // the task definition, as a new revision
	Create   StepKind = "create"   // the service
	Update   StepKind = "update"   // the service, to the wanted revision and attributes
	Vacate   StepKind = "vacate"   // wait until a deleted service of the same name is gone
	Follow   StepKind = "follow"   // the deployment, until it has completed and all is healthy
	Probe    StepKind = "check"    // what the project wants checked
	Bake     StepKind = "bake"     // see it stay proven for a while
	Rollback StepKind = "rollback" // to the last proven revision
	Resume   StepKind = "resume"   // a deployment that waits for a person
	Halt     StepKind = "halt"     // the deployment under way, as it stands
	Delete   StepKind = "delete"   // the service, with its tasks
	Unwind   StepKind = "unwind"   // follow the rollback to its end
)

// Changes reports whether a target performs steps of this kind, rather than the one who waits for it.
func (k StepKind) Changes() bool {
	switch k {
	case Register, Create, Update, Rollback, Resume, Halt, Delete:
		return true
	}
	return false
}

// Step is one thing to do next, and why.
type Step struct {
	Kind     StepKind        `json:"kind"`
	Ref      ServiceRef      `json:"ref"`
	Document descriptor.Kind `json:"document,omitempty"` // which of the published documents is sent
	Content  []byte          `json:"-"`                  // that document, as published

	Revision   RevisionID   `json:"revision,omitempty"`   // to use; empty: the one that the register step before will return
	Deployment DeploymentID `json:"deployment,omitempty"` // to follow
	Force      bool         `json:"force,omitempty"`      // start a new deployment even if nothing changes

	To     *Proof          `json:"to,omitempty"`     // what a rollback goes back to
	Record string          `json:"record,omitempty"` // of the deployment under way that a step ends or continues; a rollback: by its own means
	Pauses []Pause         `json:"pauses,omitempty"` // what Resume continues
	Before json.RawMessage `json:"-"`                // the service as it was before this rollout changed it; may be missing

	Reasons []Reason `json:"reasons,omitempty"`
}

// String returns what the step does on one line, in words that stay the same from run to run.
func (s Step) String() string {
	switch s.Kind {
	case Register:
		return fmt.Sprintf("register a new revision of task definition %s", s.Ref.Family)
	case Create:
		return fmt.Sprintf("create service %s in cluster %s", s.Ref.Service, s.Ref.Cluster)
	case Update:
		if s.Force {
			return fmt.Sprintf("update service %s and start a new deployment", s.Ref.Service)
		}
		return fmt.Sprintf("update service %s", s.Ref.Service)
	case Vacate:
		return fmt.Sprintf("wait until the deleted service %s is gone", s.Ref.Service)
	case Follow:
		return "follow the deployment until it is complete and everything is healthy"
	case Probe:
		return "run the checks"
	case Bake:
		return "see that it stays so"
	case Rollback:
		return fmt.Sprintf("roll service %s back to the last proven revision", s.Ref.Service)
	case Resume:
		return fmt.Sprintf("continue the deployment of service %s", s.Ref.Service)
	case Halt:
		return fmt.Sprintf("stop the deployment of service %s, as it stands", s.Ref.Service)
	case Delete:
		return fmt.Sprintf("delete service %s with its tasks", s.Ref.Service)
	case Unwind:
		return "follow the rollback until the last proven revision serves again"
	}
	return string(s.Kind)
}

// Receipt is what performing a step came to.
type Receipt struct {
	Revision   RevisionID   // registered
	Deployment DeploymentID // started, or found already on its way
}
