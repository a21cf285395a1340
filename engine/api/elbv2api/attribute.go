package elbv2api

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// attribute is one setting of a load balancer, a listener or a target group: its value unless one is given, and which
// values there are.
type attribute struct {
	otherwise string
	check     func(key, value string) error
}

// attributeSet is the attributes that something has, by their keys.
type attributeSet map[string]attribute

// defaults are the attributes as AWS describes them of something new. Those without a value are not described.
func (s attributeSet) defaults() map[string]string {
	values := map[string]string{}
	for key, a := range s {
		if a.otherwise != "" || strings.HasPrefix(key, "access_logs.s3.") || strings.HasPrefix(key, "connection_logs.s3.") {
			values[key] = a.otherwise
		}
	}
	return values
}

// set returns the values with one more, or refuses a key or a value that there is not.
func (s attributeSet) set(of string, values map[string]string, key, value *string) error {
	k, v := awsdoc.Or(key, ""), awsdoc.Or(value, "")
	a, ok := s[k]
	if !ok {
		return validation("%s attribute key '%s' is not recognized", of, k)
	}
	if a.check != nil {
		if err := a.check(k, v); err != nil {
			return err
		}
	}
	values[k] = v
	return nil
}

func flag(otherwise bool) attribute {
	return choice(strconv.FormatBool(otherwise), "true", "false")
}

func choice(otherwise string, values ...string) attribute {
	return attribute{otherwise, func(key, value string) error {
		if !slices.Contains(values, value) {
			return validation("The value of '%s' must be one of '%s'", key, strings.Join(values, ", "))
		}
		return nil
	}}
}

func number(otherwise string, least, most int) attribute {
	return attribute{otherwise, func(key, value string) error { return inRange(key, value, least, most) }}
}

func inRange(key, value string, least, most int) error {
	if n, err := strconv.Atoi(value); err != nil || n < least || n > most {
		return validation("'%s' must be between '%d' and '%d' inclusive", key, least, most)
	}
	return nil
}

// optional is a number that may be a word, such as off.
func optional(word, otherwise string, least, most int) attribute {
	return attribute{otherwise, func(key, value string) error {
		if value == word {
			return nil
		}
		return inRange(key, value, least, most)
	}}
}

func text() attribute { return attribute{} }

func join(sets ...attributeSet) attributeSet {
	all := attributeSet{}
	for _, s := range sets {
		maps.Copy(all, s)
	}
	return all
}

// balancerAttributes are those of a load balancer of that type. [API reference: LoadBalancerAttribute]
func balancerAttributes(of types.LoadBalancerTypeEnum) attributeSet {
	both := attributeSet{
		"access_logs.s3.enabled":      flag(false),
		"access_logs.s3.bucket":       text(),
		"access_logs.s3.prefix":       text(),
		"deletion_protection.enabled": flag(false),
		"ipv6.deny_all_igw_traffic":   flag(false),
		"zonal_shift.config.enabled":  flag(false),
	}
	if of == types.LoadBalancerTypeEnumNetwork {
		return join(both, attributeSet{
			"dns_record.client_routing_policy": choice("any_availability_zone",
				"any_availability_zone", "partial_availability_zone_affinity", "availability_zone_affinity"),
			"load_balancing.cross_zone.enabled":      flag(false),
			"secondary_ips.auto_assigned.per_subnet": number("0", 0, 7),
		})
	}
	return join(both, attributeSet{
		"client_keep_alive.seconds":                                number("3600", 60, 604800),
		"connection_logs.s3.enabled":                               flag(false),
		"connection_logs.s3.bucket":                                text(),
		"connection_logs.s3.prefix":                                text(),
		"health_check_logs.s3.enabled":                             flag(false),
		"health_check_logs.s3.bucket":                              text(),
		"health_check_logs.s3.prefix":                              text(),
		"idle_timeout.timeout_seconds":                             number("60", 1, 4000),
		"load_balancing.cross_zone.enabled":                        choice("true", "true"), // it cannot be changed
		"routing.http.desync_mitigation_mode":                      choice("defensive", "monitor", "defensive", "strictest"),
		"routing.http.drop_invalid_header_fields.enabled":          flag(false),
		"routing.http.preserve_host_header.enabled":                flag(false),
		"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": flag(false),
		"routing.http.xff_client_port.enabled":                     flag(false),
		"routing.http.xff_header_processing.mode":                  choice("append", "append", "preserve", "remove"),
		"routing.http2.enabled":                                    flag(true),
		"waf.fail_open.enabled":                                    flag(false),
	})
}

// listenerAttributes are those of a listener of that protocol. [API reference: ListenerAttribute]
func listenerAttributes(protocol types.ProtocolEnum) attributeSet {
	switch protocol {
	case types.ProtocolEnumTcp:
		return attributeSet{"tcp.idle_timeout.seconds": number("350", 60, 6000)}
	case types.ProtocolEnumTls:
		return attributeSet{}
	}
	set := attributeSet{"routing.http.response.server.enabled": flag(true)}
	for _, name := range []string{
		"strict_transport_security", "access_control_allow_origin", "access_control_allow_methods", "access_control_allow_headers",
		"access_control_allow_credentials", "access_control_expose_headers", "access_control_max_age", "content_security_policy",
		"x_content_type_options", "x_frame_options",
	} {
		set["routing.http.response."+name+".header_value"] = text()
	}
	if protocol == types.ProtocolEnumHttps {
		for _, name := range []string{
			"x_amzn_mtls_clientcert_serial_number", "x_amzn_mtls_clientcert_issuer", "x_amzn_mtls_clientcert_subject",
			"x_amzn_mtls_clientcert_validity", "x_amzn_mtls_clientcert_leaf", "x_amzn_mtls_clientcert", "x_amzn_tls_version",
			"x_amzn_tls_cipher_suite",
		} {
			set["routing.http.request."+name+".header_name"] = text()
		}
	}
	return set
}

// groupAttributes are those of a target group. [API reference: TargetGroupAttribute]
func groupAttributes(doc types.TargetGroup) attributeSet {
	const week = 7 * 24 * 60 * 60
	both := attributeSet{
		"deregistration_delay.timeout_seconds":                                           number("300", 0, 3600),
		"load_balancing.cross_zone.enabled":                                              choice("use_load_balancer_configuration", "true", "false", "use_load_balancer_configuration"),
		"stickiness.enabled":                                                             flag(false),
		"target_group_health.dns_failover.minimum_healthy_targets.count":                 optional("off", "1", 1, 1000),
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            optional("off", "off", 1, 100),
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      number("1", 1, 1000),
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": optional("off", "off", 1, 100),
	}
	if network(doc.Protocol) {
		return join(both, attributeSet{
			"deregistration_delay.connection_termination.enabled":          flag(false),
			"preserve_client_ip.enabled":                                   flag(doc.TargetType != types.TargetTypeEnumIp),
			"proxy_protocol_v2.enabled":                                    flag(false),
			"stickiness.type":                                              choice("source_ip", "source_ip"),
			"target_health_state.unhealthy.connection_termination.enabled": flag(true),
			"target_health_state.unhealthy.draining_interval_seconds":      number("0", 0, 360000),
		})
	}
	return join(both, attributeSet{
		"load_balancing.algorithm.type":               choice("round_robin", "round_robin", "least_outstanding_requests", "weighted_random"),
		"load_balancing.algorithm.anomaly_mitigation": choice("off", "on", "off"),
		"slow_start.duration_seconds":                 {"0", checkSlowStart},
		"stickiness.type":                             choice("lb_cookie", "lb_cookie", "app_cookie"),
		"stickiness.app_cookie.cookie_name":           {"", checkCookieName},
		"stickiness.app_cookie.duration_seconds":      number("86400", 1, week),
		"stickiness.lb_cookie.duration_seconds":       number("86400", 1, week),
	})
}

func checkSlowStart(key, value string) error {
	if value == "0" {
		return nil
	}
	return inRange(key, value, 30, 900)
}

func checkCookieName(_, value string) error {
	for _, reserved := range []string{"AWSALBAPP", "AWSALBTG", "AWSALB"} {
		if strings.HasPrefix(value, reserved) {
			return validation("Cookie name '%s' begins with '%s', which is reserved", value, reserved)
		}
	}
	return nil
}

// checkTogether refuses attributes of a target group that exclude each other.
// [Application Load Balancers: Target group attributes]
func checkTogether(values map[string]string) error {
	switch {
	case values["slow_start.duration_seconds"] != "" && values["slow_start.duration_seconds"] != "0" &&
		values["load_balancing.algorithm.type"] != "round_robin":
		return validation("Slow start mode cannot be enabled when the load balancing algorithm is %s", values["load_balancing.algorithm.type"])
	case values["load_balancing.algorithm.anomaly_mitigation"] == "on" && values["load_balancing.algorithm.type"] != "weighted_random":
		return validation("Anomaly mitigation can be enabled only when the load balancing algorithm is weighted_random")
	case values["stickiness.enabled"] == "true" && values["stickiness.type"] == "app_cookie" && values["stickiness.app_cookie.cookie_name"] == "":
		return validation("stickiness.app_cookie.cookie_name must be specified when stickiness.type is app_cookie")
	case values["target_health_state.unhealthy.connection_termination.enabled"] == "true" &&
		values["target_health_state.unhealthy.draining_interval_seconds"] != "0":
		return validation("target_health_state.unhealthy.draining_interval_seconds can be configured only when target_health_state.unhealthy.connection_termination.enabled is false")
	}
	return nil
}

// ModifyLoadBalancerAttributes sets attributes; those left out stay as they are.
func (s *Server) ModifyLoadBalancerAttributes(_ context.Context, in *v2.ModifyLoadBalancerAttributesInput) (*v2.ModifyLoadBalancerAttributesOutput, error) {
	var changed state.Balancer
	err := s.write(func(tx *state.Tx) error {
		b, err := balancer(tx.Snapshot, in.LoadBalancerArn)
		if err != nil {
			return err
		}
		changed = *b
		changed.Attributes = maps.Clone(b.Attributes)
		for _, a := range in.Attributes {
			if err := balancerAttributes(b.Doc.Type).set("Load balancer", changed.Attributes, a.Key, a.Value); err != nil {
				return err
			}
		}
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.ModifyLoadBalancerAttributesOutput{Attributes: describeBalancerAttributes(changed.Attributes)}, nil
}

// DescribeLoadBalancerAttributes describes the attributes of a load balancer.
func (s *Server) DescribeLoadBalancerAttributes(_ context.Context, in *v2.DescribeLoadBalancerAttributesInput) (*v2.DescribeLoadBalancerAttributesOutput, error) {
	b, err := balancer(s.read(), in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &v2.DescribeLoadBalancerAttributesOutput{Attributes: describeBalancerAttributes(b.Attributes)}, nil
}

func describeBalancerAttributes(values map[string]string) []types.LoadBalancerAttribute {
	list := []types.LoadBalancerAttribute{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		list = append(list, types.LoadBalancerAttribute{Key: &key, Value: &value})
	}
	return list
}

// ModifyListenerAttributes sets attributes; those left out stay as they are.
func (s *Server) ModifyListenerAttributes(_ context.Context, in *v2.ModifyListenerAttributesInput) (*v2.ModifyListenerAttributesOutput, error) {
	var changed state.Listener
	err := s.write(func(tx *state.Tx) error {
		l, err := listener(tx.Snapshot, in.ListenerArn)
		if err != nil {
			return err
		}
		changed = *l
		changed.Attributes = attributesOf(l)
		for _, a := range in.Attributes {
			if err := listenerAttributes(l.Doc.Protocol).set("Listener", changed.Attributes, a.Key, a.Value); err != nil {
				return err
			}
		}
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &v2.ModifyListenerAttributesOutput{Attributes: describeListenerAttributes(changed.Attributes)}, nil
}

// DescribeListenerAttributes describes the attributes of a listener.
func (s *Server) DescribeListenerAttributes(_ context.Context, in *v2.DescribeListenerAttributesInput) (*v2.DescribeListenerAttributesOutput, error) {
	l, err := listener(s.read(), in.ListenerArn)
	if err != nil {
		return nil, err
	}
	return &v2.DescribeListenerAttributesOutput{Attributes: describeListenerAttributes(attributesOf(l))}, nil
}

// attributesOf are a listener's attributes, the ones that were never set included.
func attributesOf(l *state.Listener) map[string]string {
	values := listenerAttributes(l.Doc.Protocol).defaults()
	maps.Copy(values, l.Attributes)
	return values
}

func describeListenerAttributes(values map[string]string) []types.ListenerAttribute {
	list := []types.ListenerAttribute{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		list = append(list, types.ListenerAttribute{Key: &key, Value: &value})
	}
	return list
}

// ModifyTargetGroupAttributes sets attributes; those left out stay as they are.
func (s *Server) ModifyTargetGroupAttributes(_ context.Context, in *v2.ModifyTargetGroupAttributesInput) (*v2.ModifyTargetGroupAttributesOutput, error) {
	changed, err := s.changeGroup(in.TargetGroupArn, func(g *state.TargetGroup) error {
		g.Attributes = maps.Clone(g.Attributes)
		for _, a := range in.Attributes {
			if err := groupAttributes(g.Doc).set("Target group", g.Attributes, a.Key, a.Value); err != nil {
				return err
			}
		}
		return checkTogether(g.Attributes)
	})
	if err != nil {
		return nil, err
	}
	return &v2.ModifyTargetGroupAttributesOutput{Attributes: describeGroupAttributes(changed.Attributes)}, nil
}

// DescribeTargetGroupAttributes describes the attributes of a target group.
func (s *Server) DescribeTargetGroupAttributes(_ context.Context, in *v2.DescribeTargetGroupAttributesInput) (*v2.DescribeTargetGroupAttributesOutput, error) {
	g, err := targetGroup(s.read(), in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &v2.DescribeTargetGroupAttributesOutput{Attributes: describeGroupAttributes(g.Attributes)}, nil
}

func describeGroupAttributes(values map[string]string) []types.TargetGroupAttribute {
	list := []types.TargetGroupAttribute{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		value := values[key]
		list = append(list, types.TargetGroupAttribute{Key: &key, Value: &value})
	}
	return list
}
