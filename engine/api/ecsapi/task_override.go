package ecsapi

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// overrideLimit is how many characters the overrides of a request can have, written as JSON. [API reference: RunTask]
const overrideLimit = 8192

// normalized returns the overrides with their sizes in units, or what is wrong with them. [API reference: TaskOverride]
func normalized(given *types.TaskOverride, definition *state.TaskDefinition, fargate bool) (*types.TaskOverride, error) {
	if given == nil {
		return nil, nil //nolint:nilnil // no overrides
	}
	if text, err := json.Marshal(given); err != nil || len(text) > overrideLimit {
		return nil, invalid("Overrides can have at most %d characters.", overrideLimit)
	}
	for _, o := range given.ContainerOverrides {
		name := awsdoc.Or(o.Name, "")
		if _, ok := definition.Container(name); !ok {
			return nil, invalid("Override for container named %s is not a container in the TaskDefinition.", name)
		}
		if awsdoc.Or(o.Cpu, 0) < 0 || o.Memory != nil && *o.Memory < 6 || o.MemoryReservation != nil && *o.MemoryReservation < 6 {
			return nil, invalid("Invalid sizes in the override for the container %s.", name)
		}
	}
	overrides, sized := *given, definition.Doc
	if given.Cpu != nil {
		sized.Cpu = given.Cpu
	}
	if given.Memory != nil {
		sized.Memory = given.Memory
	}
	if err := checkSizes(&sized); err != nil {
		return nil, err
	}
	if given.Cpu != nil {
		overrides.Cpu = sized.Cpu
	}
	if given.Memory != nil {
		overrides.Memory = sized.Memory
	}
	return &overrides, checkOverriddenFargate(&overrides, &sized, fargate)
}

func checkOverriddenFargate(o *types.TaskOverride, sized *types.TaskDefinition, fargate bool) error {
	switch storage := o.EphemeralStorage; {
	case storage == nil:
	case !fargate:
		return invalid("Overriding the ephemeral storage is only supported for tasks on Fargate.")
	case storage.SizeInGiB < 21 || storage.SizeInGiB > 200:
		return invalid("The ephemeral storage must be between 21 and 200 GiB.")
	}
	if fargate && (o.Cpu != nil || o.Memory != nil) {
		return checkFargate(sized)
	}
	return nil
}
