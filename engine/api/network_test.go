package api_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// nlb makes a network load balancer with a target group behind its TCP port 7000.
func (h *house) nlb(name string) (balancer v2types.LoadBalancer, group v2types.TargetGroup, listener v2types.Listener) {
	h.Helper()
	balancers, err := h.elbv2.CreateLoadBalancer(h.Context(), &elbv2.CreateLoadBalancerInput{Name: &name, Type: v2types.LoadBalancerTypeEnumNetwork})
	balancer = must(h, balancers, err).LoadBalancers[0]
	groups, err := h.elbv2.CreateTargetGroup(h.Context(), &elbv2.CreateTargetGroupInput{
		Name: &name, Protocol: v2types.ProtocolEnumTcp, Port: aws.Int32(80), TargetType: v2types.TargetTypeEnumIp, HealthCheckIntervalSeconds: aws.Int32(30),
	})
	group = must(h, groups, err).TargetGroups[0]
	listeners, err := h.elbv2.CreateListener(h.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancerArn, Protocol: v2types.ProtocolEnumTcp, Port: aws.Int32(7000),
		DefaultActions: []v2types.Action{{Type: v2types.ActionTypeEnumForward, TargetGroupArn: group.TargetGroupArn}},
	})
	return balancer, group, must(h, listeners, err).Listeners[0]
}

func TestNetworkLoadBalancerIsAnsweredAsAWSAnswers(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	balancer, group, listener := h.nlb("net")
	if !strings.Contains(*balancer.LoadBalancerArn, ":loadbalancer/net/net/") || !strings.Contains(*listener.ListenerArn, ":listener/net/net/") || balancer.Type != "network" {
		t.Errorf("balancer %s, listener %s", *balancer.LoadBalancerArn, *listener.ListenerArn)
	}
	if group.HealthCheckProtocol != "TCP" || *group.HealthCheckTimeoutSeconds != 10 || group.HealthCheckPath != nil || group.Matcher != nil || group.ProtocolVersion != nil {
		t.Errorf("target group: TCP checks need 10 s and nothing of HTTP, got %+v", group)
	}
	over, err := h.elbv2.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{
		Name: aws.String("http-checked"), Protocol: v2types.ProtocolEnumTcp, Port: aws.Int32(80), HealthCheckProtocol: v2types.ProtocolEnumHttp,
	})
	checked := must(h, over, err).TargetGroups[0]
	if *checked.HealthCheckTimeoutSeconds != 6 || *checked.Matcher.HttpCode != "200-399" || *checked.HealthCheckPath != "/" {
		t.Errorf("target group with HTTP checks: %s", h.last.answer())
	}
	for _, tc := range []struct {
		name string
		got  error
		want string
	}{
		{"UDP", h.listen(balancer, "UDP", 53, forwardTo(group)), "UnsupportedProtocol: Listener protocol 'UDP' is not served by this engine: it forwards connections, and UDP has none. Use TCP or TLS."},
		{"HTTP", h.listen(balancer, "HTTP", 80, forwardTo(group)), "UnsupportedProtocol: Listener protocol 'HTTP' must be one of 'UDP, TCP, QUIC, TLS, TCP_UDP, TCP_QUIC'"},
		{"TLS without a certificate", h.listen(balancer, "TLS", 443, forwardTo(group)), "ValidationError: A certificate must be specified for TLS listeners"},
		{"fixed response", h.listen(balancer, "TCP", 80, v2types.Action{
			Type: v2types.ActionTypeEnumFixedResponse, FixedResponseConfig: &v2types.FixedResponseActionConfig{StatusCode: aws.String("200")},
		}), "InvalidLoadBalancerAction: Actions of type 'fixed-response' are not supported by listeners of protocol 'TCP'"},
		{"rule", second(h.elbv2.CreateRule(t.Context(), &elbv2.CreateRuleInput{
			ListenerArn: listener.ListenerArn, Priority: aws.Int32(1), Actions: []v2types.Action{forwardTo(group)},
			Conditions: []v2types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/"}}},
		})), "UnsupportedProtocol: Rules are not supported for listeners with the protocol 'TCP'"},
	} {
		if got := code(tc.got); got != tc.want {
			t.Errorf("%s: %s, expected %s", tc.name, got, tc.want)
		}
	}
	application, web, _ := h.alb("web")
	if got := code(h.listen(application, "HTTP", 81, forwardTo(group))); !strings.HasPrefix(got, "IncompatibleProtocols: ") {
		t.Errorf("an application load balancer before TCP targets: %s", got)
	}
	if got := code(h.listen(balancer, "TCP", 81, forwardTo(web))); !strings.HasPrefix(got, "IncompatibleProtocols: ") {
		t.Errorf("a network load balancer before HTTP targets: %s", got)
	}
	other, err := h.elbv2.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("other"), Type: v2types.LoadBalancerTypeEnumNetwork})
	if got := code(h.listen(must(h, other, err).LoadBalancers[0], "TCP", 81, forwardTo(group))); !strings.HasPrefix(got, "TargetGroupAssociationLimit: ") {
		t.Errorf("a target group behind two load balancers: %s", got)
	}
}

func forwardTo(group v2types.TargetGroup) v2types.Action {
	return v2types.Action{Type: v2types.ActionTypeEnumForward, TargetGroupArn: group.TargetGroupArn}
}

// listen opens a port and returns what came of it.
func (h *house) listen(balancer v2types.LoadBalancer, protocol v2types.ProtocolEnum, port int32, action v2types.Action) error {
	_, err := h.elbv2.CreateListener(h.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancerArn, Protocol: protocol, Port: &port, DefaultActions: []v2types.Action{action},
	})
	return err
}

func TestNetworkLoadBalancerPassesConnectionsOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	program, err := net.Listen("tcp", "127.0.0.1:0")
	must(h, program, err)
	t.Cleanup(func() { program.Close() })
	go func() {
		for {
			c, err := program.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "hello")
			c.Close()
		}
	}()
	balancer, group, _ := h.nlb("net")
	port := int32(program.Addr().(*net.TCPAddr).Port) //nolint:gosec // a port
	_, err = h.elbv2.RegisterTargets(t.Context(), &elbv2.RegisterTargetsInput{
		TargetGroupArn: group.TargetGroupArn, Targets: []v2types.TargetDescription{{Id: aws.String("127.0.0.1"), Port: &port}},
	})
	must(h, 0, err)
	waiter := elbv2.NewTargetInServiceWaiter(h.elbv2, func(o *elbv2.TargetInServiceWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick })
	if err := waiter.Wait(t.Context(), &elbv2.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn}, time.Minute); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", *balancer.DNSName+":7000")
	must(h, c, err)
	defer c.Close()
	got := make([]byte, 5)
	if _, err := c.Read(got); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAttributesAreCheckedAndDescribed(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	balancer, group, listener := h.alb("web")
	network, networkGroup, tcp := h.nlb("net")
	ofBalancer := func(b v2types.LoadBalancer, key, value string) error {
		return second(h.elbv2.ModifyLoadBalancerAttributes(t.Context(), &elbv2.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: b.LoadBalancerArn, Attributes: []v2types.LoadBalancerAttribute{{Key: &key, Value: &value}},
		}))
	}
	ofGroup := func(g v2types.TargetGroup, key, value string) error {
		return second(h.elbv2.ModifyTargetGroupAttributes(t.Context(), &elbv2.ModifyTargetGroupAttributesInput{
			TargetGroupArn: g.TargetGroupArn, Attributes: []v2types.TargetGroupAttribute{{Key: &key, Value: &value}},
		}))
	}
	ofListener := func(l v2types.Listener, key, value string) error {
		return second(h.elbv2.ModifyListenerAttributes(t.Context(), &elbv2.ModifyListenerAttributesInput{
			ListenerArn: l.ListenerArn, Attributes: []v2types.ListenerAttribute{{Key: &key, Value: &value}},
		}))
	}
	for _, tc := range []struct {
		got  error
		want string
	}{
		{ofBalancer(balancer, "idle_timeout.timeout_seconds", "4000"), "none"},
		{ofBalancer(balancer, "idle_timeout.timeout_seconds", "4001"), "ValidationError: 'idle_timeout.timeout_seconds' must be between '1' and '4000' inclusive"},
		{ofBalancer(balancer, "nope", "1"), "ValidationError: Load balancer attribute key 'nope' is not recognized"},
		{ofBalancer(network, "idle_timeout.timeout_seconds", "60"), "ValidationError: Load balancer attribute key 'idle_timeout.timeout_seconds' is not recognized"},
		{ofGroup(group, "deregistration_delay.timeout_seconds", "3601"), "ValidationError: 'deregistration_delay.timeout_seconds' must be between '0' and '3600' inclusive"},
		{ofGroup(group, "stickiness.type", "source_ip"), "ValidationError: The value of 'stickiness.type' must be one of 'lb_cookie, app_cookie'"},
		{ofGroup(networkGroup, "stickiness.type", "source_ip"), "none"},
		{ofGroup(group, "slow_start.duration_seconds", "10"), "ValidationError: 'slow_start.duration_seconds' must be between '30' and '900' inclusive"},
		{ofGroup(group, "slow_start.duration_seconds", "30"), "none"},
		{ofGroup(group, "load_balancing.algorithm.type", "least_outstanding_requests"), "ValidationError: Slow start mode cannot be enabled when the load balancing algorithm is least_outstanding_requests"},
		{ofGroup(group, "stickiness.app_cookie.cookie_name", "AWSALBTGX"), "ValidationError: Cookie name 'AWSALBTGX' begins with 'AWSALBTG', which is reserved"},
		{ofListener(tcp, "tcp.idle_timeout.seconds", "59"), "ValidationError: 'tcp.idle_timeout.seconds' must be between '60' and '6000' inclusive"},
		{ofListener(listener, "routing.http.response.server.enabled", "false"), "none"},
	} {
		if got := code(tc.got); got != tc.want {
			t.Errorf("%s, expected %s", got, tc.want)
		}
	}
	out, err := h.elbv2.DescribeListenerAttributes(t.Context(), &elbv2.DescribeListenerAttributesInput{ListenerArn: tcp.ListenerArn})
	if a := must(h, out, err).Attributes; len(a) != 1 || *a[0].Key != "tcp.idle_timeout.seconds" || *a[0].Value != "350" {
		t.Errorf("attributes of a TCP listener: %s", h.last.answer())
	}
	groups, err := h.elbv2.DescribeTargetGroupAttributes(t.Context(), &elbv2.DescribeTargetGroupAttributesInput{TargetGroupArn: networkGroup.TargetGroupArn})
	for _, a := range must(h, groups, err).Attributes {
		if *a.Key == "preserve_client_ip.enabled" && *a.Value != "false" {
			t.Errorf("addresses as targets over TCP see the client's address: %s", *a.Value)
		}
	}
}

func TestRulesThatCannotBeFollowedAreRefused(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	_, group, listener := h.alb("web")
	forward := forwardTo(group)
	path := []v2types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/"}}}
	redirect := func(c v2types.RedirectActionConfig) v2types.Action {
		return v2types.Action{Type: v2types.ActionTypeEnumRedirect, RedirectConfig: &c}
	}
	for _, tc := range []struct {
		name       string
		conditions []v2types.RuleCondition
		action     v2types.Action
		want       string
	}{
		{"field", []v2types.RuleCondition{{Field: aws.String("moon")}}, forward, `ValidationError: condition "moon" is not known`},
		{"no values", []v2types.RuleCondition{{Field: aws.String("host-header")}}, forward, `ValidationError: condition "host-header" must have values`},
		{"no CIDR", []v2types.RuleCondition{{Field: aws.String("source-ip"), SourceIpConfig: &v2types.SourceIpConditionConfig{Values: []string{"10.0.0.1"}}}}, forward, `ValidationError: source IP "10.0.0.1" is no CIDR block: netip.ParsePrefix("10.0.0.1"): no '/'`},
		{"loop", path, redirect(v2types.RedirectActionConfig{StatusCode: "HTTP_301"}), "InvalidLoadBalancerAction: The redirect action must change at least one of protocol, port, host and path, or it would be a loop"},
		{"redirect status", path, redirect(v2types.RedirectActionConfig{StatusCode: "HTTP_307", Port: aws.String("443")}), "ValidationError: The redirect status code 'HTTP_307' must be one of 'HTTP_301, HTTP_302'"},
		{"weight", path, v2types.Action{Type: v2types.ActionTypeEnumForward, ForwardConfig: &v2types.ForwardActionConfig{
			TargetGroups: []v2types.TargetGroupTuple{{TargetGroupArn: group.TargetGroupArn, Weight: aws.Int32(1000)}},
		}}, "ValidationError: The weight '1000' of a target group must be between 0 and 999"},
		{"to HTTPS", path, redirect(v2types.RedirectActionConfig{StatusCode: "HTTP_301", Protocol: aws.String("HTTPS"), Port: aws.String("443")}), "none"},
	} {
		_, err := h.elbv2.CreateRule(t.Context(), &elbv2.CreateRuleInput{
			ListenerArn: listener.ListenerArn, Priority: aws.Int32(1), Conditions: tc.conditions, Actions: []v2types.Action{tc.action},
		})
		if got := code(err); got != tc.want {
			t.Errorf("%s: %s, expected %s", tc.name, got, tc.want)
		}
	}
}

func TestPlaceAndCertificatesOfALoadBalancerAreRecorded(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	balancer, group, plain := h.alb("web")
	groups, err := h.elbv2.SetSecurityGroups(t.Context(), &elbv2.SetSecurityGroupsInput{LoadBalancerArn: balancer.LoadBalancerArn, SecurityGroups: []string{"sg-1"}})
	must(h, groups, err)
	subnets, err := h.elbv2.SetSubnets(t.Context(), &elbv2.SetSubnetsInput{LoadBalancerArn: balancer.LoadBalancerArn, Subnets: []string{"subnet-8", "subnet-9"}})
	must(h, subnets, err)
	address, err := h.elbv2.SetIpAddressType(t.Context(), &elbv2.SetIpAddressTypeInput{LoadBalancerArn: balancer.LoadBalancerArn, IpAddressType: v2types.IpAddressTypeDualstack})
	must(h, address, err)
	described, err := h.elbv2.DescribeLoadBalancers(t.Context(), &elbv2.DescribeLoadBalancersInput{})
	b := must(h, described, err).LoadBalancers[0]
	if b.SecurityGroups[0] != "sg-1" || *b.AvailabilityZones[1].SubnetId != "subnet-9" || b.IpAddressType != v2types.IpAddressTypeDualstack {
		t.Errorf("load balancer: %s", h.last.answer())
	}

	first, further := v2types.Certificate{CertificateArn: aws.String("arn:first")}, v2types.Certificate{CertificateArn: aws.String("arn:further")}
	listeners, err := h.elbv2.CreateListener(t.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancerArn, Protocol: v2types.ProtocolEnumHttps, Port: aws.Int32(443),
		Certificates: []v2types.Certificate{first}, DefaultActions: []v2types.Action{forwardTo(group)},
	})
	secure := must(h, listeners, err).Listeners[0]
	if *secure.SslPolicy != "ELBSecurityPolicy-2016-08" {
		t.Errorf("policy %s", *secure.SslPolicy)
	}
	certificates := func() (arns string) {
		out, err := h.elbv2.DescribeListenerCertificates(t.Context(), &elbv2.DescribeListenerCertificatesInput{ListenerArn: secure.ListenerArn})
		for _, c := range must(h, out, err).Certificates {
			arns += fmt.Sprint(*c.CertificateArn, *c.IsDefault, " ")
		}
		return arns
	}
	for range 2 { // the second time changes nothing
		_, err = h.elbv2.AddListenerCertificates(t.Context(), &elbv2.AddListenerCertificatesInput{ListenerArn: secure.ListenerArn, Certificates: []v2types.Certificate{further}})
		must(h, 0, err)
	}
	if got := certificates(); got != "arn:firsttrue arn:furtherfalse " {
		t.Error(got)
	}
	_, err = h.elbv2.RemoveListenerCertificates(t.Context(), &elbv2.RemoveListenerCertificatesInput{ListenerArn: secure.ListenerArn, Certificates: []v2types.Certificate{further}})
	must(h, 0, err)
	if got := certificates(); got != "arn:firsttrue " {
		t.Error(got)
	}
	_, err = h.elbv2.AddListenerCertificates(t.Context(), &elbv2.AddListenerCertificatesInput{ListenerArn: plain.ListenerArn, Certificates: []v2types.Certificate{further}})
	if got := code(err); !strings.HasPrefix(got, "UnsupportedProtocol: ") {
		t.Errorf("of a listener without TLS: %s", got)
	}
}
