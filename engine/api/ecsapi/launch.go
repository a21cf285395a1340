package ecsapi

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// onFargate reports whether tasks run with no container instance of the cluster.
func onFargate(launch types.LaunchType, strategy []types.CapacityProviderStrategyItem) bool {
	return launch == types.LaunchTypeFargate || slices.ContainsFunc(strategy, func(i types.CapacityProviderStrategyItem) bool {
		return schedule.OnFargate(engine.ResourceName(awsdoc.Or(i.CapacityProvider, "")))
	})
}

// checkLaunch refuses two answers to the question what tasks run on.
func checkLaunch(launch types.LaunchType, strategy []types.CapacityProviderStrategyItem) error {
	switch {
	case launch != "" && len(strategy) > 0:
		return invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	case launch != "" && launch != types.LaunchTypeEc2 && launch != types.LaunchTypeFargate:
		return unsupported("The launch type %s is not served by this engine.", launch)
	}
	return nil
}

// checkPlacing refuses what cannot be placed whatever room there is.
func checkPlacing(
	launch types.LaunchType, providers []types.CapacityProviderStrategyItem, constraints []types.PlacementConstraint,
	strategies []types.PlacementStrategy, definition *state.TaskDefinition,
) error {
	fargate := onFargate(launch, providers)
	switch {
	case fargate && !slices.Contains(definition.Doc.Compatibilities, types.CompatibilityFargate):
		return invalid("Task definition does not support launch_type FARGATE.")
	case fargate && len(constraints) > 0:
		return invalid("Placement constraints are not supported with FARGATE launch type.")
	case fargate && len(strategies) > 0:
		return invalid("Placement strategies are not supported with FARGATE launch type.")
	case len(constraints) > 10:
		return invalid("Too many placement constraints. The maximum is 10.")
	case len(strategies) > 5:
		return invalid("Too many placement strategies. The maximum is 5.")
	}
	for _, c := range constraints {
		if err := checkConstraint(c); err != nil {
			return err
		}
	}
	for _, s := range strategies {
		if err := checkPlacementStrategy(s); err != nil {
			return err
		}
	}
	return nil
}

func checkConstraint(c types.PlacementConstraint) error {
	switch expression := awsdoc.Or(c.Expression, ""); c.Type {
	case types.PlacementConstraintTypeDistinctInstance:
		if expression != "" {
			return invalid("Expression is not supported for the placement constraint type distinctInstance.")
		}
	case types.PlacementConstraintTypeMemberOf:
		if err := schedule.CheckQuery(expression); err != nil {
			return invalid("Invalid placement constraint: %v", err)
		}
	default:
		return invalid("Unknown placement constraint type %q.", c.Type)
	}
	return nil
}

// checkPlacementStrategy refuses fields that a strategy doesn't know. [API reference: PlacementStrategy]
func checkPlacementStrategy(s types.PlacementStrategy) error {
	field := awsdoc.Or(s.Field, "")
	var ok bool
	switch s.Type {
	case types.PlacementStrategyTypeRandom:
		ok = field == ""
	case types.PlacementStrategyTypeSpread:
		ok = field == "instanceId" || field == "host" || strings.HasPrefix(field, "attribute:") && field != "attribute:"
	case types.PlacementStrategyTypeBinpack:
		ok = strings.EqualFold(field, "cpu") || strings.EqualFold(field, "memory")
	default:
		return invalid("Unknown placement strategy type %q.", s.Type)
	}
	if !ok {
		return invalid("The field %q is not valid for the placement strategy %s.", field, s.Type)
	}
	return nil
}

// wishes are members of a service that the engine would have to act on and does not.
type wishes struct {
	registries, volumes, lattice, gateways int // how many
	connect                                *types.ServiceConnectConfiguration
}

// checkServed refuses what the engine does not do, rather than doing as if it did.
func checkServed(controller *types.DeploymentController, w wishes) error {
	switch {
	case controller != nil && !slices.Contains(controller.Type.Values(), controller.Type):
		return invalid("Unknown deployment controller type %q.", controller.Type)
	case w.registries > 1:
		return invalid("service registries can have at most 1 items.")
	case w.connect != nil && w.connect.Enabled:
		return unsupported("Service Connect is not served by this engine. Leave serviceConnectConfiguration out.")
	case w.volumes > 0:
		return unsupported("Volumes that are configured at launch are not served by this engine. Leave volumeConfigurations out.")
	case w.lattice > 0:
		return unsupported("VPC Lattice is not served by this engine. Leave vpcLatticeConfigurations out.")
	case w.gateways > 0:
		return unsupported("Gateways are not served by this engine. Leave gatewayConnectors out.")
	}
	return nil
}
