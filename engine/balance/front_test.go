package balance_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// told is what a target was asked, or a client answered, as far as both ways must agree.
type told struct {
	First    string // method and URI, or status
	Header   map[string][]string
	Body     string
	Trailers string
}

// without returns the headers but for those that differ from request to request, or by the way it takes.
func without(h http.Header, names ...string) map[string][]string {
	h = h.Clone()
	for _, name := range append(names, "Date", "X-Amzn-Trace-Id", "X-Forwarded-Proto", "X-Forwarded-Port") {
		h.Del(name)
	}
	return h
}

// Ordinary requests are answered by the front, those over TLS by net/http: targets and clients must not see a difference.
func TestBothWaysToATargetAreTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked := make(chan told, 10)
	at := w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") == "" {
			return // a health check
		}
		body, _ := io.ReadAll(r.Body)
		asked <- told{First: r.Method + " " + r.RequestURI, Header: without(r.Header), Body: string(body)}
		answerAsAsked(rw, r)
	}).address
	g := newGroup("arn:tg/both", nil)
	plain := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	secure := w.addApplication(v2.ProtocolEnumHttps, forwardTo(g.ARN))
	w.awaitHealth(w.register(g.ARN, at), v2.TargetHealthStateEnumHealthy)
	w.eventually(plain.url+"/?status=200", http.StatusOK)
	<-asked
	w.eventually(secure.url+"/?status=200", http.StatusOK)
	<-asked
	transport := &http.Transport{DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // no HTTP/2
	defer transport.CloseIdleConnections()
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"}).Draw(t, "method")
		body := strings.Repeat("b", rapid.SampledFrom([]int{0, 1, 5000, 16384, 20000}).Draw(t, "body"))
		uri := rapid.SampledFrom([]string{"/", "/a%20b/%2F", "//twice", "/a/../b", "/x;y=1"}).Draw(t, "path") +
			fmt.Sprintf("?status=%d&size=%d&mode=%s&q=%%zz;", rapid.SampledFrom([]int{200, 204, 304, 404, 500}).Draw(t, "status"),
				rapid.SampledFrom([]int{0, 1, 4000, 4096, 100000}).Draw(t, "size"),
				rapid.SampledFrom([]string{"whole", "flushed", "trailers", "hints", "close"}).Draw(t, "mode"))
		header := http.Header{}
		for i := range rapid.IntRange(0, 5).Draw(t, "headers") {
			name := rapid.SampledFrom([]string{"X-A", "X-Forwarded-For", "X-Amzn-Trace-Id", "Accept", "Cookie", "X_b"}).Draw(t, "name"+strconv.Itoa(i))
			header.Add(name, rapid.StringMatching(`[a-z0-9=;,]([a-z0-9 =;,]*[a-z])?`).Draw(t, "value"+strconv.Itoa(i)))
		}
		var seen, answered [2]told
		for i, to := range []string{plain.url, secure.url} {
			answered[i] = roundTrip(t, transport, method, to+uri, header, body)
			seen[i] = <-asked
		}
		if diff := cmp.Diff(seen[1], seen[0]); diff != "" {
			t.Fatalf("the target saw by net/http and by the front: %s", diff)
		}
		if diff := cmp.Diff(answered[1], answered[0]); diff != "" {
			t.Fatalf("the client saw by net/http and by the front: %s", diff)
		}
	})
}

// answerAsAsked answers with status and size as the query says, in the ways in which programs do.
func answerAsAsked(rw http.ResponseWriter, r *http.Request) {
	q, _, _ := strings.Cut(r.URL.RawQuery, "&q=")
	var status, size int
	var mode string
	if _, err := fmt.Sscanf(strings.ReplaceAll(q, "&", " "), "status=%d size=%d mode=%s", &status, &size, &mode); err != nil {
		return
	}
	body := strings.Repeat("a", size)
	flush := func() { _ = http.NewResponseController(rw).Flush() }
	rw.Header().Set("X-Of-Target", "yes")
	switch mode {
	case "whole":
		rw.Header().Set("Content-Length", strconv.Itoa(size))
	case "hints":
		rw.Header().Set("Link", "</a>; rel=preload")
		rw.WriteHeader(http.StatusEarlyHints)
	case "close":
		rw.Header().Set("Connection", "close")
	case "trailers":
		rw.Header().Set("Trailer", "X-Sum")
	}
	rw.WriteHeader(status)
	if mode == "flushed" || mode == "trailers" {
		flush()
		_, _ = io.WriteString(rw, body[:size/2])
		flush()
		body = body[size/2:]
	}
	if status != http.StatusNoContent && status != http.StatusNotModified {
		_, _ = io.WriteString(rw, body)
	}
	if mode == "trailers" {
		rw.Header().Set("X-Sum", "42")
	}
}

func roundTrip(t *rapid.T, transport http.RoundTripper, method, url string, header http.Header, body string) told {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header, req.Host = header.Clone(), "shop.example.com"
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	if len(got) == 0 && method != http.MethodHead { // no bytes can be told in chunks, or as a length
		resp.ContentLength = 0
		resp.Header.Del("Content-Length")
	}
	return told{
		First: resp.Status + fmt.Sprint(resp.ContentLength), Header: without(resp.Header, "Connection"), Body: string(got),
		Trailers: fmt.Sprint(resp.Trailer),
	}
}

// raw opens a connection that requests are written to by hand.
func (w *world) raw(address string) (net.Conn, *bufio.Reader) {
	w.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c, bufio.NewReader(c)
}

func (w *world) expect(in *bufio.Reader, method, want string) {
	w.Helper()
	resp, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != want {
		w.Fatalf("%d %q, %v, want %q", resp.StatusCode, body, err, want)
	}
}

func TestRequestsOfOneConnectionAreAnsweredInTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb := w.serving("order", w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(rw, "%s %s %s", r.Method, r.URL.Path, body)
	}))
	const host = " HTTP/1.1\r\nHost: a\r\n"
	for name, steps := range map[string][]string{
		"at once": {"GET /1" + host + "\r\nPOST /2" + host + "Content-Length: 1\r\n\r\nxGET /3" + host + "\r\n"},
		"piece by piece": {
			"GE", "T /1", host + "\r", "\nPOST /2" + host + "Content-Le", "ngth: 1\r\n\r\n", "xG", "ET /3" + host + "\r\n",
		},
		"with one for net/http among them": {
			"GET /1" + host + "\r\nPOST /2" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nGET /3" + host + "\r\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, in := w.raw(lb.address)
			for _, s := range steps {
				if _, err := io.WriteString(c, s); err != nil {
					t.Fatal(err)
				}
			}
			for _, want := range []string{"GET /1 ", "POST /2 x", "GET /3 "} {
				w.expect(in, "GET", want)
			}
		})
	}
}

func TestTargetsThatAnswerStrangelyAreUnderstoodOrRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answers := map[string]string{
		"/old":     "HTTP/1.0 200 OK\r\n\r\nuntil the end",
		"/lf":      "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"/folded":  "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
		"/surplus": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
		"/garbage": "SSH-2.0-OpenSSH\r\n\r\n",
		"/switch":  "HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"/chunks":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone",
	}
	at := w.addRaw(func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			answer, ok := answers[r.URL.Path]
			if !ok {
				answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
			}
			if _, err := io.WriteString(c, answer); err != nil || r.URL.Path == "/old" || r.URL.Path == "/garbage" {
				return
			}
		}
	})
	g := newGroup("arn:tg/strange", nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, at), v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url, "fine")
	for path, want := range map[string]string{
		"/old": "200 until the end", "/lf": "200 ok", "/folded": "200 ok", "/surplus": "200 ok", "/garbage": "502", "/switch": "502",
	} {
		for range 3 { // each leaves the next request unharmed
			status, body := w.get(lb.url + path)
			if got := fmt.Sprint(status, " ", body); !strings.HasPrefix(got, want) || status == 200 && got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
			if _, body := w.get(lb.url); body != "fine" {
				t.Errorf("after %s: %s", path, body)
			}
		}
	}
	resp, err := w.client.Get(lb.url + "/chunks")
	if err == nil {
		if body, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("a body in broken chunks is taken for a whole one: %q", body)
		}
		resp.Body.Close()
	}
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entered, release := make(chan struct{}), make(chan struct{})
	lb := w.serving("stopping", w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			close(entered)
			<-release
		}
		_, _ = io.WriteString(rw, "done")
	}))
	idle, idleIn := w.raw(lb.address)
	fmt.Fprint(idle, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	w.expect(idleIn, "GET", "done")
	busy, busyIn := w.raw(lb.address)
	fmt.Fprint(busy, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
	<-entered
	stopped := make(chan error)
	go func() { stopped <- w.balance.Stop(context.Background()) }()
	if rest, err := io.ReadAll(idleIn); err != nil || len(rest) > 0 { // it ends at once
		t.Errorf("%q, %v", rest, err)
	}
	close(release)
	resp, err := http.ReadResponse(busyIn, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "done" || !resp.Close {
		t.Errorf("%q, %v, close %v", body, err, resp.Close)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
