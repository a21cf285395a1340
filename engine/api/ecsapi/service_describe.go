package ecsapi

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// DescribeServices describes up to ten services of a cluster.
func (s *Server) DescribeServices(_ context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.Services) == 0 {
		return nil, invalid("Services cannot be empty.")
	}
	if len(in.Services) > 10 {
		return nil, invalid("Services cannot have more than 10 elements.")
	}
	out := &ecs.DescribeServicesOutput{Services: make([]types.Service, 0, len(in.Services))}
	for _, ref := range in.Services {
		if err := sameCluster(c, ref); err != nil {
			return nil, err
		}
		key := serviceKey(c.Name, ref)
		svc, ok := snap.Service(key)
		if !ok {
			arn := s.engine.Identity().ServiceARN(key)
			out.Failures = append(out.Failures, types.Failure{Arn: &arn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		doc := s.describeService(snap, svc)
		if slices.Contains(in.Include, types.ServiceFieldTags) {
			doc.Tags = awsdoc.List(svc.Doc.Tags)
		}
		out.Services = append(out.Services, doc)
	}
	return out, nil
}

// describeService adds to a wish what has become of it.
func (s *Server) describeService(snap state.Snapshot, svc *state.Service) types.Service {
	doc := svc.Doc
	doc.Tags = nil // only with include=TAGS
	doc.Events = awsdoc.List(snap.Events(svc.ID).List)
	doc.LoadBalancers = awsdoc.List(doc.LoadBalancers)
	doc.ServiceRegistries = awsdoc.List(doc.ServiceRegistries)
	doc.PlacementConstraints = awsdoc.List(doc.PlacementConstraints)
	doc.PlacementStrategy = awsdoc.List(doc.PlacementStrategy)
	doc.Deployments = make([]types.Deployment, 0, 1) // one, but while it is being replaced
	if svc.Managed() {
		doc.TaskSets = describeTaskSets(snap, svc, false)
		for _, set := range doc.TaskSets {
			doc.RunningCount += set.RunningCount
			doc.PendingCount += set.PendingCount
		}
		return doc
	}
	counts := countTasks(snap, svc.ID)
	for _, d := range visible(snap, svc.ID) {
		n := counts[d.ID]
		doc.RunningCount += n.running
		doc.PendingCount += n.pending
		doc.Deployments = append(doc.Deployments, s.describeDeployment(snap, svc, d, n))
		doc.CurrentServiceRevisions = append(doc.CurrentServiceRevisions, types.ServiceCurrentRevisionSummary{
			Arn: &d.Revision, RequestedTaskCount: wanted(svc, d, n), RunningTaskCount: n.running, PendingTaskCount: n.pending,
		})
		if h, ok := snap.ServiceDeployment(d.ServiceDeployment); ok && underway(h.Doc.Status) {
			doc.CurrentServiceDeployment = &d.ServiceDeployment
		}
	}
	return doc
}

// justMade describes a service as AWS answers the request that made its newest deployment: nothing of it has begun.
// [recorded answers of CreateService and UpdateService, 2026]
func justMade(doc types.Service) types.Service {
	doc.CurrentServiceDeployment = nil
	doc.Deployments[0].DesiredCount = 0
	doc.CurrentServiceRevisions[0].RequestedTaskCount = 0
	return doc
}

func underway(s types.ServiceDeploymentStatus) bool {
	switch s {
	case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress,
		types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress,
		types.ServiceDeploymentStatusStopRequested:
		return true
	default:
		return false
	}
}

type count struct {
	running, pending int32
	wanted           int32 // those that nobody has stopped
}

// countTasks counts those tasks of a service that are not history.
func countTasks(snap state.Snapshot, key state.ServiceKey) map[state.DeploymentID]count {
	counts := map[state.DeploymentID]count{}
	for t := range snap.UnsettledTasksOfService(key) {
		n := counts[t.Deployment]
		switch {
		case isRunning(t):
			n.running++
		case isPending(t):
			n.pending++
		}
		if t.Desired == state.Running {
			n.wanted++
		}
		counts[t.Deployment] = n
	}
	return counts
}

// visible returns the deployments that AWS describes: the PRIMARY one first, then the ACTIVE ones, newest first.
func visible(snap state.Snapshot, key state.ServiceKey) []*state.Deployment {
	var list []*state.Deployment
	for d := range snap.Deployments(key) {
		if d.Status != state.Inactive {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *state.Deployment) int {
		return cmp.Or(-cmp.Compare(a.Status, b.Status), b.Created.Compare(a.Created)) // "PRIMARY" > "ACTIVE"
	})
	return list
}

// wanted is how many tasks a deployment is to have: all that the service wants when it is PRIMARY; what it still has of
// them when it is being replaced, which is how AWS counts an ACTIVE deployment down.
func wanted(svc *state.Service, d *state.Deployment, n count) int32 {
	if d.Status == state.Primary {
		return svc.Doc.DesiredCount
	}
	return n.wanted
}

func (s *Server) describeDeployment(snap state.Snapshot, svc *state.Service, d *state.Deployment, n count) types.Deployment {
	var doc types.Deployment
	if r, ok := snap.Revision(d.Revision); ok {
		awsdoc.Assign(&doc, &r.Doc)
	}
	doc.Id, doc.Status = awsdoc.Text("%s", d.ID), awsdoc.Text("%s", d.Status)
	doc.TaskDefinition = awsdoc.Text("%s", s.engine.Identity().TaskDefinitionARN(d.TaskDefinition))
	doc.CreatedAt, doc.UpdatedAt = timeOrNil(d.Created), timeOrNil(d.Updated)
	doc.DesiredCount, doc.RunningCount, doc.PendingCount = wanted(svc, d, n), n.running, n.pending
	doc.FailedTasks = int32(d.Failed)
	doc.RolloutState, doc.RolloutStateReason = d.State, stringOrNil(d.Reason)
	return doc
}

// ListServices lists the services of a cluster that are not INACTIVE.
func (s *Server) ListServices(_ context.Context, in *ecs.ListServicesInput) (*ecs.ListServicesOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	arns, next, err := pageOf(func(after string) iter.Seq[string] {
		return func(yield func(string) bool) {
			for svc := range snap.ServicesAfter(c.Name, engine.ResourceName(after)) {
				if listed(svc, in) && !yield(*svc.Doc.ServiceArn) {
					return
				}
			}
		}
	}, in.NextToken, awsdoc.Or(in.MaxResults, 10))
	if err != nil {
		return nil, err
	}
	return &ecs.ListServicesOutput{ServiceArns: arns, NextToken: next}, nil
}

func listed(svc *state.Service, in *ecs.ListServicesInput) bool {
	return awsdoc.Or(svc.Doc.Status, "") != "INACTIVE" &&
		(in.LaunchType == "" || in.LaunchType == svc.Doc.LaunchType) &&
		(in.SchedulingStrategy == "" || in.SchedulingStrategy == svc.Doc.SchedulingStrategy) &&
		(in.ResourceManagementType == "" || in.ResourceManagementType == svc.Doc.ResourceManagementType)
}
