package api_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
)

// The listener of a network load balancer has no rules: it is named itself where a rule of an application load balancer is named.
func TestTrafficIsShiftedBehindANetworkLoadBalancer(t *testing.T) {
	t.Parallel()
	for strategy, configuration := range map[types.DeploymentStrategy]types.DeploymentConfiguration{
		types.DeploymentStrategyBlueGreen: {BakeTimeInMinutes: aws.Int32(1)},
		types.DeploymentStrategyLinear:    {LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(50)}},
		types.DeploymentStrategyCanary:    {},
	} {
		t.Run(string(strategy), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			balancer, blue, production := h.nlb("web")
			groups, err := h.elbv2.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{
				Name: aws.String("web-2"), Protocol: v2types.ProtocolEnumTcp, Port: aws.Int32(80), TargetType: v2types.TargetTypeEnumIp,
			})
			green := must(h, groups, err).TargetGroups[0]
			tests, err := h.elbv2.CreateListener(t.Context(), &elbv2.CreateListenerInput{
				LoadBalancerArn: balancer.LoadBalancerArn, Protocol: v2types.ProtocolEnumTcp, Port: aws.Int32(7001),
				DefaultActions: []v2types.Action{{Type: v2types.ActionTypeEnumForward, TargetGroupArn: green.TargetGroupArn}},
			})
			test := must(h, tests, err).Listeners[0]
			define := func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc }
			configuration.Strategy = strategy
			h.create("default", "web", h.register("web", define), func(in *ecs.CreateServiceInput) {
				in.DeploymentConfiguration = &configuration
				in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
				in.LoadBalancers = []types.LoadBalancer{{
					TargetGroupArn: blue.TargetGroupArn, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80),
					AdvancedConfiguration: &types.AdvancedConfiguration{
						AlternateTargetGroupArn: green.TargetGroupArn, ProductionListenerRule: production.ListenerArn,
						TestListenerRule: test.ListenerArn, RoleArn: aws.String("arn:aws:iam::000000000000:role/ecs"),
					},
				}}
			})
			h.completed("default", "web")
			h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String(h.register("web", define))})
			h.ends(h.newest("web").ServiceDeploymentArn, types.ServiceDeploymentStatusSuccessful)
			out, err := h.elbv2.DescribeListeners(t.Context(), &elbv2.DescribeListenersInput{ListenerArns: []string{*production.ListenerArn}})
			weights := map[string]int32{}
			for _, g := range must(h, out, err).Listeners[0].DefaultActions[0].ForwardConfig.TargetGroups {
				weights[*g.TargetGroupArn] = *g.Weight
			}
			want := map[string]int32{*blue.TargetGroupArn: 0, *green.TargetGroupArn: 100}
			if diff := cmp.Diff(want, weights); diff != "" {
				t.Errorf("the production listener: %s", diff)
			}
			health, err := h.elbv2.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: green.TargetGroupArn})
			if got := must(h, health, err).TargetHealthDescriptions; len(got) != 2 || got[0].TargetHealth.State != v2types.TargetHealthStateEnumHealthy {
				t.Errorf("targets: %s", h.last.answer())
			}
		})
	}
}
