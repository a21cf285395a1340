package ecs

import (
	"context"
	"net"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// classicAddress returns where a classic load balancer's first listener is reached.
func (t *Target) classicAddress(ctx context.Context, name string) ([]string, error) {
	out, err := t.elb.DescribeLoadBalancers(ctx, &elasticloadbalancing.DescribeLoadBalancersInput{LoadBalancerNames: []string{name}})
	if err != nil {
		return nil, err
	}
	var all []string
	for _, b := range out.LoadBalancerDescriptions {
		for _, l := range b.ListenerDescriptions {
			if l.Listener != nil {
				all = append(all, address(aws.ToString(b.DNSName), l.Listener.LoadBalancerPort))
				break
			}
		}
	}
	return all, nil
}

// groupAddresses returns where the first listeners of the load balancers of a target group are reached.
func (t *Target) groupAddresses(ctx context.Context, arn string) ([]string, error) {
	groups, err := t.elbv2.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{TargetGroupArns: []string{arn}})
	if err != nil {
		return nil, err
	}
	var all []string
	for _, g := range groups.TargetGroups {
		for _, balancer := range g.LoadBalancerArns {
			found, err := t.balancerAddress(ctx, balancer)
			if err != nil {
				return nil, err
			}
			all = append(all, found...)
		}
	}
	return all, nil
}

func (t *Target) balancerAddress(ctx context.Context, arn string) ([]string, error) {
	balancers, err := t.elbv2.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{arn}})
	if err != nil {
		return nil, err
	}
	listeners, err := t.elbv2.DescribeListeners(ctx, &elasticloadbalancingv2.DescribeListenersInput{LoadBalancerArn: &arn})
	if err != nil {
		return nil, err
	}
	var all []string
	for _, b := range balancers.LoadBalancers {
		if len(listeners.Listeners) > 0 {
			all = append(all, address(aws.ToString(b.DNSName), aws.ToInt32(listeners.Listeners[0].Port)))
		}
	}
	return all, nil
}

// address leaves out the port that a browser would use for http or https anyway.
func address(host string, port int32) string {
	if port == 80 || port == 443 {
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
