//go:build soak

package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/traffic"
)

// strict is a client that forgives nothing: it sends each request once, over the connection that it has. net/http would
// quietly send most of what is lost a second time.
type strict struct {
	address string
	keep    bool // connections are kept for the next request
	wary    bool // it looks whether a kept connection has been closed, where that is the program's doing: see lane.wary
	conn    net.Conn
	in      *bufio.Reader
}

// ask sends a request and reads its whole answer, which must have that status.
func (s *strict) ask(req *http.Request, status int) (head http.Header, body []byte, err error) {
	kept := s.conn != nil
	defer func() {
		if err != nil {
			s.close()
			err = fmt.Errorf("%w (connection kept: %t)", err, kept)
		}
	}()
	if err := s.connect(req.Context()); err != nil {
		return nil, nil, err
	}
	if err := req.Write(s.conn); err != nil {
		return nil, nil, err
	}
	resp, err := http.ReadResponse(s.in, req)
	if err != nil {
		return nil, nil, fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return nil, nil, fmt.Errorf("the answer broke off: %w", err)
	}
	if resp.StatusCode != status {
		return nil, nil, fmt.Errorf("status %s: %.200s", resp.Status, body)
	}
	if resp.Close || !s.keep {
		s.close()
	}
	return resp.Header, body, nil
}

func (s *strict) connect(ctx context.Context) error {
	if s.conn != nil && s.wary && !s.open() {
		s.close()
	}
	if s.conn == nil {
		conn, err := (&net.Dialer{Timeout: answerTime}).DialContext(ctx, "tcp", s.address)
		if err != nil {
			return err
		}
		s.conn, s.in = conn, bufio.NewReader(conn)
	}
	return s.conn.SetDeadline(time.Now().Add(answerTime))
}

// open reports whether the server has left the connection open.
func (s *strict) open() bool {
	if s.conn.SetReadDeadline(time.Now().Add(time.Millisecond)) != nil {
		return false
	}
	_, err := s.in.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func (s *strict) close() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// A manner is one way in which clients use a service.
type manner struct {
	name    string
	clients int
	part    float64 // of all requests
	keep    bool
	ask     func(ctx context.Context, s *strict, n int) (version string, err error)
}

// manners are what a service is asked for at once: mostly quick answers over connections that are kept, new connections
// all the time, bodies of known length and in chunks, smaller and larger than what a load balancer keeps in memory, and
// answers that take their time to come.
var manners = []manner{
	{name: "GET", clients: 6, part: 0.58, keep: true, ask: askGet},
	{name: "GET over a new connection", clients: 3, part: 0.2, ask: askGet},
	{name: "POST", clients: 2, part: 0.12, keep: true, ask: askPost},
	{name: "POST over a new connection, in chunks", clients: 2, part: 0.07, ask: askPostChunks},
	{name: "stream", clients: 4, part: 0.02, keep: true, ask: askStream},
	{name: "stream over a new connection", clients: 2, part: 0.01, ask: askStream},
}

func askGet(ctx context.Context, s *strict, _ int) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/", http.NoBody)
	if err != nil {
		return "", err
	}
	head, body, err := s.ask(req, http.StatusOK)
	if err != nil {
		return "", err
	}
	var answer struct{ Version string }
	version := head.Get(traffic.VersionHeader)
	if json.Unmarshal(body, &answer) != nil || answer.Version != version {
		return "", fmt.Errorf("head of %s with body %.200s", version, body)
	}
	return version, nil
}

var postSizes = []int{1, 100, 3000, 12 << 10, 20 << 10, 90 << 10}

func askPost(ctx context.Context, s *strict, n int) (string, error) {
	size := postSizes[n%len(postSizes)]
	return sendText(ctx, s, bytes.NewReader(bytes.Repeat([]byte("x"), size)), size)
}

func askPostChunks(ctx context.Context, s *strict, n int) (string, error) {
	size := postSizes[n%len(postSizes)]
	return sendText(ctx, s, io.MultiReader(bytes.NewReader(bytes.Repeat([]byte("x"), size))), size) // net/http cannot know how long that is
}

// sendText sends a text, which must arrive as long as it was sent.
func sendText(ctx context.Context, s *strict, text io.Reader, size int) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/", text)
	if err != nil {
		return "", err
	}
	head, body, err := s.ask(req, http.StatusCreated)
	if err != nil {
		return "", fmt.Errorf("%d bytes: %w", size, err)
	}
	var answer struct{ Bytes int }
	if json.Unmarshal(body, &answer) != nil || answer.Bytes != size {
		return "", fmt.Errorf("of %d bytes arrived: %.200s", size, body)
	}
	return head.Get(traffic.VersionHeader), nil
}

func askStream(ctx context.Context, s *strict, n int) (string, error) {
	count := 5 + n%3*5 // a quarter to three quarters of a second
	url := fmt.Sprintf("http://%s/stream?count=%d&interval=%s", s.address, count, eventPause)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	head, body, err := s.ask(req, http.StatusOK)
	if err != nil {
		return "", err
	}
	if got := strings.Count(string(body), "id: "); got != count || !strings.Contains(string(body), fmt.Sprintf("id: %d\n", count)) {
		return "", fmt.Errorf("%d of %d events came", got, count)
	}
	return head.Get(traffic.VersionHeader), nil
}

// crowd is the clients of one service.
type crowd struct {
	stop    context.CancelFunc
	clients sync.WaitGroup

	mu       sync.Mutex
	sent     int
	lost     int
	versions map[string]int
	took     []time.Duration // but of streams
	failures []string
	reasons  map[string]int
	onLoss   func(string) // told of each, when it is set
}

const crowdFailuresKept = 50

// startCrowd begins to send so many requests a second.
func startCrowd(ctx context.Context, address string, wary bool, rate float64, onLoss func(string)) *crowd {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{stop: cancel, versions: map[string]int{}, reasons: map[string]int{}, onLoss: onLoss}
	for _, m := range manners {
		every := time.Duration(float64(time.Second) * float64(m.clients) / (rate * m.part))
		for n := range m.clients {
			s := &strict{address: address, keep: m.keep, wary: wary}
			c.clients.Go(func() { c.keepAsking(ctx, m, s, n, every) })
		}
	}
	return c
}

// keepAsking sends one request after the other when they are due; one that is late is made up for.
func (c *crowd) keepAsking(ctx context.Context, m manner, s *strict, n int, every time.Duration) {
	defer s.close()
	begun := time.Now().Add(every * time.Duration(n) / time.Duration(m.clients))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for sent := 0; ; sent++ {
		timer.Reset(time.Until(begun.Add(every * time.Duration(sent))))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		at := time.Now()
		version, err := m.ask(context.WithoutCancel(ctx), s, sent+n) // one that is on its way when the crowd is stopped still counts
		c.count(m, at, version, err)
	}
}

func (c *crowd) count(m manner, at time.Time, version string, err error) {
	took := time.Since(at)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	if !strings.Contains(m.name, "stream") {
		c.took = append(c.took, took)
	}
	if err == nil {
		c.versions[version]++
		return
	}
	c.lost++
	c.reasons[m.name+": "+reason(err)]++
	if len(c.failures) < crowdFailuresKept {
		failure := fmt.Sprintf("%s after %v: %s: %v", at.Format("15:04:05.000"), took.Round(time.Millisecond), m.name, err)
		c.failures = append(c.failures, failure)
		if c.onLoss != nil {
			c.onLoss(failure)
		}
	}
}

// reason is an error without addresses, which differ each time.
func reason(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

func (c *crowd) soFar() (sent, lost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent, c.lost
}

// end stops sending and waits for what is on its way.
func (c *crowd) end() {
	c.stop()
	c.clients.Wait()
}

// String tells what was lost and why.
func (c *crowd) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d requests failed", c.lost, c.sent)
	for _, r := range slices.Sorted(maps.Keys(c.reasons)) {
		fmt.Fprintf(&b, "\n  %d times %s", c.reasons[r], r)
	}
	for _, f := range c.failures {
		fmt.Fprintf(&b, "\n    %s", f)
	}
	return b.String()
}

// percentile returns how long the quickest so many percent of the answers took at most.
func (c *crowd) percentile(percent int) time.Duration {
	slices.Sort(c.took)
	return c.took[min(len(c.took)*percent/100, len(c.took)-1)]
}

// TestSoakTrafficCountsWhatIsLost: a soak that loses nothing means something only if its clients notice each loss.
func TestSoakTrafficCountsWhatIsLost(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	answers := []string{ // the third one is never sent
		"HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 15\r\n\r\n{\"version\":\"1\"}",
		"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
		"",
		"HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 15\r\n\r\n{\"vers",
		"HTTP/1.1 200 OK\r\nX-Version: 1\r\nContent-Length: 15\r\n\r\n{\"version\":\"2\"}",
	}
	go func() {
		for _, a := range answers {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			fmt.Fprint(conn, a)
			conn.Close()
		}
	}()
	c := &crowd{versions: map[string]int{}, reasons: map[string]int{}}
	s := &strict{address: listener.Addr().String()}
	for range answers {
		version, err := askGet(t.Context(), s, 0)
		c.count(manners[0], time.Now(), version, err)
	}
	if c.sent != len(answers) || c.lost != len(answers)-1 || c.versions["1"] != 1 {
		t.Errorf("answers of %v: %s", c.versions, c)
	}
}
