package awswire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/slipway-cd/slipway/awswire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// ecsServer is a small server in the SDK's types. Each of its methods shows one thing that the wire must carry.
type ecsServer struct{}

func (ecsServer) CreateService(_ context.Context, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	return &ecs.CreateServiceOutput{Service: &ecstypes.Service{
		ServiceName: in.ServiceName, TaskDefinition: in.TaskDefinition, LaunchType: in.LaunchType,
		LoadBalancers: in.LoadBalancers, DeploymentConfiguration: in.DeploymentConfiguration,
	}}, nil
}

func (ecsServer) DescribeServices(_ context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	out := &ecs.DescribeServicesOutput{}
	for _, name := range in.Services {
		out.Services = append(out.Services, ecstypes.Service{ServiceName: aws.String(name), Status: aws.String("ACTIVE")})
	}
	return out, nil
}

func (ecsServer) UpdateService(context.Context, *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error) {
	return nil, &ecstypes.ServiceNotFoundException{Message: aws.String("Service not found.")}
}

func (ecsServer) DeleteCluster(context.Context, *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
	panic("the secret is 42")
}

func (ecsServer) RunTask(context.Context, *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	return nil, &ecstypes.ConflictException{Message: aws.String("in use"), ResourceIds: []string{"a", "b"}}
}

func (ecsServer) Close() error { return nil } // no operation

type elbServer struct{}

func (elbServer) DescribeLoadBalancers(context.Context, *elb.DescribeLoadBalancersInput) (*elb.DescribeLoadBalancersOutput, error) {
	return &elb.DescribeLoadBalancersOutput{LoadBalancerDescriptions: []elbtypes.LoadBalancerDescription{{
		LoadBalancerName: aws.String("web <&>"), AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		Instances: []elbtypes.Instance{{InstanceId: aws.String("i-1")}},
	}}}, nil
}

type elbv2Server struct{}

func (elbv2Server) DescribeLoadBalancers(_ context.Context, in *elbv2.DescribeLoadBalancersInput) (*elbv2.DescribeLoadBalancersOutput, error) {
	return nil, &elbv2types.LoadBalancerNotFoundException{Message: aws.String("Load balancers '[" + in.Names[0] + "]' not found")}
}

func (elbv2Server) DescribeTargetHealth(context.Context, *elbv2.DescribeTargetHealthInput) (*elbv2.DescribeTargetHealthOutput, error) {
	return &elbv2.DescribeTargetHealthOutput{}, nil
}

type stsServer struct{}

func (stsServer) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{
		Account: aws.String("000000000000"), UserId: aws.String(awswire.CallerOf(ctx).AccessKey),
		Arn: aws.String("arn:aws:iam::000000000000:user/" + awswire.CallerOf(ctx).Region),
	}, nil
}

type ecrServer struct{}

func (ecrServer) CreateRepository(_ context.Context, in *ecr.CreateRepositoryInput) (*ecr.CreateRepositoryOutput, error) {
	return &ecr.CreateRepositoryOutput{Repository: &ecrtypes.Repository{RepositoryName: in.RepositoryName}}, nil
}

type logsServer struct{}

func (logsServer) GetLogEvents(context.Context, *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	return &cloudwatchlogs.GetLogEventsOutput{Events: []logstypes.OutputLogEvent{
		{Message: aws.String("ready \x1b[0m\xff"), Timestamp: aws.Int64(1783015901408)},
	}}, nil
}

const (
	ecsPrefix  = "AmazonEC2ContainerServiceV20141113"
	ecrPrefix  = "AmazonEC2ContainerRegistry_V20150921"
	logsPrefix = "Logs_20140328"
	elbXMLNS   = "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/"
	elbv2XMLNS = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
	stsXMLNS   = "https://sts.amazonaws.com/doc/2011-06-15/"
)

func newHandler(t testing.TB, o awswire.Options) http.Handler {
	t.Helper()
	must := func(s awswire.Service, err error) awswire.Service {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return awswire.Handler(
		o,
		must(awswire.JSON(ecsPrefix, ecsServer{})),
		must(awswire.JSON(ecrPrefix, ecrServer{})),
		must(awswire.JSON(logsPrefix, logsServer{})),
		must(awswire.Query("2012-06-01", elbXMLNS, elbServer{})),
		must(awswire.Query("2015-12-01", elbv2XMLNS, elbv2Server{})),
		must(awswire.Query("2011-06-15", stsXMLNS, stsServer{})),
	)
}

// serve starts an endpoint and returns a configuration for the SDK's clients that points at it.
func serve(t testing.TB, o awswire.Options) aws.Config {
	t.Helper()
	s := httptest.NewServer(newHandler(t, o))
	t.Cleanup(s.Close)
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(s.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	}
}
