package state

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TaskSet is a set of tasks of a service whose deployments somebody else controls (EXTERNAL, CODE_DEPLOY). Its tasks are
// those of the deployment of the same id. Doc is what AWS describes, without the counts, which are counted when asked for.
type TaskSet struct {
	ARN        string
	Service    ServiceKey
	Deployment DeploymentID
	Token      string // client token of the request that created it
	Doc        types.TaskSet
}

func (t *TaskSet) Kind() Kind  { return KindTaskSet }
func (t *TaskSet) Key() string { return t.ARN }

// TaskSet returns the task set with that ARN.
func (s Snapshot) TaskSet(arn string) (*TaskSet, bool) { return get[*TaskSet](s, KindTaskSet, arn) }

// TaskSets returns the task sets of a service, by ARN.
func (s Snapshot) TaskSets(key ServiceKey) iter.Seq[*TaskSet] {
	return all[*TaskSet](s, KindTaskSet, byService, key.String())
}

// Managed reports whether somebody else than ECS controls the deployments of the service, by its task sets.
func (s *Service) Managed() bool {
	c := s.Doc.DeploymentController
	return c != nil && (c.Type == types.DeploymentControllerTypeExternal || c.Type == types.DeploymentControllerTypeCodeDeploy)
}
