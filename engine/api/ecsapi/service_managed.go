package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// controller is who controls the deployments of a service.
func controller(c *types.DeploymentController) types.DeploymentControllerType {
	if c == nil || c.Type == "" {
		return types.DeploymentControllerTypeEcs
	}
	return c.Type
}

// managed reports whether somebody else than ECS controls the deployments of a service, by its task sets.
func managed(svc *state.Service) bool { return svc.Managed() }

// checkManaged refuses what doesn't go with the controller of a new service. [ECS guide, deployment controllers]
func checkManaged(in *ecs.CreateServiceInput) error {
	kind := controller(in.DeploymentController)
	c := in.DeploymentConfiguration
	switch {
	case kind == types.DeploymentControllerTypeEcs:
		return nil
	case c != nil && c.DeploymentCircuitBreaker != nil && c.DeploymentCircuitBreaker.Enable:
		return invalid("The deployment circuit breaker is not supported with the %s deployment controller.", kind)
	case c != nil && c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling:
		return invalid("The deployment strategy %s is not supported with the %s deployment controller.", c.Strategy, kind)
	case kind == types.DeploymentControllerTypeCodeDeploy && len(in.LoadBalancers) == 0:
		return invalid("A load balancer must be specified for services with a CODE_DEPLOY deployment controller.")
	case kind == types.DeploymentControllerTypeCodeDeploy:
		return nil
	}
	for _, m := range []struct {
		name  string
		given bool
	}{
		{"taskDefinition", in.TaskDefinition != nil},
		{"loadBalancers", len(in.LoadBalancers) > 0},
		{"networkConfiguration", in.NetworkConfiguration != nil},
		{"platformVersion", in.PlatformVersion != nil},
	} {
		if m.given {
			return invalid("%s is not supported for services with an EXTERNAL deployment controller. Specify it in CreateTaskSet.", m.name)
		}
	}
	return nil
}

// createExternal makes a service that has no tasks until somebody creates a task set.
func (s *Server) createExternal(tx *state.Tx, c *state.Cluster, in *ecs.CreateServiceInput, request []byte) (types.Service, error) {
	svc := s.wish(c, in)
	svc.Request = request
	if err := checkStrategy(c, svc.Doc.CapacityProviderStrategy); err != nil {
		return types.Service{}, err
	}
	forget(tx, svc.ID)
	tx.Put(svc)
	doc := s.describeService(tx.Snapshot, svc)
	doc.Tags = in.Tags
	return doc, nil
}

// checkManagedChange refuses to change what belongs to the task sets of a service. [API reference: UpdateService]
func checkManagedChange(old *state.Service, in *ecs.UpdateServiceInput) error {
	kind := controller(old.Doc.DeploymentController)
	advice := "Use AWS CodeDeploy to trigger a new deployment."
	if kind == types.DeploymentControllerTypeExternal {
		advice = "Use CreateTaskSet to create a new task set."
	}
	refuse := func(what string) error {
		return invalid("%s on services with a %s deployment controller. %s", what, kind, advice)
	}
	switch {
	case in.TaskDefinition != nil:
		return refuse("Unable to update task definition")
	case in.ForceNewDeployment:
		return refuse("Cannot force a new deployment")
	case in.NetworkConfiguration != nil:
		return refuse("Unable to update network parameters")
	case in.PlatformVersion != nil:
		return refuse("Unable to update platform version")
	case in.LoadBalancers != nil:
		return refuse("Unable to update load balancers")
	case in.ServiceRegistries != nil:
		return refuse("Unable to update service registries")
	case in.CapacityProviderStrategy != nil:
		return refuse("Unable to update capacity provider strategy")
	case in.DeploymentController != nil && in.DeploymentController.Type != kind:
		return refuse("Unable to update deployment controller")
	case kind == types.DeploymentControllerTypeExternal && in.DeploymentConfiguration != nil:
		return refuse("Unable to update deployment configuration")
	}
	return checkConfiguration(in.DeploymentConfiguration, in.AvailabilityZoneRebalancing)
}

// updateManaged changes what of a service is not its task sets' own, after checkManagedChange.
func (s *Server) updateManaged(tx *state.Tx, old *state.Service, in *ecs.UpdateServiceInput) types.Service {
	changed := *old
	changed.Changed, changed.Steady = s.engine.Now(), false
	awsdoc.Assign(&changed.Doc, in, "DeploymentConfiguration", "DeploymentController")
	if in.DeploymentConfiguration != nil {
		merged := *old.Doc.DeploymentConfiguration
		awsdoc.Assign(&merged, in.DeploymentConfiguration)
		changed.Doc.DeploymentConfiguration = withDefaults(&merged)
	}
	tx.Put(&changed)
	return s.describeService(tx.Snapshot, &changed)
}
