package state

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// DeploymentID is "ecs-svc/" and a decimal number; it is also what the tasks of the deployment were started by.
type DeploymentID string

// DeploymentStatus says which part a deployment has in its service.
type DeploymentStatus string

// PRIMARY is the one wanted, ACTIVE ones are being replaced, INACTIVE ones have no tasks and are no longer described.
const (
	Primary  DeploymentStatus = "PRIMARY"
	Active   DeploymentStatus = "ACTIVE"
	Inactive DeploymentStatus = "INACTIVE"
)

// Deployment brings one revision of a service to its desired count. A deployment that was COMPLETED once can become
// PRIMARY again under its old id, which is how a circuit breaker rolls back. [ecs-behaviour 1.3]
type Deployment struct {
	ID                DeploymentID
	Service           ServiceKey
	Status            DeploymentStatus
	Revision          string // ARN of the service revision: all that a new deployment fixes
	ServiceDeployment string // ARN of the service deployment that it belongs to
	TaskDefinition    TaskDefinitionID
	Created, Updated  time.Time

	State     types.DeploymentRolloutState
	Reason    string
	Completed time.Time // when it last reached COMPLETED; zero when it never has

	Failed      int               // tasks that failed, as DescribeServices tells
	Consecutive int               // failures that the circuit breaker counts
	Running     bool              // one of its tasks has been RUNNING
	Broken      bool              // it has failed: it starts nothing more
	Cause       Cause             // why it has failed
	Because     string            // the same in words, as the end of a sentence: "the circuit breaker threshold was exceeded."
	RollbackTo  DeploymentID      // on a broken deployment: what it was rolled back to
	Wanted      int               // tasks it is meant to have now; while it is ACTIVE it only shrinks
	Launches    int               // rounds of starts in a row of which a task stopped before it was RUNNING: throttles restarts
	LastFailed  time.Time         // when the last of those failures was noticed
	NotBefore   time.Time         // no task of it is started earlier [ecs-behaviour 1.5]
	Digests     map[string]string // container → image digest that its first task resolved
	Told        map[string]Told   // the last event of each sort told about it, so that it isn't repeated

	Alarms AlarmWatch // what its alarms have said
	Baking time.Time  // since when a rolling deployment has been watched although all is there; zero before
	Shift  *Shift     // how far it has come when it shifts traffic; nil when it is a rolling deployment
}

// Told is an event that was told, and when.
type Told struct {
	Text string
	At   time.Time
}

func (d *Deployment) Kind() Kind  { return KindDeployment }
func (d *Deployment) Key() string { return string(d.ID) }

// ServiceDeployment is the history of one deployment, rollback included. Doc is what AWS describes.
type ServiceDeployment struct {
	ARN     string
	Service ServiceKey
	Doc     types.ServiceDeployment
}

func (d *ServiceDeployment) Kind() Kind  { return KindServiceDeployment }
func (d *ServiceDeployment) Key() string { return d.ARN }

// Revision is one service revision: task definition, load balancers, network and whatever else makes a new deployment
// when it changes. Doc is what AWS describes.
type Revision struct {
	ARN     string
	Service ServiceKey
	Doc     types.ServiceRevision
}

func (r *Revision) Kind() Kind  { return KindRevision }
func (r *Revision) Key() string { return r.ARN }
