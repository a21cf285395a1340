package ecsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// ListServicesByNamespace lists the services of all clusters that use a namespace for Service Connect.
func (s *Server) ListServicesByNamespace(_ context.Context, in *ecs.ListServicesByNamespaceInput) (*ecs.ListServicesByNamespaceOutput, error) {
	namespace := awsdoc.Or(in.Namespace, "")
	if namespace == "" {
		return nil, invalid("Namespace can not be blank.")
	}
	snap := s.engine.DB().Read()
	var arns []string
	for svc := range snap.AllServices() {
		if awsdoc.Or(svc.Doc.Status, "") != "INACTIVE" && sameNamespace(namespaceOf(snap, svc), namespace) {
			arns = append(arns, *svc.Doc.ServiceArn)
		}
	}
	arns, next, err := page(arns, in.NextToken, awsdoc.Or(in.MaxResults, 10))
	if err != nil {
		return nil, err
	}
	return &ecs.ListServicesByNamespaceOutput{ServiceArns: arns, NextToken: next}, nil
}

// namespaceOf returns the namespace of a service's Service Connect, which may be its cluster's; empty when it has none.
func namespaceOf(snap state.Snapshot, svc *state.Service) string {
	connect := currentRevision(snap, svc).ServiceConnectConfiguration
	if connect == nil || !connect.Enabled {
		return ""
	}
	if connect.Namespace != nil {
		return *connect.Namespace
	}
	if c, ok := snap.Cluster(svc.ID.Cluster); ok && c.Doc.ServiceConnectDefaults != nil {
		return awsdoc.Or(c.Doc.ServiceConnectDefaults.Namespace, "")
	}
	return ""
}

// sameNamespace: a namespace is named by its name or its ARN, which ends with its id.
func sameNamespace(a, b string) bool {
	return a != "" && (a == b || engine.ResourceName(a) == engine.ResourceName(b))
}
