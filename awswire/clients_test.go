package awswire_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/awswire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestSDKClientsSpeakToTheServer(t *testing.T) {
	t.Parallel()
	cfg := serve(t, awswire.Options{Credentials: map[string]string{"AKIDEXAMPLE": "secret"}})
	ctx := t.Context()

	t.Run("ecs", func(t *testing.T) {
		t.Parallel()
		out, err := ecs.NewFromConfig(cfg).CreateService(ctx, &ecs.CreateServiceInput{
			ServiceName: aws.String("wéb"), LaunchType: ecstypes.LaunchTypeEc2,
			DeploymentConfiguration: &ecstypes.DeploymentConfiguration{MaximumPercent: aws.Int32(200)},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := *out.Service.ServiceName; got != "wéb" {
			t.Errorf("serviceName = %q", got)
		}
		if got := *out.Service.DeploymentConfiguration.MaximumPercent; got != 200 {
			t.Errorf("maximumPercent = %d", got)
		}
	})
	t.Run("ecr", func(t *testing.T) {
		t.Parallel()
		out, err := ecr.NewFromConfig(cfg).CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("a/b")})
		if err != nil || *out.Repository.RepositoryName != "a/b" {
			t.Fatal(out, err)
		}
	})
	t.Run("logs", func(t *testing.T) {
		t.Parallel()
		out, err := cloudwatchlogs.NewFromConfig(cfg).GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogStreamName: aws.String("s")})
		if err != nil || *out.Events[0].Message != "ready \x1b[0m\ufffd" || *out.Events[0].Timestamp != 1783015901408 {
			t.Fatal(out, err)
		}
	})
	t.Run("classic load balancers", func(t *testing.T) {
		t.Parallel()
		out, err := elb.NewFromConfig(cfg).DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"web"}})
		if err != nil || *out.LoadBalancerDescriptions[0].LoadBalancerName != "web <&>" {
			t.Fatal(out, err)
		}
	})
	t.Run("application load balancers", func(t *testing.T) {
		t.Parallel()
		_, err := elbv2.NewFromConfig(cfg).DescribeLoadBalancers(ctx, &elbv2.DescribeLoadBalancersInput{Names: []string{"gone"}})
		e, ok := errors.AsType[*elbv2types.LoadBalancerNotFoundException](err)
		if !ok || e.ErrorMessage() != "Load balancers '[gone]' not found" {
			t.Fatalf("%#v", err)
		}
	})
	t.Run("sts", func(t *testing.T) {
		t.Parallel()
		out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil || *out.UserId != "AKIDEXAMPLE" || !strings.HasSuffix(*out.Arn, "eu-west-1") {
			t.Fatal(out, err)
		}
	})
}

func TestModeledErrorsArriveAsTheSDKsTypes(t *testing.T) {
	t.Parallel()
	client := ecs.NewFromConfig(serve(t, awswire.Options{}))

	_, err := client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("x")})
	if e, ok := errors.AsType[*ecstypes.ServiceNotFoundException](err); !ok || e.ErrorMessage() != "Service not found." {
		t.Errorf("UpdateService: %v", err)
	}
	_, err = client.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("x")})
	if e, ok := errors.AsType[*ecstypes.ConflictException](err); !ok || strings.Join(e.ResourceIds, "") != "ab" {
		t.Errorf("RunTask: %v", err)
	}
}

func TestPanicsAnswer500WithoutTheirText(t *testing.T) {
	t.Parallel()
	_, err := ecs.NewFromConfig(serve(t, awswire.Options{})).DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("x")})
	api, _ := errors.AsType[smithy.APIError](err)
	response, _ := errors.AsType[*smithyhttp.ResponseError](err)
	if api == nil || api.ErrorCode() != "ServerException" || response.HTTPStatusCode() != http.StatusInternalServerError {
		t.Fatalf("%v", err)
	}
	if strings.Contains(api.ErrorMessage(), "42") {
		t.Errorf("the answer tells the panic's text: %v", err)
	}
}
