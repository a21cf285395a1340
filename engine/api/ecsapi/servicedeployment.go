package ecsapi

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// ListServiceDeployments lists the service deployments of a service, newest first.
func (s *Server) ListServiceDeployments(_ context.Context, in *ecs.ListServiceDeploymentsInput) (*ecs.ListServiceDeploymentsOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	key := serviceKey(c.Name, awsdoc.Or(in.Service, ""))
	if _, ok := snap.Service(key); !ok {
		return nil, serviceNotFound()
	}
	byKey := map[string]types.ServiceDeployment{}
	var keys []string
	for d := range snap.ServiceDeployments(key) {
		if (len(in.Status) == 0 || slices.Contains(in.Status, d.Doc.Status)) && createdWithin(d.Doc.CreatedAt, in.CreatedAt) {
			k := awsdoc.Or(d.Doc.CreatedAt, time.Time{}).UTC().Format("20060102150405.000000000") + d.ARN
			keys, byKey[k] = append(keys, k), d.Doc
		}
	}
	keys, next, err := pageInOrder(keys, awsdoc.Descending, in.NextToken, awsdoc.Or(in.MaxResults, 20), 100)
	if err != nil {
		return nil, err
	}
	out := &ecs.ListServiceDeploymentsOutput{NextToken: next}
	for _, k := range keys {
		doc := byKey[k]
		var brief types.ServiceDeploymentBrief
		awsdoc.Assign(&brief, &doc)
		if doc.TargetServiceRevision != nil {
			brief.TargetServiceRevisionArn = doc.TargetServiceRevision.Arn
		}
		out.ServiceDeployments = append(out.ServiceDeployments, brief)
	}
	return out, nil
}

func createdWithin(at *time.Time, span *types.CreatedAt) bool {
	if span == nil || at == nil {
		return true
	}
	return (span.After == nil || !at.Before(*span.After)) && (span.Before == nil || !at.After(*span.Before))
}

// DescribeServiceDeployments describes up to 20 service deployments by ARN.
func (s *Server) DescribeServiceDeployments(_ context.Context, in *ecs.DescribeServiceDeploymentsInput) (*ecs.DescribeServiceDeploymentsOutput, error) {
	if err := oneTo20("serviceDeploymentArns", in.ServiceDeploymentArns); err != nil {
		return nil, err
	}
	snap, out := s.engine.DB().Read(), &ecs.DescribeServiceDeploymentsOutput{}
	for _, arn := range in.ServiceDeploymentArns {
		d, ok := snap.ServiceDeployment(arn)
		if !ok {
			out.Failures = append(out.Failures, types.Failure{Arn: &arn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		doc := d.Doc
		if doc.Alarms == nil { // nobody has looked at it yet
			doc.Alarms = &types.ServiceDeploymentAlarms{Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled}
		}
		out.ServiceDeployments = append(out.ServiceDeployments, doc)
	}
	return out, nil
}

// DescribeServiceRevisions describes up to 20 service revisions by ARN.
func (s *Server) DescribeServiceRevisions(_ context.Context, in *ecs.DescribeServiceRevisionsInput) (*ecs.DescribeServiceRevisionsOutput, error) {
	if err := oneTo20("serviceRevisionArns", in.ServiceRevisionArns); err != nil {
		return nil, err
	}
	snap, out := s.engine.DB().Read(), &ecs.DescribeServiceRevisionsOutput{}
	for _, arn := range in.ServiceRevisionArns {
		r, ok := snap.Revision(arn)
		if !ok {
			out.Failures = append(out.Failures, types.Failure{Arn: &arn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		doc := r.Doc
		doc.ContainerImages = containerImages(snap, r)
		doc.ServiceConnectConfiguration = &types.ServiceConnectConfiguration{} // AWS sends that it is not enabled
		out.ServiceRevisions = append(out.ServiceRevisions, doc)
	}
	return out, nil
}

func oneTo20(what string, arns []string) error {
	if len(arns) == 0 || len(arns) > 20 {
		return invalid("%s must have between 1 and 20 elements.", what)
	}
	return nil
}

// containerImages tells what the deployment of a revision resolved the images of its containers to.
func containerImages(snap state.Snapshot, r *state.Revision) []types.ContainerImage {
	images := []types.ContainerImage{}
	definition, ok := findTaskDefinition(snap, awsdoc.Or(r.Doc.TaskDefinition, ""))
	if !ok {
		return images
	}
	digests := map[string]string{}
	for d := range snap.Deployments(r.Service) {
		if d.Revision == r.ARN {
			digests = d.Digests
		}
	}
	for _, c := range definition.Doc.ContainerDefinitions {
		images = append(images, types.ContainerImage{
			ContainerName: c.Name, Image: c.Image, ImageDigest: stringOrNil(digests[awsdoc.Or(c.Name, "")]),
		})
	}
	return images
}
