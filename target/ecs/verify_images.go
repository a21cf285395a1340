package ecs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
)

// images asks the registries for every image, and whether it is for what the tasks run on.
func (v *verification) images() []func(context.Context) {
	var checks []func(context.Context)
	var asked []string
	for i, c := range v.task.ContainerDefinitions {
		name := aws.ToString(c.Image)
		if name == "" || slices.Contains(asked, name) {
			continue
		}
		asked = append(asked, name)
		at := inTask("containerDefinitions[%d].image", i)
		checks = append(checks, func(ctx context.Context) { v.image(ctx, at, name, c.RepositoryCredentials != nil) })
	}
	return checks
}

func (v *verification) image(ctx context.Context, at asks, name string, private bool) {
	subject := "image " + name
	if v.target.images == nil {
		v.unchecked(at, subject, "no registry can be asked", "")
		return
	}
	has, err := v.target.images.Platforms(ctx, name)
	switch {
	case private && err != nil && (fault.KindOf(err) == fault.Denied || fault.KindOf(err) == fault.NotFound):
		v.unchecked(at, subject, "the registry asks for the credentials in repositoryCredentials, which are not read", "")
		return
	case err != nil && fault.KindOf(err) == fault.NotFound:
		v.problem(at, subject, "the registry has no such image", "check its name and tag, and that it was pushed: `slipway deploy` does that")
		return
	case err != nil:
		v.unsure(at, subject, err)
		return
	}
	v.platform(ctx, at, subject, has)
}

// platform compares what an image is for with what its tasks run on.
func (v *verification) platform(ctx context.Context, at asks, subject string, has []string) {
	needs, from := v.platforms(ctx)
	var lacks []string
	for _, n := range needs {
		if !slices.Contains(has, n) {
			lacks = append(lacks, n)
		}
	}
	if len(has) == 0 || len(lacks) == 0 {
		return
	}
	text := fmt.Sprintf("it is for %s, and %s %s", strings.Join(has, " and "), from, strings.Join(lacks, " and "))
	hint := "build the image for " + strings.Join(needs, " and ") + ", or set runtimePlatform to what it is for"
	if len(lacks) == len(needs) {
		v.problem(at, subject, text, hint)
		return
	}
	v.warning(at, subject, text+" as well", hint)
}

// architectures are AWS's names of what images call otherwise: of runtimePlatform, and of instances' attributes.
var architectures = map[string]string{"X86_64": "amd64", "x86_64": "amd64", "ARM64": "arm64", "arm64": "arm64"}

// platforms returns what the tasks run on, and who says so; none where it cannot be told. Without a runtimePlatform Fargate
// takes Linux on X86_64, and EC2 any instance. [ECS: task definition parameters, runtime platform]
func (v *verification) platforms(ctx context.Context) (needs []string, from string) {
	system, processor := "linux", ""
	if p := v.task.RuntimePlatform; p != nil {
		processor = architectures[string(p.CpuArchitecture)]
		if strings.HasPrefix(string(p.OperatingSystemFamily), "WINDOWS") {
			system = "windows"
		}
	}
	if processor != "" {
		return []string{system + "/" + processor}, "runtimePlatform asks for"
	}
	if v.fargate() {
		return []string{system + "/amd64"}, "Fargate runs, where no runtimePlatform says otherwise,"
	}
	instances, err := v.containerInstances(ctx)
	if err != nil {
		return nil, "" // capacity says so
	}
	for _, i := range instances {
		for _, a := range i.Attributes {
			name := architectures[aws.ToString(a.Value)]
			if aws.ToString(a.Name) == "ecs.cpu-architecture" && name != "" && !slices.Contains(needs, system+"/"+name) {
				needs = append(needs, system+"/"+name)
			}
		}
	}
	slices.Sort(needs)
	return needs, "the cluster's instances are"
}

// fargate reports whether the service's tasks run on AWS Fargate.
func (v *verification) fargate() bool {
	for _, item := range v.service.CapacityProviderStrategy {
		if name := aws.ToString(item.CapacityProvider); name == "FARGATE" || name == "FARGATE_SPOT" {
			return true
		}
	}
	return v.service.LaunchType == types.LaunchTypeFargate
}
