package ecsapi

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// compatibilities tells what tasks of the definition could run on. [recorded answers of RegisterTaskDefinition, 2026]
func compatibilities(doc *types.TaskDefinition) []types.Compatibility {
	if doc.NetworkMode != types.NetworkModeAwsvpc {
		return []types.Compatibility{types.CompatibilityExternal, types.CompatibilityEc2}
	}
	list := []types.Compatibility{types.CompatibilityEc2}
	cpu, okCPU := units(awsdoc.Or(doc.Cpu, ""), "vcpu")
	memory, okMemory := units(awsdoc.Or(doc.Memory, ""), "gb")
	if okCPU && okMemory && fargateSize(cpu, memory) {
		list = append(list, types.CompatibilityFargate, types.CompatibilityManagedInstances)
	}
	return list
}

// attributesOf names what an instance must be able to do for the task definition. All that agents are capable of,
// every container instance of the engine is.
func attributesOf(doc *types.TaskDefinition) []types.Attribute {
	var names []string
	need := func(condition bool, list ...string) {
		if condition {
			names = append(names, list...)
		}
	}
	executes := doc.ExecutionRoleArn != nil
	for _, c := range doc.ContainerDefinitions {
		if l := c.LogConfiguration; l != nil {
			need(true, "com.amazonaws.ecs.capability.logging-driver."+string(l.LogDriver))
			need(executes && l.LogDriver == types.LogDriverAwslogs, "ecs.capability.execution-role-awslogs")
			need(true, "com.amazonaws.ecs.capability.docker-remote-api.1.19")
		}
		ecr := strings.Contains(awsdoc.Or(c.Image, ""), ".dkr.ecr.")
		need(ecr, "com.amazonaws.ecs.capability.ecr-auth")
		need(ecr && executes, "ecs.capability.execution-role-ecr-pull")
		need(c.HealthCheck != nil, "ecs.capability.container-health-check")
		need(len(c.DependsOn) > 0, "ecs.capability.container-ordering")
		for _, s := range c.Secrets {
			kind := "ssm"
			if strings.Contains(awsdoc.Or(s.ValueFrom, ""), ":secretsmanager:") {
				kind = "asm"
			}
			need(true, "ecs.capability.secrets."+kind+".environment-variables")
		}
	}
	need(doc.TaskRoleArn != nil, "com.amazonaws.ecs.capability.task-iam-role")
	need(true, "com.amazonaws.ecs.capability.docker-remote-api.1.18")
	need(doc.NetworkMode == types.NetworkModeAwsvpc, "ecs.capability.task-eni")

	list := []types.Attribute{}
	for i, name := range names {
		if !slices.Contains(names[:i], name) {
			list = append(list, types.Attribute{Name: &name})
		}
	}
	return list
}
