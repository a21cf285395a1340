package ecs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/rollout"
)

// targets asks every load balancer of a service. The tasks say which target stands for which task.
func (t *Target) targets(ctx context.Context, ref rollout.ServiceRef, balancers []types.LoadBalancer, tasks []types.Task, troubled bool) ([]rollout.TargetHealth, error) {
	var all []rollout.TargetHealth
	sick := false
	for _, b := range balancers {
		for _, ask := range t.asked(b) {
			found, err := ask.how(ctx, ask.name)
			if err != nil {
				return nil, t.failed(fmt.Sprintf("look at the targets of service %q", ref.Service), err)
			}
			for _, h := range found {
				sick = sick || h.State != rollout.TargetHealthy
				all = append(all, h)
			}
		}
	}
	if !sick && !troubled { // which of them stands for which task is of no interest then, and a call that need not be made
		return all, nil
	}
	places, err := t.places(ctx, ref, tasks)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Task = places.task(all[i])
	}
	return all, nil
}

// asking is a load balancer or target group, and how its targets are asked for.
type asking struct {
	how  func(context.Context, string) ([]rollout.TargetHealth, error)
	name string
}

// asked returns what has to be asked about one load balancer of a service: both target groups, where traffic is shifted
// from one to the other.
func (t *Target) asked(b types.LoadBalancer) []asking {
	arn := aws.ToString(b.TargetGroupArn)
	if arn == "" {
		return []asking{{t.classic, aws.ToString(b.LoadBalancerName)}}
	}
	all := []asking{{t.group, arn}}
	if a := b.AdvancedConfiguration; a != nil && aws.ToString(a.AlternateTargetGroupArn) != "" {
		all = append(all, asking{t.group, *a.AlternateTargetGroupArn})
	}
	return all
}

// group asks a target group.
func (t *Target) group(ctx context.Context, arn string) ([]rollout.TargetHealth, error) {
	out, err := t.elbv2.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return nil, err
	}
	var all []rollout.TargetHealth
	for _, d := range out.TargetHealthDescriptions {
		h := rollout.TargetHealth{Group: groupName(arn), State: rollout.TargetInitial}
		if d.Target != nil {
			h.ID, h.Port = aws.ToString(d.Target.Id), int(aws.ToInt32(d.Target.Port))
		}
		if d.TargetHealth != nil {
			h.State, h.Reason = targetState(d.TargetHealth), aws.ToString(d.TargetHealth.Description)
		}
		all = append(all, h)
	}
	return all, nil
}

func targetState(h *v2.TargetHealth) rollout.TargetState {
	switch h.State {
	case v2.TargetHealthStateEnumHealthy, v2.TargetHealthStateEnumUnavailable: // unavailable: checks are switched off
		return rollout.TargetHealthy
	case v2.TargetHealthStateEnumDraining, v2.TargetHealthStateEnumUnhealthyDraining:
		return rollout.TargetDraining
	case v2.TargetHealthStateEnumUnhealthy:
		return rollout.TargetUnhealthy
	case v2.TargetHealthStateEnumInitial, v2.TargetHealthStateEnumUnused:
	}
	return rollout.TargetInitial
}

// groupName returns the name within a target group's ARN, arn:…:targetgroup/NAME/ID.
func groupName(arn string) string {
	before := arn[:max(0, len(arn)-len(last(arn))-1)]
	if name := last(before); name != "" {
		return name
	}
	return arn
}

// texts of DescribeInstanceHealth. [Elastic Load Balancing: troubleshoot a Classic Load Balancer, health checks]
const (
	stillRegistering = "Instance registration is still in progress."
	notYetHealthy    = "Instance has not passed the configured HealthyThreshold number of health checks consecutively."
	deregistering    = "Instance deregistration currently in progress."
)

// classic asks a classic load balancer, which knows instances and no ports.
func (t *Target) classic(ctx context.Context, name string) ([]rollout.TargetHealth, error) {
	out, err := t.elb.DescribeInstanceHealth(ctx, &elasticloadbalancing.DescribeInstanceHealthInput{LoadBalancerName: &name})
	if err != nil {
		return nil, err
	}
	var all []rollout.TargetHealth
	for _, i := range out.InstanceStates {
		h := rollout.TargetHealth{Group: name, ID: aws.ToString(i.InstanceId), State: rollout.TargetUnhealthy, Reason: aws.ToString(i.Description)}
		switch {
		case aws.ToString(i.State) == "InService":
			h.State, h.Reason = rollout.TargetHealthy, ""
		case h.Reason == deregistering:
			h.State = rollout.TargetDraining
		case h.Reason == stillRegistering, h.Reason == notYetHealthy, aws.ToString(i.State) == "Unknown":
			h.State = rollout.TargetInitial
		}
		all = append(all, h)
	}
	return all, nil
}

// places knows which task is reached where.
type places struct {
	exact map[place]rollout.TaskID
	hosts map[string][]rollout.TaskID
}

// place is an instance or an address, and a port.
type place struct {
	id   string
	port int
}

func (t *Target) places(ctx context.Context, ref rollout.ServiceRef, tasks []types.Task) (places, error) {
	p := places{exact: map[place]rollout.TaskID{}, hosts: map[string][]rollout.TaskID{}}
	hosts, err := t.hosts(ctx, ref, tasks)
	if err != nil {
		return p, err
	}
	for _, task := range tasks {
		id := taskID(task)
		if host := hosts[aws.ToString(task.ContainerInstanceArn)]; host != "" {
			p.hosts[host] = append(p.hosts[host], id)
			for _, c := range task.Containers {
				for _, b := range c.NetworkBindings {
					p.exact[place{host, int(aws.ToInt32(b.HostPort))}] = id
				}
			}
		}
		for _, a := range task.Attachments {
			for _, d := range a.Details {
				if aws.ToString(d.Name) == "privateIPv4Address" {
					address := aws.ToString(d.Value)
					p.hosts[address] = append(p.hosts[address], id)
				}
			}
		}
	}
	return p, nil
}

// task returns the task that a target stands for, "" when that cannot be told.
func (p places) task(h rollout.TargetHealth) rollout.TaskID {
	if id, ok := p.exact[place{h.ID, h.Port}]; ok {
		return id
	}
	if on := p.hosts[h.ID]; len(on) == 1 {
		return on[0]
	}
	return ""
}
