package ecsdeploy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/target/ecs"
)

// deployDefinition makes a new revision of a task definition, and runs a task of it where that is asked for.
func (f *flow) deployDefinition(ctx context.Context, w wish) error {
	made, err := f.newRevision(ctx, f.o.taskDefinition, w)
	if err != nil || !f.o.runTask {
		return err
	}
	return f.runTask(ctx, made)
}

// newRevision registers a revision made from another one, or from a file, with the images that are wished for.
func (f *flow) newRevision(ctx context.Context, from string, w wish) (*types.TaskDefinition, error) {
	document, err := f.begin(ctx, from)
	if err != nil {
		return nil, err
	}
	document, changes, err := revise(document, w)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		f.say("%s", c)
	}
	in := &awsecs.RegisterTaskDefinitionInput{ // what the SDK insists on; the document is sent in its place
		Family: aws.String(from), ContainerDefinitions: []types.ContainerDefinition{},
	}
	out, err := f.ecs.RegisterTaskDefinition(ctx, in, ecs.Sending(document))
	if err != nil {
		return nil, f.target.Failed("register the new revision", err)
	}
	made := out.TaskDefinition
	f.say("registered %s:%d", aws.ToString(made.Family), made.Revision)
	fmt.Fprintln(f.Out, aws.ToString(made.TaskDefinitionArn))
	return made, nil
}

// begin returns what the new revision is made from: a request that registers the same again.
func (f *flow) begin(ctx context.Context, from string) ([]byte, error) {
	if f.o.file == "" {
		described, err := f.describeDefinition(ctx, from)
		if err != nil {
			return nil, err
		}
		return descriptor.Registrable(described)
	}
	text, err := os.ReadFile(f.o.file)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--task-definition-file: %w", err)
	}
	document, err := descriptor.Registrable(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--task-definition-file: %s: %w", f.o.file, err)
	}
	if !f.o.copyTags {
		return document, nil
	}
	described, err := f.describeDefinition(ctx, from)
	if err != nil {
		return nil, err
	}
	return withTags(document, described)
}

// describeDefinition returns a task definition as AWS describes it, with its tags when they are to be copied.
func (f *flow) describeDefinition(ctx context.Context, name string) ([]byte, error) {
	in := &awsecs.DescribeTaskDefinitionInput{TaskDefinition: &name}
	if f.o.copyTags {
		in.Include = []types.TaskDefinitionField{types.TaskDefinitionFieldTags}
	}
	var body []byte
	if _, err := f.ecs.DescribeTaskDefinition(ctx, in, ecs.Keeping(&body)); err != nil {
		return nil, f.target.Failed(fmt.Sprintf("look at task definition %q", name), err)
	}
	return body, nil
}

// withTags gives a document the tags of a described task definition, unless it has some of its own.
func withTags(document, described []byte) ([]byte, error) {
	members, err := object(document)
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot read the task definition: %w", err)
	}
	var from struct{ Tags json.RawMessage }
	if err := json.Unmarshal(described, &from); err != nil {
		return nil, fault.New(fault.Unavailable, "cannot read the tags of the task definition: %w", err)
	}
	if members["tags"] != nil || len(from.Tags) == 0 || string(from.Tags) == "[]" {
		return document, nil
	}
	members["tags"] = from.Tags
	return written(members)
}

// familyOf returns the family of a task definition by its ARN, or by family:revision.
func familyOf(definition string) string {
	name := definition[strings.LastIndexByte(definition, '/')+1:]
	family, _, _ := strings.Cut(name, ":")
	return family
}
