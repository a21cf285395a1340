// Package descriptor expands templates into descriptors, and names, checks and compares these.
package descriptor

import (
	"fmt"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/version"
)

// Kind is what a descriptor describes. Its text is the end of the published file's name.
type Kind string

// The kinds of descriptors: the first three are each the input of one ECS operation, the others stand beside the service.
const (
	TaskDefinition    Kind = "task-definition"    // RegisterTaskDefinition
	ServiceDefinition Kind = "service-definition" // CreateService
	ServiceUpdate     Kind = "service-update"     // UpdateService
	Autoscaling       Kind = "autoscaling"        // Application Auto Scaling: target, policies, scheduled actions
	ScheduledTasks    Kind = "scheduled-tasks"    // EventBridge: rules that run tasks
)

// Kinds returns all kinds in the order in which they are used.
func Kinds() []Kind {
	return []Kind{TaskDefinition, ServiceDefinition, ServiceUpdate, Autoscaling, ScheduledTasks}
}

// Words returns the kind as people say it: "task definition".
func (k Kind) Words() string {
	switch k {
	case TaskDefinition:
		return "task definition"
	case ServiceDefinition:
		return "service definition"
	case ServiceUpdate:
		return "service update"
	case Autoscaling:
		return "autoscaling document"
	case ScheduledTasks:
		return "scheduled tasks document"
	}
	return string(k)
}

// File returns the end of the published file's name: task-definition.json.
func (k Kind) File() string { return string(k) + ".json" }

// FileName returns the name under which a descriptor of the kind is published:
// hid-generator-1.0.15.RELEASE-task-definition.json.
func FileName(project config.ProjectName, v version.Version, kind Kind) string {
	return fmt.Sprintf("%s-%s-%s", project, v, kind.File())
}
