package ecsapi

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// checkRegistries refuses a registry that is not there, or whose records the tasks could not fill.
// [API reference: ServiceRegistry]
func checkRegistries(snap state.Snapshot, list []types.ServiceRegistry, definition *state.TaskDefinition) error {
	for _, r := range list {
		arn := awsdoc.Or(r.RegistryArn, "")
		registry, ok := snap.Registry(engine.ResourceName(arn))
		if !ok || awsdoc.Or(registry.Doc.Arn, "") != arn {
			return invalid("The service registry %s does not exist.", arn)
		}
		if err := checkRegistry(registry, r, definition); err != nil {
			return err
		}
	}
	return nil
}

func checkRegistry(registry *state.Registry, r types.ServiceRegistry, definition *state.TaskDefinition) error {
	named := r.ContainerName != nil && r.ContainerPort != nil
	own := definition.Doc.NetworkMode == types.NetworkModeAwsvpc
	switch {
	case !own && !named:
		return invalid("When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition.")
	case !own && hasRecord(registry, sd.RecordTypeA):
		return invalid("The network mode '%s' requires a service registry with SRV records.", modeName(definition.Doc.NetworkMode))
	case own && hasRecord(registry, sd.RecordTypeSrv) && !named && r.Port == nil:
		return invalid("When specifying 'awsvpc' for networkMode and SRV records, either a combination of 'containerName' and 'containerPort' or a 'port' value must be specified.")
	case named && r.Port != nil:
		return invalid("Either 'port' or a combination of 'containerName' and 'containerPort' can be specified, not both.")
	case !named && (r.ContainerName != nil || r.ContainerPort != nil):
		return invalid("'containerName' and 'containerPort' must be specified together.")
	case !named:
		return nil
	}
	container, ok := definition.Container(*r.ContainerName)
	if !ok {
		return invalid("The container %s does not exist in the task definition.", *r.ContainerName)
	}
	if !slices.ContainsFunc(container.PortMappings, func(p types.PortMapping) bool { return awsdoc.Or(p.ContainerPort, 0) == *r.ContainerPort }) {
		return invalid("The container %s did not have a container port %d defined.", *r.ContainerName, *r.ContainerPort)
	}
	return nil
}

func hasRecord(registry *state.Registry, kind sd.RecordType) bool {
	return registry.Doc.DnsConfig != nil &&
		slices.ContainsFunc(registry.Doc.DnsConfig.DnsRecords, func(r sd.DnsRecord) bool { return r.Type == kind })
}
