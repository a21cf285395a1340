package ecsapi

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// fargateMemory tells the memory in MiB that Fargate offers for a number of CPU units. [ecs-behaviour 1.9]
func fargateMemory(cpu int) (low, high, step int) {
	switch cpu {
	case 512:
		return 1024, 4096, 1024
	case 1024:
		return 2048, 8192, 1024
	case 2048:
		return 4096, 16384, 1024
	case 4096:
		return 8192, 30720, 1024
	case 8192:
		return 16384, 61440, 4096
	case 16384:
		return 32768, 122880, 8192
	default:
		return 0, 0, 0
	}
}

func fargateSize(cpu, memory int) bool {
	if cpu == 256 {
		return memory == 512 || memory == 1024 || memory == 2048
	}
	low, high, step := fargateMemory(cpu)
	return step > 0 && memory >= low && memory <= high && (memory-low)%step == 0
}

// checkSizes refuses sizes that are none, and writes the others as units. [ecs-behaviour 1.9]
func checkSizes(doc *types.TaskDefinition) error {
	if doc.Cpu != nil {
		n, ok := units(*doc.Cpu, "vcpu")
		if !ok || n < 128 || n > 196608 {
			return clientError("Invalid 'cpu' setting for task. The value must be between 128 and 196608 CPU units.")
		}
		doc.Cpu = awsdoc.Text("%d", n)
	}
	if doc.Memory != nil {
		n, ok := units(*doc.Memory, "gb")
		if !ok || n < 1 {
			return clientError("Invalid 'memory' setting for task. The value must be a number of MiB, or of GB with the suffix GB.")
		}
		doc.Memory = awsdoc.Text("%d", n)
	}
	return nil
}

// checkSums refuses containers that together want more than their task has.
func checkSums(doc *types.TaskDefinition) error {
	cpu, reserved := int64(0), int64(0)
	for _, c := range doc.ContainerDefinitions {
		cpu += int64(c.Cpu)
		reserved += int64(awsdoc.Or(c.MemoryReservation, 0))
	}
	if doc.Cpu != nil && cpu > taskCPU(doc) {
		return clientError("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.")
	}
	if doc.Memory != nil && reserved > taskMemory(doc) {
		return clientError("The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'.")
	}
	return nil
}

// taskCPU is the task's CPU units, after checkSizes.
func taskCPU(doc *types.TaskDefinition) int64 {
	n, _ := strconv.ParseInt(awsdoc.Or(doc.Cpu, "0"), 10, 64)
	return n
}

// taskMemory is the task's memory in MiB, after checkSizes.
func taskMemory(doc *types.TaskDefinition) int64 {
	n, _ := strconv.ParseInt(awsdoc.Or(doc.Memory, "0"), 10, 64)
	return n
}

func checkFargate(doc *types.TaskDefinition) error {
	if doc.NetworkMode != types.NetworkModeAwsvpc {
		return clientError("Fargate only supports network mode ‘awsvpc’.")
	}
	if doc.Cpu == nil {
		return clientError("Fargate requires that 'cpu' be defined at the task level.")
	}
	if doc.Memory == nil {
		return clientError("Fargate requires that 'memory' be defined at the task level.")
	}
	cpu, okCPU := units(*doc.Cpu, "vcpu")
	memory, okMemory := units(*doc.Memory, "gb")
	if !okCPU || !okMemory || !fargateSize(cpu, memory) {
		return clientError("No Fargate configuration exists for given values: %s CPU, %s memory. See the Amazon ECS documentation for the valid values.", *doc.Cpu, *doc.Memory)
	}
	return nil
}

var quantity = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([a-zA-Z]*)\s*$`)
})

// units reads "1024", "1 vCPU", ".25 vCPU", "2GB": a number, times 1024 when the suffix follows it.
func units(s, suffix string) (int, bool) {
	m := quantity().FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	switch {
	case err != nil:
		return 0, false
	case m[2] == "":
		return int(n), n == float64(int(n))
	case strings.EqualFold(m[2], suffix):
		return int(n * 1024), true
	default:
		return 0, false
	}
}
