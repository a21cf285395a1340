package balance_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// Each way a target can fail its checks has the reason and the text that AWS gives.
func TestEveryHealthReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status := func(code int) netip.AddrPort {
		return w.addServer(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) }).address
	}
	hanging := w.addServer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	garbage := w.addRaw(func(c net.Conn) { _, _ = c.Write([]byte("220 smtp ready\r\n")) })
	for name, tc := range map[string]struct {
		at     netip.AddrPort
		group  func(*state.TargetGroup)
		health v2.TargetHealthStateEnum
		reason v2.TargetHealthReasonEnum
		text   string
	}{
		"passes":        {status(200), nil, "healthy", "", ""},
		"other status":  {status(503), nil, "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"},
		"redirects":     {status(301), nil, "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [301]"},
		"other matcher": {status(404), func(g *state.TargetGroup) { g.Doc.Matcher = &v2.Matcher{HttpCode: aws.String("200-404")} }, "healthy", "", ""},
		"too slow": {
			hanging.address, func(g *state.TargetGroup) { g.Doc.HealthCheckTimeoutSeconds = aws.Int32(1) },
			"unhealthy", "Target.Timeout", "Request timed out",
		},
		"refuses":          {closedPort(t), nil, "unhealthy", "Target.FailedHealthChecks", "Health checks failed"},
		"speaks no HTTP":   {garbage, nil, "unhealthy", "Target.FailedHealthChecks", "Health checks failed"},
		"TCP":              {garbage, func(g *state.TargetGroup) { g.Doc.HealthCheckProtocol = v2.ProtocolEnumTcp }, "healthy", "", ""},
		"checks are off":   {status(503), func(g *state.TargetGroup) { g.Doc.HealthCheckEnabled = aws.Bool(false) }, "unavailable", "Target.HealthCheckDisabled", "Health checks are disabled for this target group"},
		"another port":     {status(503), func(g *state.TargetGroup) { g.Doc.HealthCheckPort = port(status(200)) }, "healthy", "", ""},
		"the traffic port": {status(200), func(g *state.TargetGroup) { g.Doc.HealthCheckPort = aws.String("traffic-port") }, "healthy", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := w.within(t)
			g := newGroup("arn:tg/"+name, tc.group)
			w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
			got := w.awaitHealth(w.register(g.ARN, tc.at), tc.health)
			if got.Reason != tc.reason || got.Description != tc.text {
				t.Errorf("got %s %q, want %s %q", got.Reason, got.Description, tc.reason, tc.text)
			}
			if got.Since.IsZero() || got.Since.Before(got.Registered) {
				t.Errorf("since %s", got.Since)
			}
		})
	}
}

func port(at netip.AddrPort) *string {
	_, p, _ := net.SplitHostPort(at.String())
	return &p
}

func closedPort(t *testing.T) netip.AddrPort {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}

// addRaw serves connections with fn and closes them.
func (w *world) addRaw(fn func(net.Conn)) netip.AddrPort {
	w.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fn(c)
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestTargetsOfAGroupThatNoListenerReachesAreUnused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := make(chan struct{}, 1000)
	s := w.addServer(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} })
	g := newGroup("arn:tg/unused", nil)
	w.put(g)
	target := w.register(g.ARN, s.address)
	got := w.awaitHealth(target, v2.TargetHealthStateEnumUnused)
	if got.Reason != v2.TargetHealthReasonEnumNotInUse || got.Description != "Target group is not configured to receive traffic from the load balancer" {
		t.Errorf("got %s %q", got.Reason, got.Description)
	}
	if len(asked) > 0 {
		t.Error("it was checked")
	}
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN))
	w.awaitHealth(target, v2.TargetHealthStateEnumHealthy)
	if err := w.db.Write(func(tx *state.Tx) error { tx.Delete(lb.listener); return nil }); err != nil {
		t.Fatal(err)
	}
	w.awaitHealth(target, v2.TargetHealthStateEnumUnused)
	w.deregister(target) // nothing can be in flight: it need not wait
	w.awaitGone(target)
}

func TestATargetRecoversAndFailsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status := make(chan int, 1)
	status <- 503
	s := w.addServer(func(rw http.ResponseWriter, _ *http.Request) {
		now := <-status
		status <- now
		rw.WriteHeader(now)
	})
	g := newGroup("arn:tg/moody", nil)
	w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	target := w.register(g.ARN, s.address)
	first := w.awaitHealth(target, v2.TargetHealthStateEnumUnhealthy)
	<-status
	status <- 200
	second := w.awaitHealth(target, v2.TargetHealthStateEnumHealthy)
	if !second.Since.After(first.Since) {
		t.Error("the time of the change was not written down")
	}
	<-status
	status <- 500
	third := w.awaitHealth(target, v2.TargetHealthStateEnumUnhealthy)
	if want := "Health checks failed with these codes: [500]"; third.Description != want {
		t.Errorf("got %q, want %q", third.Description, want)
	}
}

// Checks of AWS's pace are divided by the speed: at speed 100, thirty seconds are 300 ms.
func TestTheIntervalIsDividedByTheSpeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	times := make(chan time.Time, 100)
	s := w.addServer(func(http.ResponseWriter, *http.Request) { times <- time.Now() })
	g := newGroup("arn:tg/pace", func(g *state.TargetGroup) { g.Doc.HealthCheckIntervalSeconds = aws.Int32(30) })
	w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	began := time.Now()
	w.register(g.ARN, s.address)
	first, second := <-times, <-times
	if wait := first.Sub(began); wait > 250*time.Millisecond {
		t.Errorf("the first check came after %s, not at once", wait)
	}
	if gap := second.Sub(first); gap < 250*time.Millisecond || gap > 5*time.Second {
		t.Errorf("the second check came after %s, not after about 300 ms", gap)
	}
}

func TestChecksOfGRPCLookAtItsStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.addHTTP2(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/AWS.ALB/healthcheck" || r.Header.Get("Content-Type") != "application/grpc" {
			rw.WriteHeader(http.StatusTeapot)
			return
		}
		rw.Header().Set("Content-Type", "application/grpc")
		rw.Header().Set("Trailer", "Grpc-Status")
		rw.WriteHeader(http.StatusOK)
		rw.Header().Set("Grpc-Status", "12")
	})
	g := newGroup("arn:tg/grpc-check", func(g *state.TargetGroup) { g.Doc.ProtocolVersion = aws.String("GRPC") })
	w.addApplication(v2.ProtocolEnumHttps, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, s.address), v2.TargetHealthStateEnumHealthy)
}

// addHTTP2 adds a program that speaks HTTP/2 without TLS, and nothing else.
func (w *world) addHTTP2(h http.HandlerFunc) server {
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	w.Cleanup(s.Close)
	return server{s, netip.MustParseAddrPort(s.Listener.Addr().String())}
}

// within returns the same world for a part of a test.
func (w *world) within(t *testing.T) *world {
	inner := *w
	inner.TB = t
	return &inner
}
