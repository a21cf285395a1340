package balance_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// visitor is a client that keeps cookies, by name, as they are sent back.
type visitor struct {
	*world
	cookies map[string]string
}

// ask sends a request with the cookies and returns the answer's body and the cookies that it sets.
func (v *visitor) ask(url string) (string, map[string]*http.Cookie) {
	v.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		v.Fatal(err)
	}
	for name, value := range v.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := v.client.Do(req)
	if err != nil {
		v.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		v.Fatalf("%d %q, %v", resp.StatusCode, body, err)
	}
	set := map[string]*http.Cookie{}
	for _, c := range resp.Cookies() {
		set[c.Name] = c
	}
	return string(body), set
}

// keep takes over the cookies of an answer.
func (v *visitor) keep(set map[string]*http.Cookie) {
	for name, c := range set {
		v.cookies[name] = c.Value
	}
}

// twins makes an application load balancer before two programs, "a" and "b", each of which sets its own cookie at /login.
func (w *world) twins(name string, attributes map[string]string) (application, map[string]*state.Target) {
	w.Helper()
	g := newGroup("arn:tg/"+name, func(g *state.TargetGroup) {
		maps.Copy(g.Attributes, attributes)
	})
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	targets := map[string]*state.Target{}
	for _, name := range []string{"a", "b"} {
		targets[name] = w.register(g.ARN, w.addServer(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				http.SetCookie(rw, &http.Cookie{Name: "SESSION", Value: name})
			}
			_, _ = io.WriteString(rw, name)
		}).address)
		w.awaitHealth(targets[name], v2.TargetHealthStateEnumHealthy)
	}
	w.settled(lb.url, "a", "b")
	return lb, targets
}

func TestCookieOfTheLoadBalancerBindsAClientToItsTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, targets := w.twins("lb-cookie", map[string]string{"stickiness.enabled": "true", "stickiness.type": "lb_cookie"})
	v := &visitor{w, map[string]string{}}
	bound, set := v.ask(lb.url)
	if c := set["AWSALB"]; c == nil || c.Path != "/" || c.Expires.Before(time.Now().Add(6*24*time.Hour)) {
		t.Errorf("AWSALB: %v", c)
	}
	if c := set["AWSALBCORS"]; c == nil || c.SameSite != http.SameSiteNoneMode || c.Value != set["AWSALB"].Value {
		t.Errorf("AWSALBCORS: %v", c)
	}
	for n := range 10 {
		v.keep(set)
		delete(v.cookies, []string{"AWSALB", "AWSALBCORS"}[n%2]) // one of them is enough
		var got string
		if got, set = v.ask(lb.url); got != bound {
			t.Fatalf("request %d went to %s, the first one to %s", n, got, bound)
		}
	}
	v.keep(set)
	w.deregister(targets[bound])
	w.awaitHealth(targets[bound], v2.TargetHealthStateEnumDraining)
	moved, set := v.ask(lb.url)
	v.keep(set)
	if again, _ := v.ask(lb.url); moved == bound || again != moved {
		t.Errorf("after its target was drained the client was sent to %s and %s", moved, again)
	}
	v.cookies = map[string]string{"AWSALB": "garbage"}
	v.ask(lb.url)
}

func TestCookieOfTheProgramBindsAClientToItsTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, _ := w.twins("app-cookie", map[string]string{
		"stickiness.enabled": "true", "stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "SESSION",
	})
	v := &visitor{w, map[string]string{}}
	if _, set := v.ask(lb.url); len(set) != 0 {
		t.Errorf("without a cookie of the program: %v", set)
	}
	bound, set := v.ask(lb.url + "/login")
	if set["AWSALBAPP-0"] == nil || set["SESSION"] == nil {
		t.Fatalf("with a cookie of the program: %v", set)
	}
	v.keep(set)
	for range 10 {
		if got, _ := v.ask(lb.url); got != bound {
			t.Fatalf("a request went to %s instead of %s", got, bound)
		}
	}
}

func TestBondsEndWithTheirDuration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, _ := w.twins("short", map[string]string{
		"stickiness.enabled": "true", "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": "1",
	})
	v := &visitor{w, map[string]string{}}
	bound, set := v.ask(lb.url)
	v.keep(set)
	for deadline := time.Now().Add(patience); ; {
		if got, _ := v.ask(lb.url); got != bound {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the client is still bound")
		}
	}
}

func TestClientStaysWithItsTargetGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	blue, green := newGroup("arn:tg/sticky-blue", nil), newGroup("arn:tg/sticky-green", nil)
	actions := forwardTo(blue.ARN, green.ARN)
	yes, hour := true, int32(3600)
	actions[0].ForwardConfig.TargetGroupStickinessConfig = &v2.TargetGroupStickinessConfig{Enabled: &yes, DurationSeconds: &hour}
	lb := w.addApplication(v2.ProtocolEnumHttp, actions, blue, green)
	w.awaitHealth(w.register(blue.ARN, w.addServer(ok("blue")).address), v2.TargetHealthStateEnumHealthy)
	w.awaitHealth(w.register(green.ARN, w.addServer(ok("green")).address), v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url, "blue", "green")
	for range 4 { // both groups have their turns among these
		v := &visitor{w, map[string]string{}}
		bound, set := v.ask(lb.url)
		if set["AWSALBTG"] == nil || set["AWSALBTGCORS"] == nil {
			t.Fatalf("cookies: %v", set)
		}
		v.keep(set)
		for range 6 {
			if got, _ := v.ask(lb.url); got != bound {
				t.Fatalf("a request went to %s instead of %s", got, bound)
			}
		}
	}
}

func TestNewTargetStartsSlowly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGroup("arn:tg/slow", func(g *state.TargetGroup) { g.Attributes["slow_start.duration_seconds"] = "900" }) // 9 s here
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, w.addServer(ok("old")).address), v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url, "old")
	fresh := w.awaitHealth(w.register(g.ARN, w.addServer(ok("new")).address), v2.TargetHealthStateEnumHealthy)
	counts := map[string]int{}
	count := func(n int) {
		clear(counts)
		for range n {
			_, body := w.get(lb.url)
			counts[body]++
		}
	}
	count(100)
	if early := time.Since(fresh.Since) < 4500*time.Millisecond; early && counts["new"] > 40 {
		t.Errorf("at the beginning: %v", counts)
	}
	for deadline := time.Now().Add(patience); ; {
		if count(100); counts["new"] >= 48 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after its slow start: %v", counts)
		}
	}
}

func TestAlgorithmsSpreadRequests(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"least_outstanding_requests", "weighted_random", "round_robin"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			lb, _ := w.twins(strings.ReplaceAll(algorithm, "_", "-"), map[string]string{"load_balancing.algorithm.type": algorithm})
			counts := map[string]int{}
			for range 200 {
				_, body := w.get(lb.url)
				counts[body]++
			}
			if counts["a"] < 50 || counts["b"] < 50 {
				t.Errorf("%v", counts)
			}
		})
	}
}

func TestBusyTargetIsSparedByOutstandingRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGroup("arn:tg/busy", func(g *state.TargetGroup) {
		g.Attributes["load_balancing.algorithm.type"] = "least_outstanding_requests"
	})
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	entered, release := make(chan string, 1), make(chan struct{})
	for _, name := range []string{"a", "b"} {
		target := w.register(g.ARN, w.addServer(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				entered <- name
				<-release
			}
			fmt.Fprint(rw, name)
		}).address)
		w.awaitHealth(target, v2.TargetHealthStateEnumHealthy)
	}
	w.settled(lb.url, "a", "b")
	waited := make(chan struct{})
	go func() {
		defer close(waited)
		w.get(lb.url + "/wait")
	}()
	busy := <-entered
	for range 20 {
		if _, body := w.get(lb.url); body == busy {
			t.Errorf("a request was sent to %s, which is busy", body)
		}
	}
	close(release)
	<-waited
}
