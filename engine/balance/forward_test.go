package balance_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// serving returns a load balancer in front of one healthy program.
func (w *world) serving(name string, s server) application {
	w.Helper()
	g := newGroup("arn:tg/"+name, nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, s.address), v2.TargetHealthStateEnumHealthy)
	w.eventually(lb.url, http.StatusOK)
	return lb
}

func TestTargetsSeeWhoAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := make(chan *http.Request, 1)
	lb := w.serving("headers", w.addServer(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x" {
			seen <- r
		}
	}))
	req, _ := http.NewRequest(http.MethodGet, lb.url+"/x?a=1;b=%zz", nil)
	req.Host = "shop.example.com"
	req.Header.Set("X-Forwarded-For", "203.0.113.9")
	req.Header.Set("Connection", "Upgrade, HTTP2-Settings")
	req.Header.Set("Upgrade", "h2c")
	req.Header.Set("HTTP2-Settings", "AAMAAABkAAQAAP__")
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r := <-seen
	if r.Host != "shop.example.com:8000" { // with the port, as it is none of the usual ones
		t.Errorf("Host %q", r.Host)
	}
	if r.URL.RawQuery != "a=1;b=%zz" {
		t.Errorf("query %q", r.URL.RawQuery)
	}
	for name, want := range map[string]string{
		"X-Forwarded-For":   `^203\.0\.113\.9, 127\.0\.0\.1$`,
		"X-Forwarded-Proto": "^http$",
		"X-Forwarded-Port":  "^8000$",
		"X-Amzn-Trace-Id":   "^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$",
		"Upgrade":           "^$",
		"Http2-Settings":    "^$",
		"Connection":        "^$",
		"User-Agent":        "^Go-http-client",
	} {
		if got := r.Header.Get(name); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: %q, want %s", name, got, want)
		}
	}
}

func TestTheBalancersOwnAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	early := w.addRaw(func(c net.Conn) { _, _ = bufio.NewReader(c).ReadString('\n') }) // reads, and closes
	slow := w.addServer(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
		}
	})
	empty, refusing, closing, hanging := newGroup("arn:tg/empty", nil), newGroup("arn:tg/refusing", nil), newGroup("arn:tg/closing", nil), newGroup("arn:tg/hanging", nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(empty.ARN), empty, refusing, closing, hanging)
	w.change(func(tx *state.Tx) {
		short := *lb.lb
		short.Attributes = map[string]string{"idle_timeout.timeout_seconds": "1"}
		tx.Put(&short)
	})
	for i, g := range []*state.TargetGroup{refusing, closing, hanging} {
		w.put(ruleFor(lb, i+1, "/"+strings.TrimPrefix(g.ARN, "arn:tg/")+"/*", forwardTo(g.ARN)))
	}
	w.put(ruleFor(lb, 4, "/slow", forwardTo(hanging.ARN)))
	w.register(refusing.ARN, closedPort(t))
	w.register(closing.ARN, early)
	w.awaitHealth(w.register(hanging.ARN, slow.address), v2.TargetHealthStateEnumHealthy)

	for path, want := range map[string]struct {
		status int
		title  string
	}{
		"/":           {503, "503 Service Temporarily Unavailable"},
		"/refusing/x": {502, "502 Bad Gateway"}, // none is healthy: it fails open, and is refused
		"/closing/x":  {502, "502 Bad Gateway"},
		"/slow":       {504, "504 Gateway Time-out"},
	} {
		body := w.eventually(lb.url+path, want.status)
		if !strings.Contains(body, "<center><h1>"+want.title+"</h1></center>") {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// ruleFor makes a rule for requests to a path.
func ruleFor(lb application, priority int, pattern string, actions []v2.Action) *state.Rule {
	return &state.Rule{ARN: fmt.Sprintf("%s/rule/%d", lb.listener.ARN, priority), Listener: lb.listener.ARN, Doc: v2.Rule{
		Priority: aws.String(fmt.Sprint(priority)), Actions: actions,
		Conditions: []v2.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{pattern}}},
	}}
}

func (w *world) change(fn func(*state.Tx)) {
	w.Helper()
	if err := w.db.Write(func(tx *state.Tx) error { fn(tx); return nil }); err != nil {
		w.Fatal(err)
	}
}

func TestRulesChangeWhileRequestsRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	blue, green := newGroup("arn:tg/blue", nil), newGroup("arn:tg/green", nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(blue.ARN), blue, green)
	w.awaitHealth(w.register(blue.ARN, w.addServer(ok("blue")).address), v2.TargetHealthStateEnumHealthy)
	if body := w.eventually(lb.url, 200); body != "blue" {
		t.Fatal(body)
	}
	w.put(ruleFor(lb, 1, "/green/*", forwardTo(green.ARN)))
	w.awaitHealth(w.register(green.ARN, w.addServer(ok("green")).address), v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url+"/green/x", "green")
	if _, body := w.get(lb.url + "/"); body != "blue" {
		t.Error(body)
	}
	w.change(func(tx *state.Tx) {
		moved := *lb.listener
		moved.Doc.DefaultActions = forwardTo(green.ARN)
		tx.Put(&moved)
	})
	w.settled(lb.url, "green")
}

func TestHealthyTargetsTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGroup("arn:tg/turns", nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	for _, name := range []string{"a", "b", "c"} {
		w.awaitHealth(w.register(g.ARN, w.addServer(ok(name)).address), v2.TargetHealthStateEnumHealthy)
	}
	sick := w.addServer(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) })
	w.awaitHealth(w.register(g.ARN, sick.address), v2.TargetHealthStateEnumUnhealthy)
	w.settled(lb.url, "a", "b", "c")
	counts := map[string]int{}
	for range 300 {
		status, body := w.get(lb.url)
		if status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		counts[body]++
	}
	for _, name := range []string{"a", "b", "c"} {
		if counts[name] != 100 {
			t.Errorf("%s answered %d of 300", name, counts[name])
		}
	}
}

// settled waits until as many answers in a row as there are names come from just those, in turn.
func (w *world) settled(url string, names ...string) {
	w.Helper()
	for deadline := time.Now().Add(patience); ; {
		got := map[string]bool{}
		for range names {
			_, body := w.get(url)
			if slices.Contains(names, body) {
				got[body] = true
			}
		}
		if len(got) == len(names) {
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("only %v answer, not %v", got, names)
		}
	}
}

func TestItFailsOpenWhenNoTargetIsHealthy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGroup("arn:tg/open", func(g *state.TargetGroup) { g.Doc.HealthCheckPath = aws.String("/health") })
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	s := w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			rw.WriteHeader(500)
		}
	})
	w.awaitHealth(w.register(g.ARN, s.address), v2.TargetHealthStateEnumUnhealthy)
	w.eventually(lb.url, 200)
}

func TestHTTP2AndTrailersOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.addHTTP2(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		rw.Header().Set("X-Proto", r.Proto)
		_, _ = io.Copy(rw, r.Body)
		rw.Header().Set("Grpc-Status", "0")
		rw.Header().Set("Grpc-Message", "fine")
		rw.Header().Set(http.TrailerPrefix+"X-Late", "yes")
	})
	g := newGroup("arn:tg/grpc", func(g *state.TargetGroup) {
		g.Doc.ProtocolVersion = aws.String("HTTP2")
	})
	lb := w.addApplication(v2.ProtocolEnumHttps, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, s.address), v2.TargetHealthStateEnumHealthy)
	w.eventually(lb.url, http.StatusOK)
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: protocols}
	defer transport.CloseIdleConnections()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, lb.url+"/pkg.Service/Method", strings.NewReader("payload"))
	req.Header.Set("Te", "trailers")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "payload" {
		t.Fatalf("%q, %v", body, err)
	}
	if resp.ProtoMajor != 2 || resp.Header.Get("X-Proto") != "HTTP/2.0" {
		t.Errorf("spoke %s to the client and %s to the target", resp.Proto, resp.Header.Get("X-Proto"))
	}
	for name, want := range map[string]string{"Grpc-Status": "0", "Grpc-Message": "fine", "X-Late": "yes"} {
		if got := resp.Trailer.Get(name); got != want {
			t.Errorf("trailer %s: %q, want %q", name, got, want)
		}
	}
}

func TestTargetsOverTLSAreNotVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.addTLS(ok("secret"))
	g := newGroup("arn:tg/tls", func(g *state.TargetGroup) {
		g.Doc.Protocol, g.Doc.HealthCheckProtocol = v2.ProtocolEnumHttps, v2.ProtocolEnumHttps
	})
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, s.address), v2.TargetHealthStateEnumHealthy)
	for range 5 { // also over a connection kept alive
		if body := w.eventually(lb.url, 200); body != "secret" {
			t.Error(body)
		}
	}
}
