package engine

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/slipway-cd/slipway/engine/state"
)

// Identity is whose engine it is: what ARNs are made of.
type Identity struct {
	Account string // 12 digits
	Region  string // "us-east-1"
}

// ARN returns arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE.
func (i Identity) ARN(service, resource string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, i.Region, i.Account, resource)
}

// ClusterARN returns the ARN of a cluster.
func (i Identity) ClusterARN(name state.ClusterName) string {
	return i.ARN("ecs", "cluster/"+string(name))
}

// InstanceARN returns the ARN of a container instance.
func (i Identity) InstanceARN(cluster state.ClusterName, id state.InstanceID) string {
	return i.ARN("ecs", fmt.Sprintf("container-instance/%s/%s", cluster, id))
}

// TaskDefinitionARN returns the ARN of a task definition.
func (i Identity) TaskDefinitionARN(id state.TaskDefinitionID) string {
	return i.ARN("ecs", "task-definition/"+id.String())
}

// ServiceARN returns the ARN of a service.
func (i Identity) ServiceARN(key state.ServiceKey) string {
	return i.ARN("ecs", fmt.Sprintf("service/%s/%s", key.Cluster, key.Name))
}

// TaskARN returns the ARN of a task.
func (i Identity) TaskARN(cluster state.ClusterName, id state.TaskID) string {
	return i.ARN("ecs", fmt.Sprintf("task/%s/%s", cluster, id))
}

// ContainerARN returns the ARN of a container of a task.
func (i Identity) ContainerARN(cluster state.ClusterName, task state.TaskID, id string) string {
	return i.ARN("ecs", fmt.Sprintf("container/%s/%s/%s", cluster, task, id))
}

// RevisionARN returns the ARN of a service revision; its number is that of the deployment's id. [ecs-behaviour 1.1]
func (i Identity) RevisionARN(key state.ServiceKey, number string) string {
	return i.ARN("ecs", fmt.Sprintf("service-revision/%s/%s/%s", key.Cluster, key.Name, number))
}

// ServiceDeploymentARN returns the ARN of a service deployment.
func (i Identity) ServiceDeploymentARN(key state.ServiceKey, id string) string {
	return i.ARN("ecs", fmt.Sprintf("service-deployment/%s/%s/%s", key.Cluster, key.Name, id))
}

// ResourceName returns what follows the last slash of an ARN, or the text itself when it is a plain name.
func ResourceName(arnOrName string) string {
	return arnOrName[strings.LastIndexByte(arnOrName, '/')+1:]
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails [crypto/rand]
	return b
}

// NewHexID returns 32 random hex digits: the id of a task or container instance.
func NewHexID() string { return hex.EncodeToString(random(16)) }

// NewUUID returns a random UUID, as containers and events have.
func NewUUID() string {
	b := random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// NewDeploymentNumber returns a random number of 19 digits, the decimal part of a deployment's id.
func NewDeploymentNumber() string {
	const low = uint64(1e18)
	return fmt.Sprint(low + binary.BigEndian.Uint64(random(8))%(8*low))
}

// DeploymentID returns the id of the deployment with that number.
func DeploymentID(number string) state.DeploymentID {
	return state.DeploymentID("ecs-svc/" + number)
}

// NewServiceDeploymentID returns 21 random URL-safe characters.
func NewServiceDeploymentID() string {
	return base64.RawURLEncoding.EncodeToString(random(16))[:21]
}

// NewInstanceName returns an EC2 instance id: "i-" and 17 hex digits.
func NewInstanceName() string { return "i-" + hex.EncodeToString(random(9))[:17] }
