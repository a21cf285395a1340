package ecsapi

import (
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

var name255 = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`) })

// checkTaskDefinition refuses what AWS refuses, with its words. [ecs-behaviour 1.9]
func checkTaskDefinition(doc *types.TaskDefinition) error {
	if !name255().MatchString(awsdoc.Or(doc.Family, "")) {
		return clientError("Family contains invalid characters.")
	}
	if len(doc.ContainerDefinitions) == 0 {
		return clientError("Container list cannot be empty.")
	}
	if err := checkSizes(doc); err != nil {
		return err
	}
	if len(doc.ContainerDefinitions) > 10 {
		return clientError("Too many containers.")
	}
	seen := map[string]types.ContainerDefinition{}
	essential := false
	for _, c := range doc.ContainerDefinitions {
		if err := checkContainer(doc, c); err != nil {
			return err
		}
		if _, twice := seen[*c.Name]; twice {
			return clientError("Duplicate container name '%s'.", *c.Name)
		}
		seen[*c.Name] = c
		essential = essential || awsdoc.Or(c.Essential, true)
	}
	if err := checkSums(doc); err != nil {
		return err
	}
	if !essential {
		return clientError("Task definition doesn't have any essential container.")
	}
	if err := checkVolumes(doc); err != nil {
		return err
	}
	if err := checkImplied(doc, seen); err != nil {
		return err
	}
	if err := checkDependencies(doc.ContainerDefinitions, seen); err != nil {
		return err
	}
	if requires(doc, types.CompatibilityFargate) {
		return checkFargate(doc)
	}
	return nil
}

func checkContainer(doc *types.TaskDefinition, c types.ContainerDefinition) error {
	name := awsdoc.Or(c.Name, "")
	switch {
	case name == "":
		return clientError("Container.name should not be null or empty.")
	case !name255().MatchString(name):
		return clientError("Container.name contains invalid characters.")
	case awsdoc.Or(c.Image, "") == "":
		return clientError("Container.image should not be null or empty.")
	case c.Memory == nil && c.MemoryReservation == nil && doc.Memory == nil:
		return clientError("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", name)
	case c.Memory != nil && *c.Memory < 6:
		return clientError("Invalid setting for container '%s'. 'memory' must be at least 6 MiB.", name)
	case c.Memory != nil && c.MemoryReservation != nil && *c.MemoryReservation > *c.Memory:
		return clientError("Invalid setting for container '%s'. The 'memory' must be greater than or equal to 'memoryReservation'.", name)
	case c.Memory != nil && doc.Memory != nil && int64(*c.Memory) > taskMemory(doc):
		return clientError("The 'memory' setting for container '%s' is greater than for the task.", name)
	case c.StopTimeout != nil && *c.StopTimeout < 2:
		return clientError("Granular stop timeout on container '%s' must be at least 2 seconds.", name)
	}
	if err := checkPorts(doc.NetworkMode, name, c.PortMappings); err != nil {
		return err
	}
	if err := checkHealthCheck(name, c.HealthCheck); err != nil {
		return err
	}
	if err := checkInputs(name, c); err != nil {
		return err
	}
	return checkLogs(doc, c.LogConfiguration)
}

func checkPorts(mode types.NetworkMode, name string, ports []types.PortMapping) error {
	for _, p := range ports {
		container, host := awsdoc.Or(p.ContainerPort, 0), awsdoc.Or(p.HostPort, 0)
		switch {
		case p.ContainerPortRange != nil:
			return clientError("Invalid 'containerPortRange' setting for container '%s'. Port ranges are not served by this engine: list the ports.", name)
		case container < 1 || container > 65535:
			return clientError("Invalid 'containerPort' setting for container '%s'.", name)
		case host < 0 || host > 65535:
			return clientError("Invalid 'hostPort' setting for container '%s'.", name)
		case (mode == types.NetworkModeAwsvpc || mode == types.NetworkModeHost) && host != 0 && host != container:
			return clientError("When networkMode=%s, the host ports and container ports in port mappings must match.", mode)
		}
	}
	return nil
}

func checkHealthCheck(name string, h *types.HealthCheck) error {
	if h == nil {
		return nil
	}
	switch {
	case len(h.Command) == 0:
		return clientError("Container '%s' health check command must not be empty.", name)
	case outside(h.Interval, 5, 300):
		return clientError("Container '%s' health check interval must be between 5 and 300 seconds.", name)
	case outside(h.Timeout, 2, 60):
		return clientError("Container '%s' health check timeout must be between 2 and 60 seconds.", name)
	case outside(h.Retries, 1, 10):
		return clientError("Container '%s' health check retries must be between 1 and 10.", name)
	case outside(h.StartPeriod, 0, 300):
		return clientError("Container '%s' health check startPeriod must be between 0 and 300 seconds.", name)
	}
	return nil
}

func outside(value *int32, low, high int32) bool {
	return value != nil && (*value < low || *value > high)
}

func checkLogs(doc *types.TaskDefinition, l *types.LogConfiguration) error {
	if l == nil || l.LogDriver != types.LogDriverAwslogs {
		return nil
	}
	if l.Options["awslogs-region"] == "" || l.Options["awslogs-group"] == "" {
		return clientError("Log driver awslogs requires options: awslogs-region, awslogs-group")
	}
	if requires(doc, types.CompatibilityFargate) && doc.ExecutionRoleArn == nil {
		return clientError("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
	}
	return nil
}

// checkDependencies refuses dependencies that can never be met, cycles included.
func checkDependencies(containers []types.ContainerDefinition, byName map[string]types.ContainerDefinition) error {
	for _, c := range containers {
		for _, d := range c.DependsOn {
			on, ok := byName[awsdoc.Or(d.ContainerName, "")]
			switch {
			case !ok:
				return clientError("Container '%s' depends on container '%s', which is not in the task definition.", *c.Name, awsdoc.Or(d.ContainerName, ""))
			case (d.Condition == types.ContainerConditionSuccess || d.Condition == types.ContainerConditionComplete) && awsdoc.Or(on.Essential, true):
				return clientError("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
			case d.Condition == types.ContainerConditionHealthy && on.HealthCheck == nil:
				return clientError("A dependency container with HEALTHY condition must have health check configured")
			}
		}
	}
	done := map[string]bool{}
	for _, c := range containers {
		if cyclic(*c.Name, byName, map[string]bool{}, done) {
			return clientError("Container dependencies form a cycle at container '%s'.", *c.Name)
		}
	}
	return nil
}

func cyclic(name string, byName map[string]types.ContainerDefinition, open, done map[string]bool) bool {
	if open[name] {
		return true
	}
	if done[name] {
		return false
	}
	open[name] = true
	next := implied(byName[name])
	for _, d := range byName[name].DependsOn {
		next = append(next, *d.ContainerName)
	}
	for _, on := range next {
		if cyclic(on, byName, open, done) {
			return true
		}
	}
	open[name], done[name] = false, true
	return false
}

func requires(doc *types.TaskDefinition, what types.Compatibility) bool {
	return slices.Contains(doc.RequiresCompatibilities, what)
}
