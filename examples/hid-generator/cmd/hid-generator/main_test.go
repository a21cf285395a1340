package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func must(t *testing.T, pairs ...string) settings {
	t.Helper()
	s, err := newSettings(env(pairs...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(t *testing.T, h http.Handler, path string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnswersCarryTheVersion(t *testing.T) {
	t.Parallel()
	h := newHandler(must(t, "VERSION", "1.0.15.RELEASE"), nil)
	r := get(t, h, "/")
	var answer struct{ HID, Version string }
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[a-z]+-[a-z]+-\d{4}$`).MatchString(answer.HID) || answer.Version != "1.0.15.RELEASE" {
		t.Errorf("got %+v", answer)
	}
	if got := r.Header.Get("X-Version"); got != "1.0.15.RELEASE" {
		t.Errorf("X-Version: %q", got)
	}
	if got := body(t, get(t, h, "/healthz")); got != "1.0.15.RELEASE\n" {
		t.Errorf("/healthz: %q", got)
	}
}

func TestABrokenVersionFailsItsHealthCheckOnly(t *testing.T) {
	t.Parallel()
	h := newHandler(must(t, "HID_FAIL_HEALTH", "503"), nil)
	if got := get(t, h, "/healthz").StatusCode; got != 503 {
		t.Errorf("/healthz answers %d", got)
	}
	if got := get(t, h, "/").StatusCode; got != 200 {
		t.Errorf("/ answers %d", got)
	}
}

func TestATextGetsAnIdentifier(t *testing.T) {
	t.Parallel()
	h := newHandler(must(t), nil)
	for body, want := range map[string]int{"a text": 201, "": 201, strings.Repeat("x", longestText+1): 400} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body)))
		if w.Code != want || want == 201 && !strings.Contains(w.Body.String(), fmt.Sprintf(`"bytes":%d,`, len(body))) {
			t.Errorf("%d bytes: status %d: %s", len(body), w.Code, w.Body)
		}
	}
}

func TestStreamSendsEachChunkAtOnce(t *testing.T) {
	t.Parallel()
	h := newHandler(must(t), nil)
	r := get(t, h, "/stream?count=3&interval=1ms")
	if got := strings.Count(body(t, r), "data: "); got != 3 || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d chunks of %s", got, r.Header.Get("Content-Type"))
	}
	for _, path := range []string{"/stream?count=0", "/stream?count=x", "/stream?interval=1h"} {
		if got := get(t, h, path).StatusCode; got != 400 {
			t.Errorf("%s answers %d", path, got)
		}
	}
}

func TestSettingsThatMakeNoSenseAreAllReported(t *testing.T) {
	t.Parallel()
	_, err := newSettings(env("HID_FAIL_HEALTH", "9", "HID_CRASH", "x", "HID_SLOW_START", "y"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v", err)
	}
}

func TestACrashingVersionEndsWithItsExitCode(t *testing.T) {
	t.Parallel()
	s := must(t, "HID_CRASH", "42", "HID_CRASH_AFTER", "1ms", "HOST", "127.0.0.1", "PORT", "0")
	var c crashed
	if err := run(t.Context(), s); !errors.As(err, &c) || c != 42 {
		t.Errorf("got %v", err)
	}
}

// serving starts the service on a port of its own. The channel gives what serve returned after stop.
func serving(t *testing.T, s settings) (url string, stop func(), done <-chan error) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, s) }()
	return "http://" + listener.Addr().String(), cancel, ended
}

func request(t *testing.T, url string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return http.DefaultClient.Do(r)
}

func TestStoppingAnswersWhatIsInFlightAndServesForAWhile(t *testing.T) {
	t.Parallel()
	url, stop, done := serving(t, must(t, "HID_LINGER", "200ms", "HID_DRAIN", "10s"))
	streaming, err := request(t, url+"/stream?count=8&interval=50ms")
	if err != nil {
		t.Fatal(err)
	}
	stop()
	deadline := time.Now().Add(5 * time.Second)
	for { // the service hears of it in its own time; then it asks for connections to be closed
		r, err := request(t, url+"/")
		if err != nil {
			t.Fatalf("a request was lost while the service was stopping: %v", err)
		}
		_ = body(t, r)
		if r.Close {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the service never asked for connections to be closed")
		}
	}
	if got := strings.Count(body(t, streaming), "data: "); got != 8 {
		t.Errorf("the stream was cut off after %d of 8 chunks", got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
