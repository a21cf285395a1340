package lifecycle

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// MetadataID is what a container's metadata is asked for by: the task's id and a number of ten digits that stands for the
// container, as on AWS.
func MetadataID(task state.TaskID, container string) string {
	sum := sha256.Sum256([]byte(string(task) + "/" + container))
	return fmt.Sprintf("%s-%010d", task, binary.BigEndian.Uint64(sum[:])%1e10)
}

// TaskRole is the ARN of the role that a task's programs have; empty for none.
func TaskRole(t *state.Task, d *state.TaskDefinition) string {
	if t.Overrides != nil && aws.ToString(t.Overrides.TaskRoleArn) != "" {
		return *t.Overrides.TaskRoleArn
	}
	return aws.ToString(d.Doc.TaskRoleArn)
}

// CredentialsPath is where a task's programs get their credentials; its id follows.
const CredentialsPath = "/v2/credentials/"

// metadata returns the variables by which a container's programs find their metadata and credentials; none where they
// cannot reach them. [ECS guide, "Amazon ECS task metadata endpoint version 4" and "Task IAM role"]
func (w *work) metadata(container string) []string {
	base := w.metadataURL()
	if base == "" {
		return nil
	}
	list := []string{"ECS_CONTAINER_METADATA_URI_V4=" + base + "/v4/" + MetadataID(w.task.ID, container)}
	if TaskRole(w.task, w.definition) == "" {
		return list
	}
	path := CredentialsPath + string(w.task.ID)
	if base == awsMetadata { // what a relative path is relative to
		return append(list, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="+path)
	}
	return append(list, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+base+path)
}

// awsMetadata is where AWS serves metadata and credentials.
const awsMetadata = "http://169.254.170.2"

func (w *work) metadataURL() string {
	if w.Metadata == nil || w.definition.Doc.NetworkMode == types.NetworkModeNone {
		return ""
	}
	return w.Metadata(w.definition.Doc.NetworkMode)
}

// withMetadata adds variables to those of a container, unless it has others of their names.
func withMetadata(env, more []string) []string {
	for _, pair := range more {
		name, _, _ := strings.Cut(pair, "=")
		known := false
		for _, one := range env {
			known = known || strings.HasPrefix(one, name+"=")
		}
		if !known {
			env = append(env, pair)
		}
	}
	return env
}
