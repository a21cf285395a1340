package balance_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// BenchmarkRequests sends requests to a program directly and through the load balancer, in the same run, and reports
// how many times as long the way through the load balancer takes.
func BenchmarkRequests(b *testing.B) {
	for name, body := range map[string]string{"GET": "", "POST": strings.Repeat("x", 1000)} {
		b.Run(name, func(b *testing.B) { compare(b, name, body) })
	}
}

func compare(b *testing.B, method, body string) {
	w := newWorld(b)
	s := w.addServer(ok("hello, world"))
	g := newGroup("arn:tg/bench", nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, s.address), v2.TargetHealthStateEnumHealthy)
	w.eventually(lb.url, 200)

	b.ReportAllocs()
	direct := hammer(b, method, s.URL, body)
	b.ResetTimer()
	through := hammer(b, method, lb.url, body)
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(n/through.Seconds(), "req/s")
	b.ReportMetric(n/direct.Seconds(), "direct-req/s")
	b.ReportMetric(direct.Seconds()/through.Seconds(), "of-direct")
}

// hammer sends b.N requests over eight connections and returns how long they took.
func hammer(b *testing.B, method, to, body string) time.Duration {
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	defer transport.CloseIdleConnections()
	at, err := url.Parse(to)
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req := &http.Request{Method: method, URL: at, Header: http.Header{}}
			if body != "" {
				req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Errorf("status %d", resp.StatusCode)
				return
			}
		}
	})
	return time.Since(start)
}
