package ecs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// Perform does one step. Published documents are sent byte for byte; only the task definition, of which they name the
// family alone, becomes the exact revision.
func (t *Target) Perform(ctx context.Context, step rollout.Step) (rollout.Receipt, error) {
	switch step.Kind {
	case rollout.Register:
		return t.register(ctx, step)
	case rollout.Create:
		return t.create(ctx, step)
	case rollout.Update:
		return t.update(ctx, step)
	case rollout.Rollback:
		return t.rollback(ctx, step)
	case rollout.Resume:
		return t.resume(ctx, step)
	case rollout.Halt:
		return t.halt(ctx, step)
	case rollout.Delete:
		return t.remove(ctx, step)
	}
	return rollout.Receipt{}, fault.New(fault.Internal, "cannot perform %q: it changes nothing", step.Kind)
}

func (t *Target) register(ctx context.Context, step rollout.Step) (rollout.Receipt, error) {
	in := &ecs.RegisterTaskDefinitionInput{ // what the SDK insists on; the document is sent in its place
		Family: aws.String(string(step.Ref.Family)), ContainerDefinitions: []types.ContainerDefinition{},
	}
	var body []byte
	out, err := t.ecs.RegisterTaskDefinition(ctx, in, sending(step.Content), keeping(&body))
	if err != nil {
		return rollout.Receipt{}, t.failed(fmt.Sprintf("register task definition %q", step.Ref.Family), err)
	}
	if _, err := t.learn(out.TaskDefinition, body); err != nil {
		return rollout.Receipt{}, fault.New(fault.Unavailable, "cannot read the answer to registering task definition %q: %w", step.Ref.Family, err)
	}
	return rollout.Receipt{Revision: rollout.RevisionID(aws.ToString(out.TaskDefinition.TaskDefinitionArn))}, nil
}

// create relies on the document's clientToken: the same document sent twice makes one service.
func (t *Target) create(ctx context.Context, step rollout.Step) (rollout.Receipt, error) {
	doing := fmt.Sprintf("create service %q in cluster %q", step.Ref.Service, step.Ref.Cluster)
	document, err := pinned(step)
	if err != nil {
		return rollout.Receipt{}, fault.New(fault.Invalid, "cannot %s: %w", doing, err)
	}
	out, err := t.ecs.CreateService(ctx, &ecs.CreateServiceInput{ServiceName: aws.String(string(step.Ref.Service))}, sending(document))
	if err != nil {
		return rollout.Receipt{}, t.failed(doing, err)
	}
	return started(out.Service), nil
}

func (t *Target) update(ctx context.Context, step rollout.Step) (rollout.Receipt, error) {
	document, err := pinned(step)
	if err != nil {
		return rollout.Receipt{}, fault.New(fault.Invalid, "cannot update service %q: %w", step.Ref.Service, err)
	}
	return t.send(ctx, step.Ref, fmt.Sprintf("update service %q", step.Ref.Service), document)
}

func (t *Target) send(ctx context.Context, ref rollout.ServiceRef, doing string, document []byte) (rollout.Receipt, error) {
	out, err := t.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String(string(ref.Service))}, sending(document))
	if err != nil {
		return rollout.Receipt{}, t.failed(doing, err)
	}
	return started(out.Service), nil
}

// pinned returns a step's document with the exact revision in it. Without a document there is nothing else to say than
// which service, and which revision.
func pinned(step rollout.Step) ([]byte, error) {
	document := step.Content
	if len(document) == 0 {
		document = []byte("{}")
	}
	have, err := members(document)
	if err != nil {
		return nil, err
	}
	type member struct {
		name  string
		value any
	}
	var set []member
	if step.Revision != "" {
		set = append(set, member{"taskDefinition", step.Revision})
	}
	if step.Force {
		set = append(set, member{"forceNewDeployment", true})
	}
	if step.Kind == rollout.Update && have["service"] == nil {
		set = append(set, member{"service", step.Ref.Service})
	}
	if have["cluster"] == nil && step.Ref.Cluster != "" {
		set = append(set, member{"cluster", step.Ref.Cluster})
	}
	for _, m := range set {
		if document, err = setMember(document, m.name, m.value); err != nil {
			return nil, err
		}
	}
	return document, nil
}

// started returns the deployment that a change has led to: the primary one.
func started(s *types.Service) rollout.Receipt {
	for _, d := range s.Deployments {
		if aws.ToString(d.Status) == "PRIMARY" {
			return rollout.Receipt{Deployment: rollout.DeploymentID(aws.ToString(d.Id))}
		}
	}
	return rollout.Receipt{}
}
