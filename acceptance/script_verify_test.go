package acceptance

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-cd/slipway/registry"
)

// pushed NAME:TAG [OS/ARCHITECTURE...]
//
// puts an image with nothing in it into the registry of the script's engine: one for linux/amd64, or an index of one for each
// platform.
func pushImage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: pushed NAME:TAG [OS/ARCHITECTURE...]")
	}
	platforms := args[1:]
	if len(platforms) == 0 {
		platforms = []string{"linux/amd64"}
	}
	var images []mutate.IndexAddendum
	var only v1.Image
	for _, platform := range platforms {
		system, processor, _ := strings.Cut(platform, "/")
		img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: system, Architecture: processor, RootFS: v1.RootFS{Type: "layers"}})
		ts.Check(err)
		only = img
		images = append(images, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: system, Architecture: processor}}})
	}
	ctx, name := context.Background(), ts.Getenv("SLIPWAY_VALUE_registry")+"/"+args[0]
	client := registry.New(registry.Options{})
	var err error
	if len(images) == 1 {
		_, err = client.Push(ctx, name, only, nil)
	} else {
		_, err = client.Push(ctx, name, mutate.AppendManifests(empty.Index, images...), nil)
	}
	ts.Check(err)
}

// role NAME SERVICE
//
// makes a role in the IAM of the script's engine that a service of AWS may assume.
func createRole(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: role NAME SERVICE")
	}
	_, err := iam.NewFromConfig(engineConfig(ts, "")).CreateRole(context.Background(), &iam.CreateRoleInput{
		RoleName: &args[0], AssumeRolePolicyDocument: aws.String(
			`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "` + args[1] + `"}, "Action": "sts:AssumeRole"}]}`),
	})
	ts.Check(err)
}

// targetgroup NAME TYPE
//
// makes a target group on the script's engine that no listener leads to. TARGETGROUP is its ARN.
func createTargetGroup(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: targetgroup NAME TYPE")
	}
	made, err := elbv2.NewFromConfig(engineConfig(ts, "")).CreateTargetGroup(context.Background(), &elbv2.CreateTargetGroupInput{
		Name: &args[0], TargetType: elbv2types.TargetTypeEnum(args[1]), Protocol: elbv2types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"),
	})
	ts.Check(err)
	ts.Setenv("TARGETGROUP", *made.TargetGroups[0].TargetGroupArn)
}
