package balance_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// No request is lost while targets are registered, drained and then stopped, over and over: neither those that may be
// repeated nor those that may not, over connections kept alive on both sides.
func TestNoRequestIsLostWhileTargetsAreReplaced(t *testing.T) {
	t.Parallel()
	t.Run("application", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		g := newGroup("arn:tg/lossless", func(g *state.TargetGroup) {
			g.Attributes["deregistration_delay.timeout_seconds"] = "100" // one second, however busy the machine is
		})
		lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
		w.replaceUnderLoad(lb.url, func(h http.HandlerFunc) (*state.Target, func()) {
			s := w.addServer(h)
			return w.register(g.ARN, s.address), s.Close
		})
	})
	t.Run("classic", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		port := w.instances(1, serveHTTP)[0].Port()
		lb := newClassic("lossless", 8000, netip.AddrPortFrom(newAddress(), port), "HTTP", fmt.Sprintf("HTTP:%d/", port), 100)
		w.put(lb)
		w.awaitListening(lb.Address.String() + ":8000")
		w.replaceUnderLoad(fmt.Sprintf("http://%s:8000", lb.Address), func(h http.HandlerFunc) (*state.Target, func()) {
			l, err := net.Listen("tcp", netip.AddrPortFrom(newAddress(), port).String())
			if err != nil {
				t.Fatal(err)
			}
			s := &http.Server{Handler: h}
			go func() { _ = s.Serve(l) }()
			return w.register(state.ClassicGroup("lossless"), netip.MustParseAddrPort(l.Addr().String())), func() { s.Close() }
		})
	})
}

// replaceUnderLoad replaces a target by the next one a few times, with requests all along. Each request must be
// answered once, by a target that has not been stopped.
func (w *world) replaceUnderLoad(url string, start func(http.HandlerFunc) (*state.Target, func())) {
	var served, sent atomic.Int64
	handler := func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Amzn-Trace-Id") != "" || r.Header.Get("X-Forwarded-For") != "" { // not a health check
			served.Add(1)
		}
		fmt.Fprintf(rw, "%s of %d bytes", r.Method, len(body))
	}
	target, stop := start(handler)
	w.awaitHealth(target, v2.TargetHealthStateEnumHealthy)
	w.settled(url, "GET of 0 bytes")
	served.Store(0)

	var work sync.WaitGroup
	done := make(chan struct{})
	for i := range 4 {
		work.Go(func() {
			for n := i; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				w.sendOne(url, n)
				sent.Add(1)
			}
		})
	}
	for range 5 {
		next, stopNext := start(handler)
		w.awaitHealth(next, v2.TargetHealthStateEnumHealthy)
		w.deregister(target)
		w.awaitGone(target)
		stop()
		target, stop = next, stopNext
	}
	close(done)
	work.Wait()
	stop()
	w.Logf("%d requests", sent.Load())
	if served.Load() != sent.Load() {
		w.Errorf("%d requests were sent and %d served", sent.Load(), served.Load())
	}
}

// sendOne sends a request whose method and body depend on n, and checks its answer.
func (w *world) sendOne(url string, n int) {
	sizes := []int{0, 10, 5000, 50000}
	method, size := []string{"GET", "POST", "PUT"}[n%3], sizes[n/3%len(sizes)]
	if method == "GET" {
		size = 0
	}
	req, err := http.NewRequest(method, url, strings.NewReader(strings.Repeat("x", size)))
	if err != nil {
		w.Error(err)
		return
	}
	req.GetBody = nil // the client must not repeat what we lose
	resp, err := w.client.Do(req)
	if err != nil {
		w.Error(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if want := fmt.Sprintf("%s of %d bytes", method, size); err != nil || string(body) != want {
		w.Errorf("%d %q, %v, want %q", resp.StatusCode, body, err, want)
	}
}

// A target may close connections that it said it would keep. Requests that come after that go over another one, also
// those that must not be sent twice.
func TestPOSTsSurviveConnectionsThatTheTargetClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	closed := make(chan struct{}, 100)
	at := w.addRaw(func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		c.Close()
		if r.Method == http.MethodPost {
			closed <- struct{}{}
		}
	})
	g := newGroup("arn:tg/closing", nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, at), v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url, "ok")
	for range 200 {
		resp, err := w.client.Post(lb.url, "text/plain", strings.NewReader("once"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "ok" {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
		<-closed
	}
}

// A target that dies with a request in its hands: what may be repeated is not even noticed, and what may not is a 502,
// and was sent once.
func TestPOSTsAreNeverSentTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var posts atomic.Int64
	at := w.addRaw(func(c net.Conn) {
		in := bufio.NewReader(c)
		for n := 0; ; n++ {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			if r.Method == http.MethodPost {
				posts.Add(1)
			}
			if n > 0 { // the second request over a connection finds its end
				return
			}
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	g := newGroup("arn:tg/dying", nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, at), v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url, "ok")
	for range 20 {
		if status, body := w.get(lb.url); status != 200 {
			t.Fatalf("GET: %d %s", status, body)
		}
	}
	lost := 0
	for range 20 {
		resp, err := w.client.Post(lb.url, "text/plain", strings.NewReader("once"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusBadGateway {
			lost++
		}
	}
	if posts.Load() != 20 || lost == 0 {
		t.Errorf("20 POSTs arrived %d times, %d were answered 502", posts.Load(), lost)
	}
}
