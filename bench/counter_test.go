package bench

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// counter stands in front of an endpoint and counts what passes, by operation.
type counter struct {
	*httptest.Server
	mu    sync.Mutex
	calls map[string]int
}

func newCounter(endpoint string) (*counter, error) {
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	c := &counter{calls: map[string]int{}}
	forward := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host },
		ErrorLog: log.New(io.Discard, "", 0), // a client that leaves in the middle of an answer is no news
	}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := operation(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		c.calls[name]++
		c.mu.Unlock()
		forward.ServeHTTP(w, r)
	}))
	return c, nil
}

// operation returns what a request asks for: in a header with AWS's JSON protocol, in the body with its Query protocol.
func operation(r *http.Request) (string, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:], nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
		return form.Get("Action"), nil
	}
	return r.Method + " " + r.URL.Path, nil
}

// take returns what has been counted since the last time.
func (c *counter) take() calls {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.calls
	c.calls = map[string]int{}
	return taken
}

// calls are numbers of requests by operation.
type calls map[string]int

func (c calls) total() int {
	n := 0
	for _, of := range c {
		n += of
	}
	return n
}

// String lists the operations, the most frequent first.
func (c calls) String() string {
	names := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		if c[a] != c[b] {
			return c[b] - c[a]
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s %d", name, c[name])
	}
	return strings.Join(parts, ", ")
}
