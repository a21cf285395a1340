package awswire_test

import (
	"testing"

	"github.com/slipway-cd/slipway/awswire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"
)

func TestMissingNamesWhatTheModelRequires(t *testing.T) {
	t.Parallel()
	services := ecs.New(ecs.Options{APIOptions: awswire.OnlyValidate()})
	balancers := elbv2.New(elbv2.Options{APIOptions: awswire.OnlyValidate()})
	for name, tc := range map[string]struct {
		client, in any
		want       []string
	}{
		"top":      {services, &ecs.CreateServiceInput{}, []string{"serviceName"}},
		"complete": {services, &ecs.CreateServiceInput{ServiceName: aws.String("web")}, nil},
		"nothing":  {services, &ecs.ListClustersInput{}, nil},
		"nested": {services, &ecs.CreateServiceInput{
			ServiceName:          aws.String("web"),
			DeploymentController: &ecstypes.DeploymentController{},
			NetworkConfiguration: &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{}},
			VolumeConfigurations: []ecstypes.ServiceVolumeConfiguration{{Name: aws.String("v")}, {}},
		}, []string{"networkConfiguration.awsvpcConfiguration.subnets", "deploymentController.type", "volumeConfigurations[1].name"}},
		"query": {balancers, &elbv2.CreateTargetGroupInput{}, []string{"Name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := awswire.Missing(tc.client, tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
	if _, err := awswire.Missing(balancers, &ecs.CreateServiceInput{}); err == nil {
		t.Error("an input of another service is no error")
	}
}

func TestMissingLeavesTheInputAsItIs(t *testing.T) {
	t.Parallel()
	in := &ecs.CreateServiceInput{ServiceName: aws.String("web")}
	if _, err := awswire.Missing(ecs.New(ecs.Options{APIOptions: awswire.OnlyValidate()}), in); err != nil || in.ClientToken != nil {
		t.Errorf("clientToken = %v, %v", in.ClientToken, err)
	}
}
