package ecsapi

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// maxTaskSets is how many task sets a service can have at once. [recorded refusal of CreateTaskSet]
const maxTaskSets = 5

// firstTaskSet is the one that a service with the CODE_DEPLOY controller begins with.
func firstTaskSet(svc *state.Service) state.TaskSet {
	set := state.TaskSet{}
	awsdoc.Assign(&set.Doc, &svc.Doc, "Tags", "TaskSets")
	set.Doc.Status, set.Doc.Scale = awsdoc.Text("%s", state.Primary), &types.Scale{Value: 100, Unit: types.ScaleUnitPercent}
	return set
}

// CreateTaskSet adds a set of tasks to a service whose deployments somebody else controls. The same request under the same
// client token is answered with the set that the first one made.
func (s *Server) CreateTaskSet(_ context.Context, in *ecs.CreateTaskSetInput) (*ecs.CreateTaskSetOutput, error) {
	if err := checkTaskSet(in); err != nil {
		return nil, err
	}
	var doc types.TaskSet
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		svc, err := managedService(tx.Snapshot, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		n := 0
		for set := range tx.TaskSets(svc.ID) {
			if n++; set.Token != "" && set.Token == awsdoc.Or(in.ClientToken, "") {
				doc = describeTaskSet(tx.Snapshot, svc, set)
				return nil
			}
		}
		if n >= maxTaskSets {
			return invalid("%d deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.", n)
		}
		set, err := s.newTaskSet(tx, svc, in)
		if err != nil {
			return err
		}
		doc = describeTaskSet(tx.Snapshot, svc, set)
		doc.Tags = awsdoc.List(in.Tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateTaskSetOutput{TaskSet: &doc}, nil
}

// checkTaskSet refuses what can be refused without looking at anything else.
func checkTaskSet(in *ecs.CreateTaskSetInput) error {
	if len(awsdoc.Or(in.ClientToken, "")) > 36 {
		return invalid("idempotency token longer than 36.")
	}
	if err := checkLaunch(in.LaunchType, in.CapacityProviderStrategy); err != nil {
		return err
	}
	if err := checkServed(nil, wishes{registries: len(in.ServiceRegistries)}); err != nil {
		return err
	}
	if err := checkScale(in.Scale); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

func checkScale(scale *types.Scale) error {
	switch {
	case scale == nil:
		return nil
	case scale.Unit != "" && scale.Unit != types.ScaleUnitPercent:
		return invalid("Unknown scale unit %q.", scale.Unit)
	case scale.Value < 0 || scale.Value > 100:
		return invalid("The scale of a task set must be between 0 and 100 percent.")
	}
	return nil
}

func (s *Server) newTaskSet(tx *state.Tx, svc *state.Service, in *ecs.CreateTaskSetInput) (*state.TaskSet, error) {
	definition, err := usableTaskDefinition(tx.Snapshot, awsdoc.Or(in.TaskDefinition, ""))
	if err != nil {
		return nil, err
	}
	set := state.TaskSet{Token: awsdoc.Or(in.ClientToken, "")}
	awsdoc.Assign(&set.Doc, in, "TaskDefinition")
	set.Doc.Status = awsdoc.Text("ACTIVE")
	if set.Doc.Scale == nil {
		set.Doc.Scale = &types.Scale{}
	}
	set.Doc.Scale = &types.Scale{Value: set.Doc.Scale.Value, Unit: types.ScaleUnitPercent}
	if controller(svc.Doc.DeploymentController) == types.DeploymentControllerTypeCodeDeploy {
		set.Doc.StartedBy = awsdoc.Text("CODE_DEPLOY")
	}
	wish, c := s.wishOfSet(tx.Snapshot, svc, &set.Doc)
	if err := checkStrategy(c, wish.CapacityProviderStrategy); err != nil {
		return nil, err
	}
	if err := s.checkService(tx.Snapshot, &wish, definition); err != nil {
		return nil, err
	}
	set.Doc.LaunchType, set.Doc.CapacityProviderStrategy = wish.LaunchType, wish.CapacityProviderStrategy
	set.Doc.PlatformVersion, set.Doc.PlatformFamily, set.Doc.NetworkConfiguration = wish.PlatformVersion, wish.PlatformFamily, wish.NetworkConfiguration
	changed := *svc
	changed.Doc = wish
	return s.engine.NewTaskSet(tx, svc, definition, revisionOf(&changed, in), set), nil
}

// wishOfSet is what a service would be that had the members of the task set, with AWS's defaults; and the service's cluster.
func (s *Server) wishOfSet(snap state.Snapshot, svc *state.Service, set *types.TaskSet) (types.Service, *state.Cluster) {
	c, ok := snap.Cluster(svc.ID.Cluster)
	if !ok {
		c = &state.Cluster{Name: svc.ID.Cluster}
	}
	wish := svc.Doc
	wish.LaunchType, wish.CapacityProviderStrategy = set.LaunchType, set.CapacityProviderStrategy
	wish.LoadBalancers, wish.ServiceRegistries = set.LoadBalancers, set.ServiceRegistries
	wish.NetworkConfiguration = withPublicAddress(set.NetworkConfiguration)
	wish.PlatformVersion, wish.PlatformFamily = set.PlatformVersion, nil
	if wish.LaunchType == "" && len(wish.CapacityProviderStrategy) == 0 {
		wish.CapacityProviderStrategy = c.Doc.DefaultCapacityProviderStrategy
	}
	defaultService(&wish)
	return wish, c
}

// managedService finds a service that has task sets of somebody's.
func managedService(snap state.Snapshot, cluster, service *string) (*state.Service, error) {
	svc, err := activeService(snap, cluster, service)
	if err == nil && !svc.Managed() {
		err = invalid("Amazon ECS only supports task set management on services configured to use external deployment controllers.")
	}
	return svc, err
}

// findTaskSet finds a task set of a service by its id or ARN.
func findTaskSet(snap state.Snapshot, svc *state.Service, ref *string) (*state.TaskSet, error) {
	want := awsdoc.Or(ref, "")
	for set := range snap.TaskSets(svc.ID) {
		if want == set.ARN || want == string(set.Deployment) || want == strings.TrimPrefix(string(set.Deployment), "ecs-svc/") {
			return set, nil
		}
	}
	return nil, &types.TaskSetNotFoundException{Message: awsdoc.Text("The specified task set does not exist.")}
}

// UpdateTaskSet changes the scale of a task set.
func (s *Server) UpdateTaskSet(_ context.Context, in *ecs.UpdateTaskSetInput) (*ecs.UpdateTaskSetOutput, error) {
	if err := checkScale(in.Scale); err != nil {
		return nil, err
	}
	doc, err := s.changeTaskSet(in.Cluster, in.Service, in.TaskSet, func(_ *state.Tx, _ *state.Service, set *state.TaskSet) (*state.TaskSet, error) {
		if awsdoc.Or(set.Doc.Status, "") == "DRAINING" {
			return nil, invalid("The task set is being deleted and cannot be updated.")
		}
		set.Doc.Scale = &types.Scale{Value: in.Scale.Value, Unit: types.ScaleUnitPercent}
		return set, nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateTaskSetOutput{TaskSet: doc}, nil
}

// DeleteTaskSet stops the tasks of a task set, and forgets it when they are gone. One that still wants tasks, and the
// PRIMARY one, are deleted only by force.
func (s *Server) DeleteTaskSet(_ context.Context, in *ecs.DeleteTaskSetInput) (*ecs.DeleteTaskSetOutput, error) {
	force := awsdoc.Or(in.Force, false)
	doc, err := s.changeTaskSet(in.Cluster, in.Service, in.TaskSet, func(tx *state.Tx, svc *state.Service, set *state.TaskSet) (*state.TaskSet, error) {
		switch {
		case force:
		case awsdoc.Or(set.Doc.Status, "") == string(state.Primary):
			return nil, invalid("The PRIMARY task set cannot be deleted. Make another one PRIMARY, or delete it by force.")
		case schedule.TaskSetSize(svc, set) > 0:
			return nil, invalid("The task set cannot be deleted while it is scaled above 0.")
		}
		set.Doc.Status = awsdoc.Text("DRAINING")
		if d, ok := tx.Deployment(set.Deployment); ok && d.Status == state.Primary {
			demoted := *d
			demoted.Status = state.Active
			tx.Put(&demoted)
		}
		return set, nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteTaskSetOutput{TaskSet: doc}, nil
}

// UpdateServicePrimaryTaskSet makes a task set the PRIMARY one of its service.
func (s *Server) UpdateServicePrimaryTaskSet(_ context.Context, in *ecs.UpdateServicePrimaryTaskSetInput) (*ecs.UpdateServicePrimaryTaskSetOutput, error) {
	doc, err := s.changeTaskSet(in.Cluster, in.Service, in.PrimaryTaskSet, func(tx *state.Tx, svc *state.Service, set *state.TaskSet) (*state.TaskSet, error) {
		if awsdoc.Or(set.Doc.Status, "") == "DRAINING" {
			return nil, invalid("The task set is being deleted and cannot be the PRIMARY one.")
		}
		return s.engine.SetPrimary(tx, svc, set), nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateServicePrimaryTaskSetOutput{TaskSet: doc}, nil
}

// changeTaskSet changes a copy of a task set and puts what comes back.
func (s *Server) changeTaskSet(
	cluster, service, ref *string, change func(*state.Tx, *state.Service, *state.TaskSet) (*state.TaskSet, error),
) (*types.TaskSet, error) {
	var doc types.TaskSet
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		svc, err := managedService(tx.Snapshot, cluster, service)
		if err != nil {
			return err
		}
		set, err := findTaskSet(tx.Snapshot, svc, ref)
		if err != nil {
			return err
		}
		copied := *set
		changed, err := change(tx, svc, &copied)
		if err != nil {
			return err
		}
		now := s.engine.Now()
		changed.Doc.UpdatedAt = &now
		tx.Put(changed)
		touch(tx, svc.ID)
		doc = describeTaskSet(tx.Snapshot, svc, changed)
		return nil
	})
	return &doc, err
}

// touch has the scheduler look at a service.
func touch(tx *state.Tx, key state.ServiceKey) {
	if svc, ok := tx.Service(key); ok {
		changed := *svc
		changed.Steady = false
		tx.Put(&changed)
	}
}

// DescribeTaskSets describes the named task sets of a service, or all of them.
func (s *Server) DescribeTaskSets(_ context.Context, in *ecs.DescribeTaskSetsInput) (*ecs.DescribeTaskSetsOutput, error) {
	snap := s.engine.DB().Read()
	svc, err := managedService(snap, in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	tags := slices.Contains(in.Include, types.TaskSetFieldTags)
	out := &ecs.DescribeTaskSetsOutput{}
	if len(in.TaskSets) == 0 {
		out.TaskSets = describeTaskSets(snap, svc, tags)
	}
	for _, ref := range in.TaskSets {
		set, err := findTaskSet(snap, svc, &ref)
		if err != nil {
			out.Failures = append(out.Failures, types.Failure{Arn: &ref, Reason: awsdoc.Text("MISSING")})
			continue
		}
		doc := describeTaskSet(snap, svc, set)
		doc.Tags = tagsIf(tags, set.Doc.Tags)
		out.TaskSets = append(out.TaskSets, doc)
	}
	return out, nil
}

// describeTaskSets describes all task sets of a service, the PRIMARY one first, then the newest.
func describeTaskSets(snap state.Snapshot, svc *state.Service, tags bool) []types.TaskSet {
	list := []types.TaskSet{}
	for set := range snap.TaskSets(svc.ID) {
		doc := describeTaskSet(snap, svc, set)
		doc.Tags = tagsIf(tags, set.Doc.Tags)
		list = append(list, doc)
	}
	primary := func(s types.TaskSet) int {
		if awsdoc.Or(s.Status, "") == string(state.Primary) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b types.TaskSet) int {
		return cmp.Or(primary(a)-primary(b), b.CreatedAt.Compare(*a.CreatedAt))
	})
	return list
}

// describeTaskSet counts the tasks of a task set.
func describeTaskSet(snap state.Snapshot, svc *state.Service, set *state.TaskSet) types.TaskSet {
	doc := set.Doc
	doc.Tags = nil
	doc.ComputedDesiredCount = int32(schedule.TaskSetSize(svc, set))
	for t := range snap.TasksOfDeployment(set.Deployment) {
		switch {
		case isRunning(t):
			doc.RunningCount++
		case isPending(t):
			doc.PendingCount++
		}
	}
	doc.LoadBalancers, doc.ServiceRegistries = awsdoc.List(doc.LoadBalancers), awsdoc.List(doc.ServiceRegistries)
	return doc
}
