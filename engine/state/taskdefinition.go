package state

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// TaskDefinitionID names one revision of a family. Revisions count from 1 and are never used again.
type TaskDefinitionID struct {
	Family   string
	Revision int
}

// String returns family:revision.
func (id TaskDefinitionID) String() string { return fmt.Sprintf("%s:%d", id.Family, id.Revision) }

// key sorts the revisions of a family by number.
func (id TaskDefinitionID) key() string { return fmt.Sprintf("%s:%010d", id.Family, id.Revision) }

// TaskDefinition is a registered revision of a task definition. Doc is what AWS describes, defaults included.
type TaskDefinition struct {
	TaskDefinitionID
	Doc  types.TaskDefinition
	Tags []types.Tag
}

func (d *TaskDefinition) Kind() Kind  { return KindTaskDefinition }
func (d *TaskDefinition) Key() string { return d.key() }

// Container returns the definition of the container with that name.
func (d *TaskDefinition) Container(name string) (types.ContainerDefinition, bool) {
	for _, c := range d.Doc.ContainerDefinitions {
		if c.Name != nil && *c.Name == name {
			return c, true
		}
	}
	return types.ContainerDefinition{}, false
}
