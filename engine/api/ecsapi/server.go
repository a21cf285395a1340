// Package ecsapi is the Amazon ECS API of the engine: it validates requests, hands wishes to the engine, and describes.
//
// Every method of Server with the form (context, *XInput) (*XOutput, error) is the operation X; the SDK's own types go in
// and out, and the errors are the SDK's own exceptions with AWS's messages.
package ecsapi

import (
	"strings"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves the ECS operations on an engine.
type Server struct {
	engine  *engine.Engine
	execute *executor // nil: there is nobody to talk with
}

// New returns the ECS API of an engine.
func New(e *engine.Engine) *Server { return &Server{engine: e} }

// clusterName resolves what clients call a cluster: a name, an ARN, or nothing, which is "default".
func clusterName(ref *string) state.ClusterName {
	if ref == nil || *ref == "" {
		return "default"
	}
	return state.ClusterName(engine.ResourceName(*ref))
}

// activeCluster finds a cluster that was not deleted.
func activeCluster(snap state.Snapshot, ref *string) (*state.Cluster, error) {
	name := clusterName(ref)
	if !name255().MatchString(string(name)) {
		return nil, badName("Cluster", string(name))
	}
	c, ok := snap.Cluster(name)
	if !ok || awsdoc.Or(c.Doc.Status, "") != "ACTIVE" {
		return nil, clusterNotFound()
	}
	return c, nil
}

// sameCluster refuses the ARN of a task, service or container instance of another cluster than the request is for.
func sameCluster(c *state.Cluster, ref string) error {
	if !strings.HasPrefix(ref, "arn:") {
		return nil
	}
	parts := strings.Split(ref, "/")
	if len(parts) == 3 && parts[1] != string(c.Name) {
		return invalid("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", parts[1], c.Name)
	}
	return nil
}

// serviceKey resolves what clients call a service of a cluster: a name or an ARN.
func serviceKey(cluster state.ClusterName, ref string) state.ServiceKey {
	return state.ServiceKey{Cluster: cluster, Name: engine.ResourceName(ref)}
}

// keyOfServiceARN reads cluster and name from a service's ARN.
func keyOfServiceARN(arn string) (state.ServiceKey, bool) {
	_, resource, ok := strings.Cut(arn, ":service/")
	cluster, name, both := strings.Cut(resource, "/")
	return state.ServiceKey{Cluster: state.ClusterName(cluster), Name: name}, ok && both
}
