package balance

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// A Protocol is what a listener, a target or a health check speaks.
type Protocol string

// The protocols that are served. SSL, as classic load balancers call it, is TLS here.
const (
	HTTP  Protocol = "HTTP"
	HTTPS Protocol = "HTTPS"
	TCP   Protocol = "TCP"
	TLS   Protocol = "TLS"
)

// protocolOf reads a protocol as AWS writes it, in any case.
func protocolOf(s string) Protocol {
	p := Protocol(strings.ToUpper(s))
	if p == "SSL" {
		return TLS
	}
	return p
}

// encrypted reports whether connections of the protocol begin with a TLS handshake.
func (p Protocol) encrypted() bool { return p == HTTPS || p == TLS }

// raw reports whether bytes are passed on without a look at them.
func (p Protocol) raw() bool { return p == TCP || p == TLS }

// groupID names a set of targets that requests are spread over: the ARN of a target group, or a classic load balancer
// and an instance port.
type groupID string

func classicGroupID(owner string, port int) groupID {
	return groupID(owner + ":" + strconv.Itoa(port))
}

// groupOf returns the group that a target belongs to.
func groupOf(t *state.Target) groupID {
	if isClassic(t.Group) {
		return classicGroupID(t.Group, t.Port)
	}
	return groupID(t.Group)
}

func isClassic(group string) bool { return strings.HasPrefix(group, state.ClassicGroup("")) }

// groupSettings say how a group's targets are checked, reached and drained.
type groupSettings struct {
	Protocol Protocol
	Version  string        // of HTTP to the targets: HTTP1, HTTP2 or GRPC
	Delay    time.Duration // from deregistration until what is left is cut off, at AWS's pace
	Check    Check
	Checked  bool // false when its health checks are disabled
	Lasting  bool // connections outlive the delay, as long as their targets do
	CutSick  bool // connections to targets that become unhealthy are cut off
	Announce bool // connections begin with the client's address: proxy protocol, version 2
	Routing  routing
}

// listenerSettings are one socket and what is done with what arrives there.
type listenerSettings struct {
	Owner    string // ARN, or name of a classic load balancer
	Host     string // DNS name of the load balancer
	At       netip.AddrPort
	Protocol Protocol
	Classic  bool
	HTTP2    bool
	Idle     time.Duration // a connection without a byte for so long is closed
	Headers  headerRules
	Rules    []v2.Rule // in the order in which they are tried, the default rule last
}

// layout is what the state wants to be served.
type layout struct {
	listeners map[netip.AddrPort]listenerSettings
	groups    map[groupID]groupSettings // those that a listener reaches
}

// layoutOf reads it from the state.
func layoutOf(snap state.Snapshot) layout {
	l := layout{listeners: map[netip.AddrPort]listenerSettings{}, groups: map[groupID]groupSettings{}}
	for lb := range snap.ClassicBalancers() {
		l.addClassic(lb)
	}
	for lb := range snap.Balancers() {
		for listener := range snap.Listeners(lb.ARN) {
			l.addListener(snap, lb, listener)
		}
	}
	return l
}

func (l *layout) addClassic(lb *state.ClassicBalancer) {
	owner := state.ClassicGroup(lb.Name)
	for _, d := range lb.Doc.ListenerDescriptions {
		if d.Listener == nil {
			continue
		}
		id := classicGroupID(owner, int(value(d.Listener.InstancePort)))
		front := protocolOf(value(d.Listener.Protocol))
		at := netip.AddrPortFrom(lb.Address, uint16(d.Listener.LoadBalancerPort))
		l.listeners[at] = listenerSettings{
			Owner: lb.Name, Host: value(lb.Doc.DNSName), At: at, Protocol: front, Classic: true, Headers: headerRules{Forwarded: "append", KeepHost: true},
			Idle:  classicIdle(lb.Attributes),
			Rules: []v2.Rule{{Actions: []v2.Action{forwardTo(string(id))}}},
		}
		l.groups[id] = groupSettings{
			Protocol: cmp.Or(protocolOf(value(d.Listener.InstanceProtocol)), front),
			Version:  "HTTP1",
			Delay:    classicDelay(lb.Attributes),
			Check:    classicCheck(lb.Doc.HealthCheck, d.Listener),
			Checked:  true,
		}
	}
}

func forwardTo(group string) v2.Action {
	return v2.Action{Type: v2.ActionTypeEnumForward, TargetGroupArn: &group}
}

// classicIdle is the idle timeout, 60 s unless it is set. [Elastic Load Balancing API: ConnectionSettings]
func classicIdle(a classic.LoadBalancerAttributes) time.Duration {
	if a.ConnectionSettings == nil {
		return time.Minute
	}
	return seconds(cmp.Or(value(a.ConnectionSettings.IdleTimeout), 60))
}

// classicDelay is the time for draining: none unless it is enabled, then 300 s unless it is set.
// [Elastic Load Balancing API: ConnectionDraining]
func classicDelay(a classic.LoadBalancerAttributes) time.Duration {
	if a.ConnectionDraining == nil || !a.ConnectionDraining.Enabled {
		return 0
	}
	return seconds(cmp.Or(value(a.ConnectionDraining.Timeout), 300))
}

func (l *layout) addListener(snap state.Snapshot, lb *state.Balancer, listener *state.Listener) {
	at := netip.AddrPortFrom(lb.Address, uint16(value(listener.Doc.Port)))
	s := listenerSettings{
		Owner: lb.ARN, Host: value(lb.Doc.DNSName), At: at,
		Protocol: protocolOf(string(listener.Doc.Protocol)),
		HTTP2:    lb.Attributes["routing.http2.enabled"] != "false",
		Idle:     attributeSeconds(lb.Attributes, "idle_timeout.timeout_seconds", 60),
		Headers:  headerRulesOf(lb.Attributes, listener.Attributes),
		Rules:    rulesOf(snap, listener),
	}
	if s.Protocol.raw() { // [Network Load Balancers: TCP idle timeout]
		s.Idle = attributeSeconds(listener.Attributes, "tcp.idle_timeout.seconds", 350)
	}
	l.listeners[at] = s
	for _, rule := range s.Rules {
		for _, action := range rule.Actions {
			for _, t := range tuplesOf(action) {
				if tg, ok := snap.TargetGroup(value(t.TargetGroupArn)); ok {
					l.groups[groupID(tg.ARN)] = targetGroupSettings(tg)
				}
			}
		}
	}
}

// rulesOf returns the rules of a listener by priority. The listener's own default actions are its default rule when it
// has none among its records.
func rulesOf(snap state.Snapshot, listener *state.Listener) []v2.Rule {
	var rules []v2.Rule
	fallback := v2.Rule{Actions: listener.Doc.DefaultActions}
	for r := range snap.Rules(listener.ARN) {
		if value(r.Doc.IsDefault) || value(r.Doc.Priority) == "default" {
			fallback = r.Doc
			fallback.Conditions = nil
			continue
		}
		rules = append(rules, r.Doc)
	}
	slices.SortStableFunc(rules, func(a, b v2.Rule) int { return cmp.Compare(priority(a), priority(b)) })
	return append(rules, fallback)
}

// priority is a number from 1 to 50000. [Elastic Load Balancing API: CreateRule]
func priority(r v2.Rule) int {
	n, err := strconv.Atoi(value(r.Priority))
	if err != nil {
		return 50001
	}
	return n
}

func targetGroupSettings(tg *state.TargetGroup) groupSettings {
	protocol := protocolOf(string(tg.Doc.Protocol))
	return groupSettings{
		Protocol: protocol,
		Version:  cmp.Or(value(tg.Doc.ProtocolVersion), "HTTP1"),
		Delay:    attributeSeconds(tg.Attributes, "deregistration_delay.timeout_seconds", 300),
		Check:    targetGroupCheck(tg.Doc),
		Checked:  tg.Doc.HealthCheckEnabled == nil || *tg.Doc.HealthCheckEnabled,
		Lasting:  protocol.raw() && tg.Attributes["deregistration_delay.connection_termination.enabled"] != "true",
		CutSick:  protocol.raw() && tg.Attributes["target_health_state.unhealthy.connection_termination.enabled"] != "false",
		Announce: protocol.raw() && tg.Attributes["proxy_protocol_v2.enabled"] == "true",
		Routing:  routingOf(tg.Attributes),
	}
}

// routingOf reads how targets are chosen.
func routingOf(attributes map[string]string) routing {
	const least = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
	r := routing{
		Algorithm: cmp.Or(attributes["load_balancing.algorithm.type"], "round_robin"),
		SlowStart: attributeSeconds(attributes, "slow_start.duration_seconds", 0),
		FailsOpen: true,
	}
	r.Least, _ = strconv.Atoi(attributes[least+"count"]) // 0 where it is off or not set
	if percent, err := strconv.Atoi(attributes[least+"percentage"]); err == nil {
		r.LeastPart = float64(percent) / 100
	}
	if attributes["stickiness.enabled"] != "true" {
		return r
	}
	r.Sticky, r.Cookie = cmp.Or(attributes["stickiness.type"], "lb_cookie"), attributes["stickiness.app_cookie.cookie_name"]
	r.Lasts = attributeSeconds(attributes, "stickiness."+r.Sticky+".duration_seconds", 24*60*60)
	return r
}

// tuplesOf returns the target groups of a forward action with their weights, none for other actions.
func tuplesOf(a v2.Action) []v2.TargetGroupTuple {
	if a.Type != v2.ActionTypeEnumForward {
		return nil
	}
	if a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0 {
		return a.ForwardConfig.TargetGroups
	}
	if a.TargetGroupArn == nil {
		return nil
	}
	return []v2.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn}}
}

func attributeSeconds(attributes map[string]string, name string, otherwise int) time.Duration {
	n, err := strconv.Atoi(attributes[name])
	if err != nil {
		n = otherwise
	}
	return seconds(int32(n))
}

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

// value returns what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
