package ecsapi

import (
	"context"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// UpdateService changes a wish. Members that are left out stay as they are. Whether that makes a new deployment depends
// on what changed. [ecs-behaviour 1.2]
func (s *Server) UpdateService(_ context.Context, in *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error) {
	if err := checkUpdate(in); err != nil {
		return nil, err
	}
	var doc types.Service
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		old, err := activeService(tx.Snapshot, in.Cluster, in.Service)
		if err != nil {
			return err
		}
		if err := checkChange(old, in); err != nil {
			return err
		}
		if managed(old) {
			doc = s.updateManaged(tx, old, in)
			return nil
		}
		changed, definition, err := s.change(tx, old, in)
		if err != nil {
			return err
		}
		before := currentRevision(tx.Snapshot, old)
		after, wish := before, revisionOf(changed, in)
		awsdoc.Assign(&after, &wish)
		after.LaunchType, after.CapacityProviderStrategy = wish.LaunchType, wish.CapacityProviderStrategy
		after.PlatformVersion, after.PlatformFamily = wish.PlatformVersion, wish.PlatformFamily
		tx.Put(changed)
		renewed := in.ForceNewDeployment || !sameRevision(before, after)
		if renewed {
			s.engine.NewDeployment(tx, changed, definition, after)
		}
		if doc = s.describeService(tx.Snapshot, changed); renewed {
			doc = justMade(doc)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateServiceOutput{Service: &doc}, nil
}

func checkUpdate(in *ecs.UpdateServiceInput) error {
	if awsdoc.Or(in.Service, "") == "" {
		return invalid("Service cannot be empty.")
	}
	if in.DesiredCount != nil && *in.DesiredCount < 0 {
		return invalid("Task count can not be lesser than 0")
	}
	return checkServed(in.DeploymentController, wishes{
		registries: len(in.ServiceRegistries), connect: in.ServiceConnectConfiguration, volumes: len(in.VolumeConfigurations),
		lattice: len(in.VpcLatticeConfigurations), gateways: len(in.GatewayConnectors),
	})
}

// activeService finds a service that can still be changed.
func activeService(snap state.Snapshot, cluster, service *string) (*state.Service, error) {
	c, err := activeCluster(snap, cluster)
	if err != nil {
		return nil, err
	}
	if err := sameCluster(c, awsdoc.Or(service, "")); err != nil {
		return nil, err
	}
	svc, ok := snap.Service(serviceKey(c.Name, awsdoc.Or(service, "")))
	switch {
	case !ok:
		return nil, serviceNotFound()
	case awsdoc.Or(svc.Doc.Status, "") != "ACTIVE":
		return nil, &types.ServiceNotActiveException{Message: awsdoc.Text("Service was not ACTIVE.")}
	}
	return svc, nil
}

// change returns the service as the request wants it, checked.
func (s *Server) change(tx *state.Tx, old *state.Service, in *ecs.UpdateServiceInput) (*state.Service, *state.TaskDefinition, error) {
	changed := *old
	changed.Changed = s.engine.Now()
	changed.Steady = false
	awsdoc.Assign(&changed.Doc, in, "TaskDefinition", "DeploymentConfiguration")
	changed.Doc.NetworkConfiguration = withPublicAddress(changed.Doc.NetworkConfiguration)
	if in.LoadBalancers != nil { // an empty list removes them all
		changed.Doc.LoadBalancers = in.LoadBalancers
	}
	if in.ServiceRegistries != nil {
		changed.Doc.ServiceRegistries = in.ServiceRegistries
	}
	if in.DeploymentConfiguration != nil {
		merged, err := mergeConfiguration(old.Doc.DeploymentConfiguration, in.DeploymentConfiguration)
		if err != nil {
			return nil, nil, err
		}
		changed.Doc.DeploymentConfiguration = merged
	}
	if err := checkConfiguration(changed.Doc.DeploymentConfiguration, changed.Doc.AvailabilityZoneRebalancing); err != nil {
		return nil, nil, err
	}
	if err := launchAnew(tx.Snapshot, &changed, in.CapacityProviderStrategy); err != nil {
		return nil, nil, err
	}
	ref := awsdoc.Or(changed.Doc.TaskDefinition, "")
	definition, ok := findTaskDefinition(tx.Snapshot, ref)
	if in.TaskDefinition != nil {
		var err error
		if definition, err = usableTaskDefinition(tx.Snapshot, *in.TaskDefinition); err != nil {
			return nil, nil, err
		}
		changed.Doc.TaskDefinition = definition.Doc.TaskDefinitionArn
	} else if !ok {
		return nil, nil, clientError("TaskDefinition not found.")
	}
	return &changed, definition, s.checkService(tx.Snapshot, &changed.Doc, definition)
}

// mergeConfiguration changes how a service is deployed; members that are left out stay as they are, unless they belong to
// another strategy.
func mergeConfiguration(old, given *types.DeploymentConfiguration) (*types.DeploymentConfiguration, error) {
	merged := *old
	awsdoc.Assign(&merged, given)
	if merged.Strategy == types.DeploymentStrategyBlueGreen && old.Strategy != merged.Strategy {
		merged.BakeTimeInMinutes = given.BakeTimeInMinutes // which that strategy asks to be said
	}
	if err := checkStrategyMembers(given, &merged); err != nil {
		return nil, err
	}
	return withDefaults(&merged), nil
}

// launchAnew changes what the tasks of a service run on: a strategy takes the place of the launch type, and an empty one
// gives it back. [API reference: UpdateService, capacityProviderStrategy]
func launchAnew(snap state.Snapshot, svc *state.Service, strategy []types.CapacityProviderStrategyItem) error {
	if strategy == nil {
		return nil
	}
	svc.Doc.CapacityProviderStrategy, svc.Doc.LaunchType = strategy, ""
	if len(strategy) == 0 {
		svc.Doc.CapacityProviderStrategy = nil
	}
	if !onFargate("", strategy) {
		svc.Doc.PlatformVersion, svc.Doc.PlatformFamily = nil, nil
	}
	defaultService(&svc.Doc)
	c, ok := snap.Cluster(svc.ID.Cluster)
	if !ok {
		return clusterNotFound()
	}
	return checkStrategy(c, strategy)
}

// currentRevision is what the newest deployment of the service fixed.
func currentRevision(snap state.Snapshot, svc *state.Service) types.ServiceRevision {
	for d := range snap.Deployments(svc.ID) {
		if d.Status == state.Primary {
			if r, ok := snap.Revision(d.Revision); ok {
				return r.Doc
			}
		}
	}
	return types.ServiceRevision{}
}

// sameRevision compares what makes a new deployment, not what describes it.
func sameRevision(a, b types.ServiceRevision) bool {
	for _, r := range []*types.ServiceRevision{&a, &b} {
		r.ServiceRevisionArn, r.CreatedAt, r.ContainerImages, r.ResolvedConfiguration = nil, nil, nil, nil
		r.ServiceArn, r.ClusterArn, r.GuardDutyEnabled = nil, nil, false
		r.LoadBalancers, r.ServiceRegistries = awsdoc.List(r.LoadBalancers), awsdoc.List(r.ServiceRegistries)
		r.CapacityProviderStrategy = awsdoc.List(r.CapacityProviderStrategy)
	}
	return reflect.DeepEqual(a, b)
}
