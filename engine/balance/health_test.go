package balance

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine/state"
)

// TestHealthFollowsTheThresholds reads as: after these checks (. passed, 5 a 503, t a timeout) the target is so.
func TestHealthFollowsTheThresholds(t *testing.T) {
	t.Parallel()
	application := Check{First: 1, Healthy: 3, Unhealthy: 2}
	classic := Check{First: 3, Healthy: 3, Unhealthy: 2, Classic: true}
	for name, tc := range map[string]struct {
		check  Check
		start  v2.TargetHealthStateEnum
		checks string
		want   v2.TargetHealthStateEnum
		reason v2.TargetHealthReasonEnum
		text   string
	}{
		"new: one success is enough":                  {application, "", ".", "healthy", "", ""},
		"new: nothing known yet":                      {application, "", "", "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"},
		"new: one failure is not the end":             {application, "", "5", "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"},
		"new: enough failures":                        {application, "", "55", "unhealthy", "Target.ResponseCodeMismatch", "503"},
		"new: failure then success":                   {application, "", "5.", "healthy", "", ""},
		"healthy: one failure is overlooked":          {application, "healthy", "t", "healthy", "", ""},
		"healthy: failures must be in a row":          {application, "healthy", "t.t.t.", "healthy", "", ""},
		"healthy: failures in a row":                  {application, "healthy", ".tt", "unhealthy", "Target.Timeout", "Request timed out"},
		"unhealthy: one success is not enough":        {application, "unhealthy", "t.", "unhealthy", "Target.Timeout", "Request timed out"},
		"unhealthy: successes in a row":               {application, "unhealthy", "...", "healthy", "", ""},
		"unhealthy: successes must be in a row":       {application, "unhealthy", "..t..", "unhealthy", "Target.Timeout", "Request timed out"},
		"unhealthy: the newest cause is told":         {application, "", "5t", "unhealthy", "Target.Timeout", "Request timed out"},
		"classic, new: needs all its successes":       {classic, "", "..", "initial", "Elb.InitialHealthChecking", textClassicReg},
		"classic, new: in service":                    {classic, "", "...", "healthy", "", ""},
		"classic, new: a failure":                     {classic, "", "5", "initial", "Elb.InitialHealthChecking", textClassicNew},
		"classic, out of service, with its own cause": {classic, "healthy", "55", "unhealthy", "Target.ResponseCodeMismatch", textClassicOut + " 503"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := knownHealth(&state.Target{Health: tc.start}, tc.check)
			for _, c := range tc.checks {
				h = h.after(outcomeOf(c), tc.check)
			}
			if h.State != tc.want || h.Reason != tc.reason || h.Description != tc.text {
				t.Errorf("got %s %s %q, want %s %s %q", h.State, h.Reason, h.Description, tc.want, tc.reason, tc.text)
			}
		})
	}
}

// TestANewTargetThatIsSilentIsStarting reads as: a target of that state and age, after one check, need not count it.
func TestANewTargetThatIsSilentIsStarting(t *testing.T) {
	t.Parallel()
	slow := Check{Interval: 30 * time.Second, Unhealthy: 2}
	quick := Check{Interval: time.Second, Unhealthy: 2}
	for name, tc := range map[string]struct {
		check   Check
		state   v2.TargetHealthStateEnum
		outcome Outcome
		age     time.Duration
		want    bool
	}{
		"it does not listen yet":                      {slow, "initial", outcomeFailed, time.Second, true},
		"it does not answer yet":                      {slow, "initial", outcomeTimeout, 9 * time.Second, true},
		"it has had its time":                         {slow, "initial", outcomeFailed, startGrace, false},
		"its check would have given up at AWS's pace": {quick, "initial", outcomeFailed, 2 * time.Second, false},
		"it says that it is not well":                 {slow, "initial", outcomeOf('5'), time.Second, false},
		"it has answered before":                      {slow, "healthy", outcomeFailed, time.Second, false},
		"it answers":                                  {slow, "initial", Outcome{}, time.Second, false},
	} {
		h := health{State: tc.state}
		if got := h.starting(tc.outcome, tc.check, tc.age); got != tc.want {
			t.Errorf("%s: starting is %t", name, got)
		}
	}
}

func outcomeOf(c rune) Outcome {
	switch c {
	case '5':
		return Outcome{v2.TargetHealthReasonEnumResponseCodeMismatch, "503"}
	case 't':
		return outcomeTimeout
	default:
		return Outcome{}
	}
}

// A target changes sides only after as many checks in a row as its threshold says, and has a reason exactly when it is
// not healthy.
func TestHealthChangesOnlyAtAThreshold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := Check{
			First:     rapid.IntRange(1, 10).Draw(t, "first"),
			Healthy:   rapid.IntRange(2, 10).Draw(t, "healthy"),
			Unhealthy: rapid.IntRange(2, 10).Draw(t, "unhealthy"),
			Classic:   rapid.Bool().Draw(t, "classic"),
		}
		h := initialHealth(c)
		row, last := 0, '?'
		for _, step := range rapid.SliceOf(rapid.SampledFrom([]rune{'.', '5', 't'})).Draw(t, "checks") {
			if passed := step == '.'; passed == (last == '.') && last != '?' {
				row++
			} else {
				row = 1
			}
			last = step
			before := h
			h = h.after(outcomeOf(step), c)
			if (h.Reason == "") != (h.State == v2.TargetHealthStateEnumHealthy) {
				t.Fatalf("%s with reason %q", h.State, h.Reason)
			}
			if h.State == before.State {
				continue
			}
			needed := c.Unhealthy
			if h.State == v2.TargetHealthStateEnumHealthy {
				needed = c.Healthy
				if before.State == v2.TargetHealthStateEnumInitial {
					needed = c.First
				}
			}
			if row != needed {
				t.Fatalf("%s → %s after %d in a row, not %d", before.State, h.State, row, needed)
			}
		}
	})
}

func TestCheckOfATargetGroupHasTheDefaultsOfAWS(t *testing.T) {
	t.Parallel()
	got := targetGroupCheck(v2.TargetGroup{Protocol: v2.ProtocolEnumHttp})
	want := Check{
		Protocol: HTTP, Version: "HTTP1", Path: "/", Codes: "200", Agent: "ELB-HealthChecker/2.0",
		Interval: 30 * time.Second, Timeout: 5 * time.Second, First: 1, Healthy: 5, Unhealthy: 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	grpc := targetGroupCheck(v2.TargetGroup{ProtocolVersion: aws.String("GRPC"), HealthCheckPort: aws.String("9000")})
	if grpc.Path != "/AWS.ALB/healthcheck" || grpc.Codes != "12" || grpc.Port != 9000 {
		t.Errorf("gRPC: %+v", grpc)
	}
}

func TestCheckOfAClassicBalancer(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]Check{
		"HTTP:1234/healthz":  {Protocol: HTTP, Port: 1234, Path: "/healthz"},
		"HTTPS:443/a/b?c=/d": {Protocol: HTTPS, Port: 443, Path: "/a/b?c=/d"},
		"TCP:1234":           {Protocol: TCP, Port: 1234, Path: "/"},
		"ssl:1234":           {Protocol: TLS, Port: 1234, Path: "/"},
		"":                   {Protocol: TCP, Port: 80, Path: "/"},
		"HTTP:0/":            {Protocol: TCP, Port: 80, Path: "/"},
		"ICMP:7":             {Protocol: TCP, Port: 80, Path: "/"},
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			got := classicCheck(&elb.HealthCheck{Target: &target}, &elb.Listener{InstancePort: aws.Int32(80)})
			if got.Protocol != want.Protocol || got.Port != want.Port || got.Path != want.Path {
				t.Errorf("got %s:%d%s, want %s:%d%s", got.Protocol, got.Port, got.Path, want.Protocol, want.Port, want.Path)
			}
			if got.First != 10 || got.Codes != "200" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		set  string
		code int
		want bool
	}{
		{"200", 200, true},
		{"200", 201, false},
		{"200,202", 202, true},
		{"200-299", 250, true},
		{"200-299,404", 404, true},
		{"200-299,404", 300, false},
		{"0-99", 0, true},
	} {
		set, err := parseCodes(tc.set)
		if err != nil {
			t.Fatal(err)
		}
		if set.has(tc.code) != tc.want {
			t.Errorf("%q has %d: %v", tc.set, tc.code, !tc.want)
		}
	}
	for _, bad := range []string{"", "x", "200-", "300-200", "-1", "200,,201", "99999999"} {
		if _, err := parseCodes(bad); err == nil {
			t.Errorf("parseCodes(%q) succeeded", bad)
		}
	}
}

func FuzzParseCodes(f *testing.F) {
	for _, s := range []string{"200", "200-299", "200,202", "", "0-99", "300-200", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		set, err := parseCodes(s)
		if err == nil && len(set) == 0 {
			t.Errorf("%q is a set of nothing", s)
		}
		for _, r := range set {
			if !set.has(r[0]) || !set.has(r[1]) {
				t.Errorf("%q lacks its own ends", s)
			}
		}
	})
}

func FuzzParseCheckTarget(f *testing.F) {
	for _, s := range []string{"HTTP:80/", "TCP:1", "SSL:65535", "HTTP:65536/", ":", "HTTP:/x", "https:1/a:b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, port, path, ok := parseCheckTarget(s)
		if ok && (port < 1 || port > 65535 || path[0] != '/') {
			t.Errorf("%q: port %d, path %q", s, port, path)
		}
	})
}

func FuzzWildcard(f *testing.F) {
	f.Add("/img/*", "/img/a.png")
	f.Add("*.example.com", "example.com")
	f.Add("a?c*", "abcd")
	f.Add("**?*", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 30 || len(s) > 30 {
			return // the plain reading below takes exponential time
		}
		if got, want := wildcard(pattern, s), plainWildcard(pattern, s); got != want {
			t.Errorf("wildcard(%q, %q) = %v", pattern, s, got)
		}
	})
}

// plainWildcard says the same as wildcard, as plainly as can be.
func plainWildcard(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return plainWildcard(pattern[1:], s) || (s != "" && plainWildcard(pattern, s[1:]))
	case s == "":
		return false
	default:
		return (pattern[0] == '?' || pattern[0] == s[0]) && plainWildcard(pattern[1:], s[1:])
	}
}
