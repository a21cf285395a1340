package traffic

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestStreamCountsEveryAnswerByVersionAndEveryFailure(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch i := n.Add(1); {
		case i%10 == 0:
			http.Error(w, "no target", http.StatusServiceUnavailable)
		case i%2 == 0:
			w.Header().Set(VersionHeader, "2")
		default:
			w.Header().Set(VersionHeader, "1")
		}
	}))
	defer server.Close()
	enough := make(chan struct{})
	var seen atomic.Int64
	s := Start(t.Context(), Options{URL: server.URL, Rate: 500, OnAnswer: func(Answer) {
		if seen.Add(1) == 100 {
			close(enough)
		}
	}})
	<-enough
	r := s.Stop()
	if got := int64(r.Sent); got != n.Load() {
		t.Errorf("counted %d answers, the server gave %d", got, n.Load())
	}
	if r.Sent != r.Failed+r.Versions["1"]+r.Versions["2"] || r.Failed != r.Sent/10 {
		t.Errorf("the counts don't add up: %+v", r)
	}
	if len(r.Failures) == 0 || !strings.Contains(r.Failures[0], "503 Service Unavailable: no target") {
		t.Errorf("failures say %q", r.Failures)
	}
	if r.P50 > r.P99 || r.P99 > r.Slowest || r.P50 == 0 {
		t.Errorf("percentiles out of order: %v %v %v", r.P50, r.P99, r.Slowest)
	}
}

func TestStreamCountsARefusedConnectionAsFailed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	url := server.URL
	server.Close()
	failed := make(chan struct{}, 1)
	s := Start(t.Context(), Options{URL: url, Rate: 100, OnAnswer: func(a Answer) {
		if a.Err != nil {
			select {
			case failed <- struct{}{}:
			default:
			}
		}
	}})
	<-failed
	if r := s.Stop(); r.Failed != r.Sent || r.Failed == 0 {
		t.Errorf("got %+v", r)
	}
}
