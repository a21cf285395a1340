package ecsapi

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// checkService refuses a service whose parts don't fit each other. [ecs-behaviour 1.9]
func (s *Server) checkService(snap state.Snapshot, doc *types.Service, definition *state.TaskDefinition) error {
	if err := checkNetwork(definition, doc.NetworkConfiguration); err != nil {
		return err
	}
	if err := checkPlacing(doc.LaunchType, doc.CapacityProviderStrategy, doc.PlacementConstraints, doc.PlacementStrategy, definition); err != nil {
		return err
	}
	if len(doc.LoadBalancers) > 5 {
		return invalid("load balancers can have at most 5 items.")
	}
	for _, lb := range doc.LoadBalancers {
		if err := checkLoadBalancer(snap, lb, definition); err != nil {
			return err
		}
	}
	if err := checkRegistries(snap, doc.ServiceRegistries, definition); err != nil {
		return err
	}
	return checkRouting(snap, doc, definition)
}

func checkLoadBalancer(snap state.Snapshot, lb types.LoadBalancer, definition *state.TaskDefinition) error {
	name, port := awsdoc.Or(lb.ContainerName, ""), awsdoc.Or(lb.ContainerPort, 0)
	container, ok := definition.Container(name)
	if !ok {
		return invalid("The container %s does not exist in the task definition.", name)
	}
	mapped := slices.IndexFunc(container.PortMappings, func(p types.PortMapping) bool { return awsdoc.Or(p.ContainerPort, 0) == port })
	if mapped < 0 {
		return invalid("The container %s did not have a container port %d defined.", name, port)
	}
	switch {
	case lb.TargetGroupArn != nil:
		return checkTargetGroup(snap, *lb.TargetGroupArn, definition.Doc.NetworkMode)
	case lb.LoadBalancerName != nil:
		return checkClassic(snap, *lb.LoadBalancerName, container.PortMappings[mapped])
	default:
		return invalid("Either loadBalancerName or targetGroupArn must be given.")
	}
}

func checkTargetGroup(snap state.Snapshot, arn string, mode types.NetworkMode) error {
	group, ok := snap.TargetGroup(arn)
	if !ok {
		return invalid("The specified target group does not exist. (%s)", arn)
	}
	if len(group.Doc.LoadBalancerArns) == 0 && !attached(snap, arn) {
		return invalid("The target group with targetGroupArn %s does not have an associated load balancer.", arn)
	}
	return checkTargetType(group, mode)
}

func checkTargetType(group *state.TargetGroup, mode types.NetworkMode) error {
	wanted := "instance"
	if mode == types.NetworkModeAwsvpc {
		wanted = "ip"
	}
	if got := string(group.Doc.TargetType); got != wanted {
		return invalid("The provided target group %s has target type %s, which is incompatible with the %s network mode specified in the task definition.", group.ARN, got, modeName(mode))
	}
	return nil
}

func modeName(mode types.NetworkMode) string {
	if mode == "" {
		return "bridge"
	}
	return string(mode)
}

// attached reports whether a rule of some listener forwards to the target group.
func attached(snap state.Snapshot, arn string) bool {
	for rule := range snap.AllRules() {
		for _, action := range rule.Doc.Actions {
			if awsdoc.Or(action.TargetGroupArn, "") == arn {
				return true
			}
			if action.ForwardConfig == nil {
				continue
			}
			for _, g := range action.ForwardConfig.TargetGroups {
				if awsdoc.Or(g.TargetGroupArn, "") == arn {
					return true
				}
			}
		}
	}
	return false
}

// checkClassic: a classic load balancer sends to the same instance port on every instance, so the container needs that
// very host port.
func checkClassic(snap state.Snapshot, name string, port types.PortMapping) error {
	lb, ok := snap.ClassicBalancer(name)
	if !ok {
		return invalid("There is no ACTIVE Load Balancer named '%s'", name)
	}
	for _, l := range lb.Doc.ListenerDescriptions {
		if l.Listener != nil && awsdoc.Or(l.Listener.InstancePort, 0) == awsdoc.Or(port.HostPort, 0) {
			return nil
		}
	}
	return invalid("The load balancer %s does not have a listener whose instance port is %d, the host port of container port %d.",
		name, awsdoc.Or(port.HostPort, 0), awsdoc.Or(port.ContainerPort, 0))
}
