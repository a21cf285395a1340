package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/traffic"
)

// load is everything that clients do at once: GETs at a steady rate, POSTs over connections that are kept, and answers
// that are streamed for seconds.
type load struct {
	gets   *traffic.Stream
	stop   context.CancelFunc
	others sync.WaitGroup

	mu       sync.Mutex
	posts    int
	streams  int
	failures []string
}

const (
	postClients = 4
	postPause   = 100 * time.Millisecond // of each client, between two POSTs
	streamers   = 3
	eventPause  = 50 * time.Millisecond // between the events of a stream
	shortStream = 1500 * time.Millisecond
	longStream  = 5 * time.Second
	// A machine that is busy with other tests answers late; a request is lost only when it is answered wrongly or never.
	answerTime = time.Minute
)

// startLoad begins to send to an address: so many GETs a second, and streams of at most that length on a machine that has
// nothing else to do. A drain gives what is in flight its delay divided by the speed, and five real seconds at least.
func startLoad(t *testing.T, address string, rate int, longest time.Duration) *load {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	l := &load{stop: cancel, gets: traffic.Start(ctx, traffic.Options{URL: "http://" + address + "/", Rate: rate, Timeout: answerTime})}
	for n := range postClients {
		l.others.Go(func() { l.keepPosting(ctx, "http://"+address+"/", bytes.Repeat([]byte("x"), 100<<(3*n))) })
	}
	for n := range streamers {
		events := int(longest/eventPause) * (n + 1) / streamers
		l.others.Go(func() {
			l.keepStreaming(ctx, fmt.Sprintf("http://%s/stream?count=%d&interval=%s", address, events, eventPause))
		})
	}
	t.Cleanup(func() { l.end() })
	return l
}

// keepPosting sends one POST after the other over one connection. Such a request cannot be repeated by the client when a
// connection breaks: what is lost is lost.
func (l *load) keepPosting(ctx context.Context, url string, body []byte) {
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}, Timeout: answerTime}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(postPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			err := post(context.WithoutCancel(ctx), client, url, body)
			l.count(&l.posts, "POST", err)
		}
	}
}

func post(ctx context.Context, client *http.Client, url string, body []byte) error {
	// Without GetBody nobody can send the body twice.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(body))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct{ Bytes int }
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	if resp.StatusCode != http.StatusCreated || json.Unmarshal(text, &answer) != nil || answer.Bytes != len(body) {
		return fmt.Errorf("status %s: %.200s", resp.Status, text)
	}
	return nil
}

// keepStreaming reads one stream after the other, each to its end.
func (l *load) keepStreaming(ctx context.Context, url string) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		begun := time.Now()
		err := readEvents(context.WithoutCancel(ctx), client, url)
		l.count(&l.streams, fmt.Sprintf("stream begun at %s", begun.Format("15:04:05.000")), err)
	}
}

// readEvents reads server-sent events until the stream ends: all must come, in their order.
func readEvents(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	var want, got int
	if _, err := fmt.Sscanf(req.URL.Query().Get("count"), "%d", &want); err != nil {
		return err
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			if got++; id != fmt.Sprint(got) {
				return fmt.Errorf("event %s came in place of %d", id, got)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("the stream broke off after %d of %d events: %w", got, want, err)
	}
	if got != want {
		return fmt.Errorf("the stream ended after %d of %d events", got, want)
	}
	return nil
}

func (l *load) count(what *int, name string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*what++
	if err != nil {
		l.failures = append(l.failures, time.Now().Format("15:04:05.000 ")+name+": "+err.Error())
	}
}

// end stops sending, waits for what is on its way, and returns what was counted.
func (l *load) end() traffic.Report {
	l.stop()
	l.others.Wait()
	return l.gets.Stop()
}

// wantNoneLost ends the load; no request may have failed.
func (l *load) wantNoneLost(t *testing.T) traffic.Report {
	t.Helper()
	r := l.end()
	if r.Failed > 0 || len(l.failures) > 0 {
		t.Errorf("%d of %d GETs failed: %s\nof %d POSTs and %d streams failed: %s",
			r.Failed, r.Sent, strings.Join(r.Failures, "\n  "), l.posts, l.streams, strings.Join(l.failures, "\n  "))
	}
	t.Logf("%d GETs, %d POSTs, %d streams, %d failed; half of the GETs took %v, 99 %% at most %v, the slowest %v",
		r.Sent, l.posts, l.streams, r.Failed+len(l.failures), r.P50, r.P99, r.Slowest)
	return r
}
