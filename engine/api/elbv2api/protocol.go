package elbv2api

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// network reports whether a protocol is spoken by network load balancers, which pass connections on as they are.
func network(p types.ProtocolEnum) bool {
	return p == types.ProtocolEnumTcp || p == types.ProtocolEnumTls
}

// checkListenerProtocol refuses what a load balancer of that type does not listen for.
func checkListenerProtocol(of types.LoadBalancerTypeEnum, protocol types.ProtocolEnum) error {
	isNetwork := of == types.LoadBalancerTypeEnumNetwork
	switch protocol {
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps:
		if !isNetwork {
			return nil
		}
	case types.ProtocolEnumTcp, types.ProtocolEnumTls:
		if isNetwork {
			return nil
		}
	case types.ProtocolEnumUdp, types.ProtocolEnumTcpUdp, types.ProtocolEnumQuic, types.ProtocolEnumTcpQuic:
		if isNetwork {
			return datagrams("Listener protocol", protocol)
		}
	}
	spoken := "HTTPS, HTTP"
	if isNetwork {
		spoken = "UDP, TCP, QUIC, TLS, TCP_UDP, TCP_QUIC"
	}
	return &types.UnsupportedProtocolException{Message: awsdoc.Text("Listener protocol '%s' must be one of '%s'", protocol, spoken)}
}

// datagrams refuses protocols over UDP.
func datagrams(of string, p types.ProtocolEnum) error {
	return &types.UnsupportedProtocolException{Message: awsdoc.Text(
		"%s '%s' is not served by this engine: it forwards connections, and UDP has none. Use TCP or TLS.", of, p)}
}

// checkGroupProtocol refuses protocols that no target can be sent here.
func checkGroupProtocol(p types.ProtocolEnum) error {
	switch p {
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps, types.ProtocolEnumTcp, types.ProtocolEnumTls:
		return nil
	case types.ProtocolEnumUdp, types.ProtocolEnumTcpUdp, types.ProtocolEnumQuic, types.ProtocolEnumTcpQuic:
		return datagrams("Target group protocol", p)
	default:
		return &types.UnsupportedProtocolException{Message: awsdoc.Text("Protocol '%s' of a target group is not served by this engine", p)}
	}
}

// checkReach refuses a listener that forwards to target groups of another protocol, or of another load balancer.
// [Network Load Balancers: Listeners, "Listener configuration"; target groups: "Each target group can be used with only
// one load balancer"]
func checkReach(snap state.Snapshot, balancer string, protocol types.ProtocolEnum, actions []types.Action) error {
	for _, a := range actions {
		if network(protocol) && a.Type != types.ActionTypeEnumForward {
			return &types.InvalidLoadBalancerActionException{Message: awsdoc.Text(
				"Actions of type '%s' are not supported by listeners of protocol '%s'", a.Type, protocol)}
		}
		for _, arn := range forwardsTo(a) {
			g, err := targetGroup(snap, &arn)
			if err != nil {
				return err
			}
			if !compatible(protocol, g.Doc.Protocol) {
				return &types.IncompatibleProtocolsException{Message: awsdoc.Text(
					"The protocol '%s' of target group '%s' is not compatible with the protocol '%s' of the listener", g.Doc.Protocol, arn, protocol)}
			}
			if slices.ContainsFunc(g.Doc.LoadBalancerArns, func(other string) bool { return other != balancer }) {
				return &types.TargetGroupAssociationLimitException{Message: awsdoc.Text(
					"The following target groups cannot be associated with more than one load balancer: %s", arn)}
			}
		}
	}
	return nil
}

// compatible reports whether a listener can forward to targets of a protocol. A TCP listener passes bytes on as they are;
// only one that has ended the client's TLS may begin it anew.
func compatible(listener, group types.ProtocolEnum) bool {
	switch listener {
	case types.ProtocolEnumTcp:
		return group == types.ProtocolEnumTcp
	case types.ProtocolEnumTls:
		return network(group)
	default:
		return !network(group)
	}
}
