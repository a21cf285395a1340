package elbv2api

import (
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/balance"
)

// defaultGroup fills in what AWS returns for members that were left out. [API reference: CreateTargetGroup]
func defaultGroup(doc *types.TargetGroup) {
	number := func(field **int32, otherwise int32) {
		if *field == nil {
			*field = &otherwise
		}
	}
	text := func(field **string, otherwise string) {
		if *field == nil {
			*field = &otherwise
		}
	}
	if doc.HealthCheckProtocol == "" {
		doc.HealthCheckProtocol = types.ProtocolEnumHttp
		if network(doc.Protocol) {
			doc.HealthCheckProtocol = types.ProtocolEnumTcp
		}
	}
	number(&doc.HealthCheckIntervalSeconds, 30)
	number(&doc.HealthCheckTimeoutSeconds, defaultTimeout(doc))
	number(&doc.HealthyThresholdCount, 5)
	number(&doc.UnhealthyThresholdCount, 2)
	text(&doc.HealthCheckPort, "traffic-port")
	if !network(doc.Protocol) {
		text(&doc.ProtocolVersion, "HTTP1")
	}
	if doc.HealthCheckEnabled == nil {
		yes := true
		doc.HealthCheckEnabled = &yes
	}
	if !network(doc.HealthCheckProtocol) {
		if awsdoc.Or(doc.ProtocolVersion, "") == "GRPC" {
			text(&doc.HealthCheckPath, "/AWS.ALB/healthcheck")
		}
		text(&doc.HealthCheckPath, "/")
		if doc.Matcher == nil {
			doc.Matcher = defaultMatcher(doc)
		}
	}
	if doc.TargetType == "" {
		doc.TargetType = types.TargetTypeEnumInstance
	}
	if doc.IpAddressType == "" {
		doc.IpAddressType = types.TargetGroupIpAddressTypeEnumIpv4
	}
	doc.LoadBalancerArns = []string{}
}

// defaultTimeout is 5 seconds for the targets of application load balancers; for those of network load balancers 6 for
// checks over HTTP, and 10 for others. [Health checks for Network Load Balancer target groups]
func defaultTimeout(doc *types.TargetGroup) int32 {
	switch {
	case !network(doc.Protocol):
		return 5
	case doc.HealthCheckProtocol == types.ProtocolEnumHttp:
		return 6
	default:
		return 10
	}
}

func defaultMatcher(doc *types.TargetGroup) *types.Matcher {
	switch {
	case network(doc.Protocol):
		return &types.Matcher{HttpCode: awsdoc.Text("200-399")}
	case *doc.ProtocolVersion == "GRPC":
		return &types.Matcher{GrpcCode: awsdoc.Text("12")}
	default:
		return &types.Matcher{HttpCode: awsdoc.Text("200")}
	}
}

func checkGroup(doc *types.TargetGroup) error {
	switch {
	case !nameForm().MatchString(awsdoc.Or(doc.TargetGroupName, "")):
		return validation("The target group name '%s' must contain only alphanumeric characters and hyphens, and must not begin or end with a hyphen", awsdoc.Or(doc.TargetGroupName, ""))
	case doc.TargetType != types.TargetTypeEnumInstance && doc.TargetType != types.TargetTypeEnumIp:
		return &types.InvalidConfigurationRequestException{Message: awsdoc.Text("Target type '%s' is not served by this engine", doc.TargetType)}
	case awsdoc.Or(doc.Port, 0) < 1 || awsdoc.Or(doc.Port, 0) > 65535:
		return validation("A port must be specified, between 1 and 65535")
	}
	if err := checkGroupProtocol(doc.Protocol); err != nil {
		return err
	}
	return checkHealth(doc)
}

func checkHealth(doc *types.TargetGroup) error {
	switch {
	case *doc.HealthCheckIntervalSeconds < 5 || *doc.HealthCheckIntervalSeconds > 300:
		return validation("Health check interval '%d' must be between 5 and 300", *doc.HealthCheckIntervalSeconds)
	case *doc.HealthCheckTimeoutSeconds < 2 || *doc.HealthCheckTimeoutSeconds > 120:
		return validation("Health check timeout '%d' must be between 2 and 120", *doc.HealthCheckTimeoutSeconds)
	case *doc.HealthCheckTimeoutSeconds >= *doc.HealthCheckIntervalSeconds:
		return validation("Health check timeout '%d' must be smaller than or equal to the interval '%d'", *doc.HealthCheckTimeoutSeconds, *doc.HealthCheckIntervalSeconds)
	case *doc.HealthyThresholdCount < 2 || *doc.HealthyThresholdCount > 10 || *doc.UnhealthyThresholdCount < 2 || *doc.UnhealthyThresholdCount > 10:
		return validation("Health check thresholds must be between 2 and 10")
	}
	return checkProbe(doc)
}

// checkProbe refuses health checks that ask for what their protocol doesn't have. [API reference: CreateTargetGroup]
func checkProbe(doc *types.TargetGroup) error {
	switch p := doc.HealthCheckProtocol; {
	case p != types.ProtocolEnumHttp && p != types.ProtocolEnumHttps && p != types.ProtocolEnumTcp:
		return validation("Health check protocol '%s' must be one of 'HTTP, HTTPS, TCP'", p)
	case p == types.ProtocolEnumTcp && !network(doc.Protocol):
		return validation("Health check protocol 'TCP' is not supported for target groups with the protocol '%s'", doc.Protocol)
	case p == types.ProtocolEnumTcp && doc.Matcher != nil:
		return validation("Health check matcher is not supported for health checks with the protocol 'TCP'")
	case p == types.ProtocolEnumTcp && doc.HealthCheckPath != nil:
		return validation("Health check path is not supported for health checks with the protocol 'TCP'")
	case p == types.ProtocolEnumTcp:
		return nil
	}
	matcher := awsdoc.Or(doc.Matcher, types.Matcher{})
	codes, least, most := awsdoc.Or(matcher.HttpCode, ""), 200, 499
	switch {
	case network(doc.Protocol):
		most = 599
	case matcher.GrpcCode != nil:
		codes, least, most = *matcher.GrpcCode, 0, 99
	}
	if err := balance.CheckCodes(codes, least, most); err != nil {
		return validation("Health check matcher: %s", err)
	}
	return nil
}
