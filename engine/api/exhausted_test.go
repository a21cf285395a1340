package api_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"
)

func TestWhoeverGetsNoAddressIsToldWhichQuotaIsUsedUpAndWhatToDelete(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	definition := h.register("vpc", func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc })
	for n := range 252 / 4 { // each cluster has four instances
		_, err := h.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(fmt.Sprint("full", n))})
		must(h, n, err)
	}
	h.classic("last", 80) // the 253rd
	for request, code := range map[error]string{
		second(h.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("more")})): "LimitExceededException",
		second(h.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
			LoadBalancerName: aws.String("web"), Listeners: []elbtypes.Listener{{
				Protocol: aws.String("HTTP"), LoadBalancerPort: 80, InstancePort: aws.Int32(80),
			}},
		})): "TooManyLoadBalancers",
		second(h.elbv2.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("web")})): "TooManyLoadBalancers",
		second(h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{
			Cluster: aws.String("full0"), TaskDefinition: &definition,
			NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"s"}}},
		})): "LimitExceededException",
	} {
		refusal, ok := errors.AsType[smithy.APIError](request)
		if !ok || refusal.ErrorCode() != code || refusal.ErrorFault() == smithy.FaultServer {
			t.Errorf("%v, want %s", request, code)
			continue
		}
		if m := refusal.ErrorMessage(); !strings.Contains(m, "no address of 127.") || !strings.Contains(m, "delete clusters, load balancers or tasks") {
			t.Errorf("%s: %s", code, m)
		}
	}
	clusters, err := h.ecs.ListClusters(t.Context(), &ecs.ListClustersInput{})
	if must(h, clusters, err); len(clusters.ClusterArns) != 252/4 {
		t.Errorf("%d clusters: the one without instances is there", len(clusters.ClusterArns))
	}
}
