package balance

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Check says how a target's health is found out.
type Check struct {
	Protocol Protocol
	Version  string // HTTP1, HTTP2 or GRPC
	Port     int    // 0: where the target takes its traffic
	Path     string
	Codes    string // "200-299,301": statuses (of gRPC for GRPC) that are a success
	Agent    string // what the check calls itself

	Interval  time.Duration // between two checks, at AWS's pace
	Timeout   time.Duration // real time: it is the user's program that is waited for
	First     int           // successes in a row that make a new target healthy
	Healthy   int           // successes in a row that make an unhealthy target healthy
	Unhealthy int           // failures in a row that make a target unhealthy
	Classic   bool
}

// targetGroupCheck reads the check of a target group, with AWS's defaults. A new target of an application load balancer
// is healthy after one success. [Application Load Balancers: Health checks for target groups; CreateTargetGroup]
func targetGroupCheck(tg v2.TargetGroup) Check {
	c := Check{
		Protocol:  cmp.Or(protocolOf(string(tg.HealthCheckProtocol)), HTTP),
		Version:   cmp.Or(value(tg.ProtocolVersion), "HTTP1"),
		Path:      value(tg.HealthCheckPath),
		Agent:     "ELB-HealthChecker/2.0",
		Interval:  seconds(cmp.Or(value(tg.HealthCheckIntervalSeconds), 30)),
		Timeout:   seconds(cmp.Or(value(tg.HealthCheckTimeoutSeconds), 5)),
		First:     1,
		Healthy:   int(cmp.Or(value(tg.HealthyThresholdCount), 5)),
		Unhealthy: int(cmp.Or(value(tg.UnhealthyThresholdCount), 2)),
	}
	if port, err := strconv.Atoi(value(tg.HealthCheckPort)); err == nil { // else "traffic-port"
		c.Port = port
	}
	matcher := value(tg.Matcher)
	if protocolOf(string(tg.Protocol)).raw() {
		c.Codes = "200-399" // [Health checks for Network Load Balancer target groups]
	}
	if c.Version == "GRPC" {
		c.Path = cmp.Or(c.Path, "/AWS.ALB/healthcheck")
		c.Codes = cmp.Or(value(matcher.GrpcCode), "12")
	} else {
		c.Path = cmp.Or(c.Path, "/")
		c.Codes = cmp.Or(value(matcher.HttpCode), c.Codes, "200")
	}
	return c
}

// classicCheck reads the check of a classic load balancer: "HTTP:1234/healthz", "TCP:1234". Without one, a TCP
// connection to the instance port is tried. [Classic Load Balancers: Configure health checks]
func classicCheck(h *classic.HealthCheck, l *classic.Listener) Check {
	doc := value(h)
	c := Check{
		Protocol:  TCP,
		Version:   "HTTP1",
		Port:      int(value(l.InstancePort)),
		Path:      "/",
		Codes:     "200",
		Agent:     "ELB-HealthChecker/1.0",
		Interval:  seconds(cmp.Or(value(doc.Interval), 30)),
		Timeout:   seconds(cmp.Or(value(doc.Timeout), 5)),
		Healthy:   int(cmp.Or(value(doc.HealthyThreshold), 10)),
		Unhealthy: int(cmp.Or(value(doc.UnhealthyThreshold), 2)),
		Classic:   true,
	}
	c.First = c.Healthy
	if protocol, port, path, ok := parseCheckTarget(value(doc.Target)); ok {
		c.Protocol, c.Port, c.Path = protocol, port, path
	}
	return c
}

// parseCheckTarget reads PROTOCOL:PORT or PROTOCOL:PORT/PATH.
func parseCheckTarget(s string) (Protocol, int, string, bool) {
	name, rest, _ := strings.Cut(s, ":")
	number, path, _ := strings.Cut(rest, "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 {
		return "", 0, "", false
	}
	switch p := protocolOf(name); p {
	case HTTP, HTTPS, TCP, TLS:
		return p, int(port), "/" + path, true
	default:
		return "", 0, "", false
	}
}

// codes is a set of statuses: "200", "200,202", "200-299".
type codes [][2]int

// parseCodes reads it.
func parseCodes(s string) (codes, error) {
	var set codes
	for part := range strings.SplitSeq(s, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.ParseUint(low, 10, 16)
		to, err2 := strconv.ParseUint(high, 10, 16)
		if err1 != nil || err2 != nil || from > to {
			return nil, fmt.Errorf("cannot read status codes %q: want numbers, lists and ranges such as 200,202 or 200-299", s)
		}
		set = append(set, [2]int{int(from), int(to)})
	}
	return set, nil
}

// CheckCodes returns an error when s is no set of codes ("200", "200,202", "200-299") between least and most.
func CheckCodes(s string, least, most int) error {
	set, err := parseCodes(s)
	if err != nil {
		return err
	}
	for _, r := range set {
		if r[0] < least || r[1] > most {
			return fmt.Errorf("codes %q must be between %d and %d", s, least, most)
		}
	}
	return nil
}

func (c codes) has(code int) bool {
	for _, r := range c {
		if r[0] <= code && code <= r[1] {
			return true
		}
	}
	return false
}
