package api_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-cd/slipway/engine/state"
)

// code returns the code and message of an API error.
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	return "none"
}

func TestClassicLoadBalancerIsDescribedWithItsDefaults(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	first, again := h.classic("web", 1234), h.classic("web", 1234)
	if *first.DNSName != *again.DNSName {
		t.Error("to create it again made another one")
	}
	name := aws.String("web")
	_, err := h.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{LoadBalancerName: name, Listeners: []elbtypes.Listener{{
		Protocol: aws.String("HTTP"), LoadBalancerPort: 81, InstancePort: aws.Int32(1234),
	}}})
	if got := code(err); got != "DuplicateLoadBalancerName: Load Balancer named 'web' already exists and it is configured with different parameters." {
		t.Error(got)
	}
	out, err := h.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"web"}})
	b := must(h, out, err).LoadBalancerDescriptions[0]
	want := &elbtypes.HealthCheck{Target: aws.String("TCP:1234"), Interval: aws.Int32(30), Timeout: aws.Int32(5), UnhealthyThreshold: aws.Int32(2), HealthyThreshold: aws.Int32(10)}
	if diff := cmp.Diff(want, b.HealthCheck, cmpopts.IgnoreUnexported(elbtypes.HealthCheck{})); diff != "" {
		t.Error(diff)
	}
	if *b.Scheme != "internet-facing" || len(b.AvailabilityZones) != 2 || *b.ListenerDescriptions[0].Listener.InstanceProtocol != "HTTP" {
		t.Errorf("balancer: %s", h.last.answer())
	}
	attributes, err := h.elb.DescribeLoadBalancerAttributes(t.Context(), &elb.DescribeLoadBalancerAttributesInput{LoadBalancerName: name})
	a := must(h, attributes, err).LoadBalancerAttributes
	if a.ConnectionDraining.Enabled || *a.ConnectionDraining.Timeout != 300 || *a.ConnectionSettings.IdleTimeout != 60 || a.CrossZoneLoadBalancing.Enabled {
		t.Errorf("attributes: %s", h.last.answer())
	}
	for request, want := range map[error]string{
		second(h.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{LoadBalancerNames: []string{"nope"}})):                                                                "LoadBalancerNotFound: There is no ACTIVE Load Balancer named 'nope'",
		second(h.elb.RegisterInstancesWithLoadBalancer(t.Context(), &elb.RegisterInstancesWithLoadBalancerInput{LoadBalancerName: name, Instances: []elbtypes.Instance{{InstanceId: name}}})): "InvalidInstance: Could not find EC2 instance web.",
		second(h.elb.ConfigureHealthCheck(t.Context(), &elb.ConfigureHealthCheckInput{LoadBalancerName: name, HealthCheck: &elbtypes.HealthCheck{
			Target: aws.String("HTTP:80/"), Interval: aws.Int32(5), Timeout: aws.Int32(5), UnhealthyThreshold: aws.Int32(2), HealthyThreshold: aws.Int32(2),
		}})): "ValidationError: HealthCheck timeout must be less than interval",
	} {
		if got := code(request); got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
	_, err = h.elb.AddTags(t.Context(), &elb.AddTagsInput{LoadBalancerNames: []string{"web"}, Tags: []elbtypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b")}}})
	must(h, 0, err)
	_, err = h.elb.RemoveTags(t.Context(), &elb.RemoveTagsInput{LoadBalancerNames: []string{"web"}, Tags: []elbtypes.TagKeyOnly{{Key: aws.String("b")}}})
	must(h, 0, err)
	tags, err := h.elb.DescribeTags(t.Context(), &elb.DescribeTagsInput{LoadBalancerNames: []string{"web"}})
	if must(h, tags, err); len(tags.TagDescriptions[0].Tags) != 1 {
		t.Errorf("tags: %s", h.last.answer())
	}
	_, err = h.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerName: name})
	must(h, 0, err)
	_, err = h.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerName: name}) // gone already, as AWS has it
	must(h, 0, err)
}

func second[T any](_ T, err error) error { return err }

func TestClassicLoadBalancerTellsTheHealthOfAServicesInstances(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.classic("web", 1234)
	h.register("web", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings[0].HostPort = aws.Int32(1234)
	})
	h.create("default", "web", "web", func(in *ecs.CreateServiceInput) {
		in.LoadBalancers = []types.LoadBalancer{{LoadBalancerName: aws.String("web"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}}
	})
	h.completed("default", "web")
	waiter := elb.NewInstanceInServiceWaiter(h.elb, func(o *elb.InstanceInServiceWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick })
	health := &elb.DescribeInstanceHealthInput{LoadBalancerName: aws.String("web")}
	if err := waiter.Wait(t.Context(), health, time.Minute); err != nil {
		t.Fatal(err)
	}
	out, err := h.elb.DescribeInstanceHealth(t.Context(), health)
	states := must(h, out, err).InstanceStates
	if len(states) != 2 || *states[0].State != "InService" || *states[0].ReasonCode != "N/A" || *states[0].Description != "N/A" {
		t.Errorf("health: %s", h.last.answer())
	}
	h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(0)})
	h.until("the instances are deregistered", func(snap state.Snapshot) bool {
		for target := range snap.Targets(state.ClassicGroup("web")) {
			if target.Draining.IsZero() {
				return false
			}
		}
		return true
	})
	balancers, err := h.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	if must(h, balancers, err); len(balancers.LoadBalancerDescriptions[0].Instances) != 0 {
		t.Errorf("instances of a service without tasks: %s", h.last.answer())
	}
}

// alb makes an application load balancer with a target group behind its port 8080.
func (h *house) alb(name string) (balancer v2types.LoadBalancer, group v2types.TargetGroup, listener v2types.Listener) {
	h.Helper()
	balancers, err := h.elbv2.CreateLoadBalancer(h.Context(), &elbv2.CreateLoadBalancerInput{Name: &name, Subnets: []string{"subnet-1", "subnet-2"}})
	balancer = must(h, balancers, err).LoadBalancers[0]
	groups, err := h.elbv2.CreateTargetGroup(h.Context(), &elbv2.CreateTargetGroupInput{Name: &name, Protocol: v2types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1")})
	group = must(h, groups, err).TargetGroups[0]
	listeners, err := h.elbv2.CreateListener(h.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancerArn, Protocol: v2types.ProtocolEnumHttp, Port: aws.Int32(8080),
		DefaultActions: []v2types.Action{{Type: v2types.ActionTypeEnumForward, TargetGroupArn: group.TargetGroupArn}},
	})
	return balancer, group, must(h, listeners, err).Listeners[0]
}

func TestApplicationLoadBalancerIsAnsweredAsAWSAnswers(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	balancer, group, listener := h.alb("web")
	h.golden("elbv2-create-listener.xml")
	described, err := h.elbv2.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{Names: []string{"web"}})
	must(h, described, err)
	h.golden("elbv2-describe-load-balancers.xml")
	groups, err := h.elbv2.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{LoadBalancerArn: balancer.LoadBalancerArn})
	must(h, groups, err)
	h.golden("elbv2-describe-target-groups.xml")

	b, g, l := h.alb("web") // the same settings: each call succeeds and changes nothing
	if *b.LoadBalancerArn != *balancer.LoadBalancerArn || *g.TargetGroupArn != *group.TargetGroupArn || *l.ListenerArn != *listener.ListenerArn {
		t.Error("to create them again made others")
	}
	rules, err := h.elbv2.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: listener.ListenerArn})
	if must(h, rules, err); len(rules.Rules) != 1 || *rules.Rules[0].Priority != "default" || !*rules.Rules[0].IsDefault {
		t.Errorf("rules: %s", h.last.answer())
	}
	for request, want := range map[error]string{
		second(h.elbv2.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("web")})):                                                        "DuplicateLoadBalancerName: A load balancer with the same name 'web' exists, but with different settings",
		second(h.elbv2.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{Name: aws.String("web"), Protocol: v2types.ProtocolEnumHttp, Port: aws.Int32(81)})): "DuplicateTargetGroupName: A target group with the same name 'web' exists, but with different settings",
		second(h.elbv2.DeleteTargetGroup(t.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: group.TargetGroupArn})):                                             "ResourceInUse: Target group '" + *group.TargetGroupArn + "' is currently in use by a listener or a rule",
		second(h.elbv2.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{Names: []string{"nope"}})):                                                  "LoadBalancerNotFound: Load balancers '[nope]' not found",
		second(h.elbv2.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{Names: []string{"nope"}})):                                                    "TargetGroupNotFound: One or more target groups not found",
		second(h.elbv2.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("n"), Type: v2types.LoadBalancerTypeEnumGateway})):               "InvalidConfigurationRequest: Load balancers of type 'gateway' are not served by this engine",
		second(h.elbv2.DeleteRule(t.Context(), &elbv2.DeleteRuleInput{RuleArn: rules.Rules[0].RuleArn})):                                                                "OperationNotPermitted: Default rule '" + *rules.Rules[0].RuleArn + "' cannot be deleted",
	} {
		if got := code(request); got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
	_, err = h.elbv2.DeleteLoadBalancer(t.Context(), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: balancer.LoadBalancerArn})
	must(h, 0, err)
	_, err = h.elbv2.DeleteTargetGroup(t.Context(), &elbv2.DeleteTargetGroupInput{TargetGroupArn: group.TargetGroupArn})
	must(h, 0, err)
}

func TestRulesChangePlacesAllAtOnce(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	_, group, listener := h.alb("web")
	var arns []string
	for i, path := range []string{"/a/*", "/b/*"} {
		out, err := h.elbv2.CreateRule(t.Context(), &elbv2.CreateRuleInput{
			ListenerArn: listener.ListenerArn, Priority: aws.Int32(int32(i + 1)), //nolint:gosec // 1 and 2
			Conditions: []v2types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{path}}},
			Actions:    []v2types.Action{{Type: v2types.ActionTypeEnumForward, TargetGroupArn: group.TargetGroupArn}},
		})
		r := must(h, out, err).Rules[0]
		if r.Conditions[0].PathPatternConfig.Values[0] != path || *r.Actions[0].ForwardConfig.TargetGroups[0].Weight != 1 {
			t.Errorf("rule: %s", h.last.answer())
		}
		arns = append(arns, *r.RuleArn)
	}
	set := func(first, other int32) error {
		_, err := h.elbv2.SetRulePriorities(t.Context(), &elbv2.SetRulePrioritiesInput{RulePriorities: []v2types.RulePriorityPair{
			{RuleArn: &arns[0], Priority: &first}, {RuleArn: &arns[1], Priority: &other},
		}})
		return err
	}
	if got := code(set(3, 3)); got != "PriorityInUse: Priority '3' is currently in use" {
		t.Error(got)
	}
	if err := set(2, 1); err != nil {
		t.Fatal(err)
	}
	rules, err := h.elbv2.DescribeRules(t.Context(), &elbv2.DescribeRulesInput{ListenerArn: listener.ListenerArn})
	must(h, rules, err)
	if *rules.Rules[0].RuleArn != arns[1] || *rules.Rules[1].RuleArn != arns[0] || !*rules.Rules[2].IsDefault {
		t.Errorf("rules: %s", h.last.answer())
	}
}

func TestServiceIsReachedThroughItsTargetGroup(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, group, _ := h.alb("web")
	h.register("web", nil)
	balancers := []types.LoadBalancer{{TargetGroupArn: group.TargetGroupArn, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}}
	h.create("default", "web", "web", func(in *ecs.CreateServiceInput) { in.LoadBalancers = balancers })
	h.completed("default", "web")
	waiter := elbv2.NewTargetInServiceWaiter(h.elbv2, func(o *elbv2.TargetInServiceWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick })
	if err := waiter.Wait(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn}, time.Minute); err != nil {
		t.Fatal(err)
	}
	out, err := h.elbv2.DescribeTargetHealth(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn})
	targets := must(h, out, err).TargetHealthDescriptions
	if len(targets) != 2 || !strings.HasPrefix(*targets[0].Target.Id, "i-") || targets[0].TargetHealth.State != v2types.TargetHealthStateEnumHealthy {
		t.Errorf("targets: %s", h.last.answer())
	}
	unused, err := h.elbv2.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{Name: aws.String("unused"), Protocol: v2types.ProtocolEnumHttp, Port: aws.Int32(80), TargetType: v2types.TargetTypeEnumIp})
	arn := must(h, unused, err).TargetGroups[0].TargetGroupArn
	balancers[0].TargetGroupArn = arn
	_, err = h.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("web"), LoadBalancers: balancers})
	if want := "InvalidParameterException: The target group with targetGroupArn " + *arn + " does not have an associated load balancer."; code(err) != want {
		t.Errorf("%s, expected %s", code(err), want)
	}
}

// A documented difference: AWS's words, and what the check got.
func TestInstanceHealthTellsWhatTheCheckGot(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.cluster()
	h.classic("web", 1234)
	// The load balancer writes the whole sentence into its targets.
	want := "Instance has failed at least the UnhealthyThreshold number of health checks consecutively. Health checks failed with these codes: [503]"
	var id string
	err := h.DB().Write(func(tx *state.Tx) error {
		for i := range tx.Instances("default") {
			id = *i.Doc.Ec2InstanceId
		}
		tx.Put(&state.Target{
			Group: state.ClassicGroup("web"), ID: id, Port: 1234, Health: v2types.TargetHealthStateEnumUnhealthy,
			Description: want,
		})
		return nil
	})
	must(h, 0, err)
	out, err := h.elb.DescribeInstanceHealth(t.Context(), &elb.DescribeInstanceHealthInput{LoadBalancerName: aws.String("web")})
	got := must(h, out, err).InstanceStates[0]
	if *got.InstanceId != id || *got.State != "OutOfService" || *got.ReasonCode != "Instance" || *got.Description != want {
		t.Errorf("health: %s", h.last.answer())
	}
}
