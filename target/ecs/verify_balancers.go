package ecs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	classictypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/fault"
)

// balancers compares every load balancer of the service with the containers that it leads to.
func (v *verification) balancers() []func(context.Context) {
	var checks []func(context.Context)
	groups, classic := map[string]groupUse{}, map[string][]int{}
	for i, b := range v.service.LoadBalancers {
		at := fmt.Sprintf("loadBalancers[%d]", i)
		v.container(v.member(at+".containerName"), v.member(at+".containerPort"), b)
		if name := aws.ToString(b.LoadBalancerName); name != "" {
			classic[name] = append(classic[name], i)
		}
		if group := aws.ToString(b.TargetGroupArn); group != "" {
			groups[group] = groupUse{v.member(at + ".targetGroupArn"), b.AdvancedConfiguration != nil}
		}
		if a := b.AdvancedConfiguration; a != nil && aws.ToString(a.AlternateTargetGroupArn) != "" {
			groups[*a.AlternateTargetGroupArn] = groupUse{v.member(at + ".advancedConfiguration.alternateTargetGroupArn"), true}
		}
	}
	if len(groups) > 0 {
		checks = append(checks, func(ctx context.Context) { v.targetGroups(ctx, groups) })
	}
	for _, name := range slices.Sorted(maps.Keys(classic)) {
		checks = append(checks, func(ctx context.Context) { v.classicBalancer(ctx, name, classic[name]) })
	}
	return checks
}

// container looks for the container and the port that a load balancer of the service leads to. Those that stand in the
// documents have been compared when they were made; those of a service that exists have not.
func (v *verification) container(nameAt, portAt asks, b types.LoadBalancer) {
	name, port := aws.ToString(b.ContainerName), aws.ToInt32(b.ContainerPort)
	subject := "load balancer " + balancerName(b)
	c := v.task.container(name)
	if c == nil {
		v.problem(nameAt, subject, fmt.Sprintf("it leads to the container %q, which the task definition does not have", name),
			"name the container so, or name the one that there is in the service's loadBalancers")
		return
	}
	if v.mapping(b) == nil && !slices.ContainsFunc(c.PortMappings, func(m types.PortMapping) bool { return m.ContainerPortRange != nil }) {
		v.problem(portAt, subject, fmt.Sprintf("it leads to port %d, which is not in the portMappings of container %q", port, name),
			"add the port to portMappings, or correct containerPort in the service's loadBalancers")
	}
}

func balancerName(b types.LoadBalancer) string {
	if name := aws.ToString(b.LoadBalancerName); name != "" {
		return name
	}
	return groupName(aws.ToString(b.TargetGroupArn))
}

// mapping returns the port mapping that a load balancer leads to, or nil.
func (v *verification) mapping(b types.LoadBalancer) *types.PortMapping {
	c := v.task.container(aws.ToString(b.ContainerName))
	if c == nil {
		return nil
	}
	for i := range c.PortMappings {
		if aws.ToInt32(c.PortMappings[i].ContainerPort) == aws.ToInt32(b.ContainerPort) {
			return &c.PortMappings[i]
		}
	}
	return nil
}

// groupUse is where a target group is asked for. Of two between which traffic shifts, one may have no listener at any time.
type groupUse struct {
	at     asks
	shifts bool
}

// targetGroups asks for all of them at once; one by one, when one of them does not exist, because AWS doesn't say which.
func (v *verification) targetGroups(ctx context.Context, uses map[string]groupUse) {
	names := slices.Sorted(maps.Keys(uses))
	out, err := v.target.elbv2.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{TargetGroupArns: names})
	if err == nil {
		for _, g := range out.TargetGroups {
			v.targetGroup(uses[aws.ToString(g.TargetGroupArn)], g)
		}
		return
	}
	err = v.target.failed("look at the target groups", err)
	kind := fault.KindOf(err)
	for _, name := range names {
		switch {
		case len(names) > 1 && (kind == fault.NotFound || kind == fault.Invalid):
			v.targetGroups(ctx, map[string]groupUse{name: uses[name]})
		case kind == fault.NotFound || kind == fault.Invalid:
			v.problem(uses[name].at, "target group "+groupName(name), "there is no such target group", "create the target group, or correct its ARN")
		default:
			v.unsure(uses[name].at, "target group "+groupName(name), err)
		}
	}
}

// targetGroup says what keeps tasks from being registered with a target group, and it from being used by a service. [ECS: load
// balancing considerations]
func (v *verification) targetGroup(use groupUse, g v2.TargetGroup) {
	subject := "target group " + aws.ToString(g.TargetGroupName)
	needs := v2.TargetTypeEnumInstance
	if v.task.NetworkMode == types.NetworkModeAwsvpc {
		needs = v2.TargetTypeEnumIp
	}
	if g.TargetType != needs {
		v.problem(use.at, subject, fmt.Sprintf("its target type is %s, and tasks in network mode %s need %s", g.TargetType, v.networkMode(), needs),
			fmt.Sprintf("use a target group of the type %s", needs))
	}
	if len(g.LoadBalancerArns) == 0 && !use.shifts {
		v.problem(use.at, subject, "no listener of a load balancer leads to it", "add a listener, or a rule, that forwards to the target group")
	}
}

func (v *verification) networkMode() string {
	if v.task.NetworkMode == "" {
		return string(types.NetworkModeBridge)
	}
	return string(v.task.NetworkMode)
}

// classicBalancer compares a classic load balancer, which knows ports of instances alone, with the host port that it leads to.
func (v *verification) classicBalancer(ctx context.Context, name string, uses []int) {
	subject := "load balancer " + name
	at := v.member(fmt.Sprintf("loadBalancers[%d].loadBalancerName", uses[0]))
	out, err := v.target.elb.DescribeLoadBalancers(ctx, &elasticloadbalancing.DescribeLoadBalancersInput{LoadBalancerNames: []string{name}})
	if err != nil {
		err = v.target.failed("look at the "+subject, err)
		if fault.KindOf(err) == fault.NotFound {
			v.problem(at, subject, "there is no such classic load balancer", "create the load balancer, or correct its name")
			return
		}
		v.unsure(at, subject, err)
		return
	}
	if len(out.LoadBalancerDescriptions) == 0 {
		v.problem(at, subject, "there is no such classic load balancer", "create the load balancer, or correct its name")
		return
	}
	for _, i := range uses {
		if m := v.mapping(v.service.LoadBalancers[i]); m != nil {
			v.instancePort(v.member(fmt.Sprintf("loadBalancers[%d].containerPort", i)), subject, *m, out.LoadBalancerDescriptions[0])
		}
	}
}

func (v *verification) instancePort(at asks, subject string, m types.PortMapping, b classictypes.LoadBalancerDescription) {
	port := aws.ToInt32(m.HostPort)
	if v.task.NetworkMode == types.NetworkModeHost {
		port = aws.ToInt32(m.ContainerPort)
	}
	if port == 0 {
		v.problem(at, subject, fmt.Sprintf("it needs a fixed host port, and container port %d is given one that changes", aws.ToInt32(m.ContainerPort)),
			"set hostPort in the container's portMappings, or use a target group")
		return
	}
	var ports []string
	for _, l := range b.ListenerDescriptions {
		if l.Listener == nil {
			continue
		}
		if aws.ToInt32(l.Listener.InstancePort) == port {
			return
		}
		ports = append(ports, fmt.Sprint(aws.ToInt32(l.Listener.InstancePort)))
	}
	leads := "it has no listener"
	if len(ports) > 0 {
		leads = "its listeners lead to instance port " + strings.Join(ports, ", ")
	}
	v.problem(at, subject, fmt.Sprintf("%s, and the task is reached on host port %d", leads, port), "make the listener's instance port and the hostPort the same")
}
