// Package traffic sends a steady stream of requests to a service and counts every answer, by version.
package traffic

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// VersionHeader is where a service says which version answered.
const VersionHeader = "X-Version"

// Options say what is sent where.
type Options struct {
	URL     string
	Rate    int           // requests a second
	Timeout time.Duration // of one request; 10 s when zero
	// OnAnswer, when set, is told of every answer as it is counted; it must not block.
	OnAnswer func(Answer)
}

// Answer is what became of one request.
type Answer struct {
	At      time.Time
	Took    time.Duration
	Version string // of the service that answered
	Err     error  // it failed: no answer, or a status that is not 2xx
}

// Report counts the answers of a stream.
type Report struct {
	Sent     int            `json:"sent"`     // requests
	Failed   int            `json:"failed"`   // of them: no answer, or a status that is not 2xx
	Versions map[string]int `json:"versions"` // answers that did not fail, by version
	Failures []string       `json:"failures"` // what the first ten failures were
	P50      time.Duration  `json:"p50"`      // half of the answers took at most so long
	P99      time.Duration  `json:"p99"`      // 99 % of them
	Slowest  time.Duration  `json:"slowest"`  // all of them
}

// Stream is traffic that flows until it is stopped.
type Stream struct {
	options Options
	client  *http.Client
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu     sync.Mutex
	report Report
	took   []time.Duration
}

const failuresKept = 10

// Start begins to send. Requests are sent when they are due, however slow the answers are, as real users do.
func Start(ctx context.Context, o Options) *Stream {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}
	s := &Stream{
		options: o, stop: cancel,
		client: &http.Client{Transport: transport, Timeout: o.Timeout},
		report: Report{Versions: map[string]int{}},
	}
	s.done.Go(func() { s.send(ctx) })
	return s
}

func (s *Stream) send(ctx context.Context) {
	every := time.Second / time.Duration(max(s.options.Rate, 1))
	tick := time.NewTicker(every)
	defer tick.Stop()
	for begun, sent := time.Now(), 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A ticker skips ticks on a machine that is busy: what is due by now is sent now.
		for ; time.Duration(sent+1)*every <= time.Since(begun); sent++ {
			// An answer that is on its way when the stream is stopped still counts.
			s.done.Go(func() { s.count(s.ask(context.WithoutCancel(ctx))) })
		}
	}
}

func (s *Stream) ask(ctx context.Context) Answer {
	a := Answer{At: time.Now()}
	a.Version, a.Err = s.request(ctx)
	a.Took = time.Since(a.At)
	return a
}

func (s *Stream) request(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.options.URL, http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return "", fmt.Errorf("the answer broke off: %w", err)
	case resp.StatusCode/100 != 2:
		return "", fmt.Errorf("status %s: %.200s", resp.Status, body)
	}
	return resp.Header.Get(VersionHeader), nil
}

func (s *Stream) count(a Answer) {
	s.mu.Lock()
	s.report.Sent++
	if a.Err != nil {
		s.report.Failed++
		if len(s.report.Failures) < failuresKept {
			s.report.Failures = append(s.report.Failures, a.At.Format(time.RFC3339Nano)+" "+a.Err.Error())
		}
	} else {
		s.report.Versions[a.Version]++
	}
	s.took = append(s.took, a.Took)
	s.mu.Unlock()
	if s.options.OnAnswer != nil {
		s.options.OnAnswer(a)
	}
}

// Report returns what has been counted so far.
func (s *Stream) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.report
	r.Versions, r.Failures = maps.Clone(r.Versions), slices.Clone(r.Failures)
	sorted := slices.Sorted(slices.Values(s.took))
	if n := len(sorted); n > 0 {
		r.P50, r.P99, r.Slowest = sorted[n/2], sorted[n*99/100], sorted[n-1]
	}
	return r
}

// Stop sends nothing more, waits for the answers that are on their way, and returns the count.
func (s *Stream) Stop() Report {
	s.stop()
	s.done.Wait()
	s.client.CloseIdleConnections()
	return s.Report()
}
