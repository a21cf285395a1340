package acceptance

import (
	"context"
	"fmt"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// shifter NAME
//
// makes an application load balancer on the script's engine that can shift traffic: two target groups, NAME-blue and
// NAME-green, a listener for production on port 8080 and one for tests on port 8090, each with a rule that forwards to both.
// The values blue, green, production and test are their ARNs; BALANCER and TEST are the listeners' addresses.
func createShifter(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: shifter NAME")
	}
	s := shifter{ts: ts, name: args[0], client: elbv2.NewFromConfig(engineConfig(ts, ""))}
	made, err := s.client.CreateLoadBalancer(context.Background(), &elbv2.CreateLoadBalancerInput{Name: &args[0], Subnets: []string{"subnet-a", "subnet-b"}})
	ts.Check(err)
	balancer := made.LoadBalancers[0]
	groups := []types.TargetGroupTuple{
		{TargetGroupArn: s.group("blue"), Weight: aws.Int32(100)},
		{TargetGroupArn: s.group("green"), Weight: aws.Int32(0)},
	}
	for value, port := range map[string]int32{"production": 8080, "test": 8090} {
		ts.Setenv("SLIPWAY_VALUE_"+value, s.rule(*balancer.LoadBalancerArn, port, groups))
	}
	ts.Setenv("BALANCER", net.JoinHostPort(*balancer.DNSName, "8080"))
	ts.Setenv("TEST", net.JoinHostPort(*balancer.DNSName, "8090"))
}

type shifter struct {
	ts     *testscript.TestScript
	name   string
	client *elbv2.Client
}

// group makes a target group whose targets leave at once.
func (s shifter) group(colour string) *string {
	ctx := context.Background()
	out, err := s.client.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: aws.String(fmt.Sprintf("%s-%s", s.name, colour)), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"),
		HealthCheckPath: aws.String("/healthz"), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2), HealthyThresholdCount: aws.Int32(2),
	})
	s.ts.Check(err)
	arn := out.TargetGroups[0].TargetGroupArn
	_, err = s.client.ModifyTargetGroupAttributes(ctx, &elbv2.ModifyTargetGroupAttributesInput{TargetGroupArn: arn, Attributes: []types.TargetGroupAttribute{
		{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("5")},
	}})
	s.ts.Check(err)
	s.ts.Setenv("SLIPWAY_VALUE_"+colour, *arn)
	return arn
}

// rule makes a listener with one rule, and returns the rule's ARN.
func (s shifter) rule(balancer string, port int32, groups []types.TargetGroupTuple) string {
	ctx := context.Background()
	forward := []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{TargetGroups: groups}}}
	listener, err := s.client.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: &balancer, Port: &port, Protocol: types.ProtocolEnumHttp, DefaultActions: forward,
	})
	s.ts.Check(err)
	rule, err := s.client.CreateRule(ctx, &elbv2.CreateRuleInput{
		ListenerArn: listener.Listeners[0].ListenerArn, Priority: aws.Int32(1), Actions: forward,
		Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"*"}}},
	})
	s.ts.Check(err)
	return *rule.Rules[0].RuleArn
}
