package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"go.yaml.in/yaml/v4"

	"github.com/slipway-cd/slipway/engine/runtime/scripted"
)

// definitionOf reads a revision of the task definition "web": members of RegisterTaskDefinition, or those of its only container,
// "app". A container's script may stand beside AWS's members.
func definitionOf(n *yaml.Node, number int, dress func(*types.ContainerDefinition, string)) (*ecs.RegisterTaskDefinitionInput, error) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return nil, problem(n, "expected revision %d of the task definition", number)
	}
	in := &ecs.RegisterTaskDefinitionInput{Family: aws.String("web")}
	rest, containers := without(n, "containerDefinitions")
	if containers == nil {
		c, err := containerOf(n, dress)
		in.ContainerDefinitions = []types.ContainerDefinition{c}
		return in, err
	}
	errs := []error{build(rest, reflect.ValueOf(in).Elem(), nil)}
	for _, item := range containers.Content {
		c, err := containerOf(item, dress)
		in.ContainerDefinitions = append(in.ContainerDefinitions, c)
		errs = append(errs, err)
	}
	return in, errors.Join(errs...)
}

func containerOf(n *yaml.Node, dress func(*types.ContainerDefinition, string)) (types.ContainerDefinition, error) {
	var c types.ContainerDefinition
	rest, script := without(n, "script")
	err := build(rest, reflect.ValueOf(&c).Elem(), nil)
	c.Name = cmp.Or(c.Name, aws.String("app"))
	c.Image = cmp.Or(c.Image, aws.String(*c.Name+":1"))
	c.Memory = cmp.Or(c.Memory, aws.Int32(64))
	if c.PortMappings == nil && *c.Name == "app" {
		c.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80)}}
	}
	text := ""
	if script != nil {
		text = script.Value
		if _, bad := scripted.Parse(text); bad != nil {
			err = errors.Join(err, problem(script, "%v", bad))
		}
	}
	c.DockerLabels = map[string]string{scripted.Label: text}
	if dress != nil {
		dress(&c, text)
	}
	return c, err
}

// without returns a mapping without one of its keys, and what that key holds.
func without(n *yaml.Node, key string) (rest, value *yaml.Node) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	c := *n
	c.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			value = n.Content[i+1]
			continue
		}
		c.Content = append(c.Content, n.Content[i], n.Content[i+1])
	}
	return &c, value
}

func checkGroup(n *yaml.Node) error {
	return build(n, reflect.ValueOf(&elbv2.CreateTargetGroupInput{}).Elem(), nil)
}

// stage is what a scenario is played on: real clients of an engine, and names for what they meet.
type stage struct {
	clients
	names *names
	dress func(*types.ContainerDefinition, string) // makes a container of a scenario one that this stage's runtime can run
}

// setUp makes what the scenario begins with.
func (s *stage) setUp(ctx context.Context, plan Plan) error {
	if _, err := s.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{}); err != nil {
		return err
	}
	if err := s.nameInstances(ctx); err != nil {
		return err
	}
	for i := range plan.Revisions {
		in, err := definitionOf(&plan.Revisions[i], i+1, s.dress)
		if err == nil {
			_, err = s.ecs.RegisterTaskDefinition(ctx, in)
		}
		if err != nil {
			return fmt.Errorf("revision %d: %w", i+1, err)
		}
	}
	if plan.Balancer == nil {
		return nil
	}
	return s.setUpBalancer(ctx, plan.Balancer)
}

// nameInstances names the container instances by their zones: a1, a2, b1.
func (s *stage) nameInstances(ctx context.Context) error {
	list, err := s.ecs.ListContainerInstances(ctx, &ecs.ListContainerInstancesInput{})
	if err != nil || len(list.ContainerInstanceArns) == 0 {
		return err
	}
	out, err := s.ecs.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{ContainerInstances: list.ContainerInstanceArns})
	if err != nil {
		return err
	}
	count := map[string]int{}
	for _, i := range out.ContainerInstances {
		zone := zoneOf(i)
		count[zone]++
		name := fmt.Sprintf("%s%d", zone, count[zone])
		s.names.other("instance", *i.ContainerInstanceArn, name)
		s.names.others[lastOf(*i.ContainerInstanceArn)], s.names.others[*i.Ec2InstanceId] = name, name
	}
	return nil
}

func zoneOf(i types.ContainerInstance) string {
	for _, a := range i.Attributes {
		if *a.Name == "ecs.availability-zone" {
			return zoneLetter(*a.Value)
		}
	}
	return ""
}

// setUpBalancer makes an application load balancer: its production listener leads to the target group "blue", its test listener
// to "green".
func (s *stage) setUpBalancer(ctx context.Context, b *Balancer) error {
	lbs, err := s.elbv2.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: aws.String("web"), Subnets: []string{"subnet-1", "subnet-2"}})
	if err != nil {
		return err
	}
	for i, group := range []string{"blue", "green"} {
		arn, err := s.setUpGroup(ctx, group, b)
		if err != nil {
			return err
		}
		listener, err := s.elbv2.CreateListener(ctx, &elbv2.CreateListenerInput{
			LoadBalancerArn: lbs.LoadBalancers[0].LoadBalancerArn, Protocol: v2.ProtocolEnumHttp, Port: aws.Int32(int32(8080 + i)), //nolint:gosec // two ports
			DefaultActions: []v2.Action{{Type: v2.ActionTypeEnumForward, TargetGroupArn: arn}},
		})
		if err != nil {
			return err
		}
		rules, err := s.elbv2.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: listener.Listeners[0].ListenerArn})
		if err != nil {
			return err
		}
		s.names.other("rule", *rules.Rules[0].RuleArn, []string{"production", "test"}[i])
	}
	return nil
}

func (s *stage) setUpGroup(ctx context.Context, name string, b *Balancer) (*string, error) {
	in := &elbv2.CreateTargetGroupInput{Protocol: v2.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1")}
	if err := build(&b.Group, reflect.ValueOf(in).Elem(), nil); err != nil {
		return nil, err
	}
	in.Name = &name
	out, err := s.elbv2.CreateTargetGroup(ctx, in)
	if err != nil {
		return nil, err
	}
	arn := out.TargetGroups[0].TargetGroupArn
	s.names.other("group", *arn, name)
	attributes := &elbv2.ModifyTargetGroupAttributesInput{TargetGroupArn: arn}
	for _, k := range slices.Sorted(keys(b.Attributes)) {
		attributes.Attributes = append(attributes.Attributes, v2.TargetGroupAttribute{Key: &k, Value: aws.String(b.Attributes[k])})
	}
	if len(attributes.Attributes) > 0 {
		_, err = s.elbv2.ModifyTargetGroupAttributes(ctx, attributes)
	}
	return arn, err
}
