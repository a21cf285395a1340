package ecs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/rollout"
)

// definition is a registered task definition: as the SDK reads it, and as it came.
type definition struct {
	types.TaskDefinition
	raw     json.RawMessage
	version string
}

// definition describes a task definition by its ARN, once.
func (t *Target) definition(ctx context.Context, arn string) (*definition, error) {
	t.mu.Lock()
	d := t.definitions[arn]
	t.mu.Unlock()
	if d != nil {
		return d, nil
	}
	d, err := t.describeDefinition(ctx, arn)
	if err != nil {
		return nil, t.failed(fmt.Sprintf("look at task definition %q", arn), err)
	}
	return d, nil
}

// newest describes the newest revision of a family; nil when it has none.
func (t *Target) newest(ctx context.Context, family rollout.Family) (*definition, error) {
	d, err := t.describeDefinition(ctx, string(family))
	if _, none := errors.AsType[*types.ClientException](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, t.failed(fmt.Sprintf("look at task definition %q", family), err)
	}
	return d, nil
}

func (t *Target) describeDefinition(ctx context.Context, name string) (*definition, error) {
	var body []byte
	out, err := t.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &name}, keeping(&body))
	if err != nil {
		return nil, err
	}
	return t.learn(out.TaskDefinition, body)
}

// learn keeps a task definition that an answer of ECS contains: a registered one never changes.
func (t *Target) learn(told *types.TaskDefinition, body []byte) (*definition, error) {
	var raw struct{ TaskDefinition json.RawMessage }
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, err
	}
	d := &definition{TaskDefinition: *told, raw: raw.TaskDefinition}
	d.version = versionOf(d.TaskDefinition)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.definitions[aws.ToString(d.TaskDefinitionArn)] = d
	return d, nil
}

// against returns the revision, with how it differs from the task definition that is wanted.
func (d *definition) against(ref rollout.ServiceRef) (*rollout.Revision, error) {
	r := &rollout.Revision{ID: rollout.RevisionID(aws.ToString(d.TaskDefinitionArn)), Version: d.version}
	want := ref.Wanted[descriptor.TaskDefinition]
	if want == nil {
		return r, nil
	}
	differs, err := descriptor.Compare(descriptor.TaskDefinition, want, d.raw)
	for _, found := range differs {
		r.Differs = append(r.Differs, difference(descriptor.TaskDefinition, found))
	}
	return r, err
}

// versionOf returns the version that a task definition says it runs: by a docker label of the first essential container
// that names one, else by its image's tag.
func versionOf(d types.TaskDefinition) string {
	for _, c := range d.ContainerDefinitions {
		if !essential(c) {
			continue
		}
		for _, label := range []string{"release", "version", "org.opencontainers.image.version"} {
			if v := c.DockerLabels[label]; v != "" {
				return v
			}
		}
		name, _, _ := strings.Cut(aws.ToString(c.Image), "@")
		if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
			return name[i+1:]
		}
		return ""
	}
	return ""
}

// checked reports whether an essential container of the task definition has a health check.
func (d *definition) checked() bool {
	for _, c := range d.ContainerDefinitions {
		if essential(c) && c.HealthCheck != nil {
			return true
		}
	}
	return false
}

// container returns a container's definition, or nil.
func (d *definition) container(name string) *types.ContainerDefinition {
	for i := range d.ContainerDefinitions {
		if aws.ToString(d.ContainerDefinitions[i].Name) == name {
			return &d.ContainerDefinitions[i]
		}
	}
	return nil
}
