// Package wiretap stands between a client and an endpoint, and notes what is asked.
package wiretap

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

// Tap is a server in front of an endpoint.
type Tap struct {
	*httptest.Server

	mu    sync.Mutex
	calls Calls
	order []string
}

// New returns a tap in front of the endpoint at a URL. Close it at the end.
func New(endpoint string) (*Tap, error) {
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	c := &Tap{calls: Calls{}}
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
		c.order = append(c.order, name)
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

// Take returns what has been asked since the last time.
func (c *Tap) Take() Calls {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.calls
	c.calls, c.order = Calls{}, nil
	return taken
}

// Order returns the operations that have been asked for since the last Take, in their order.
func (c *Tap) Order() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.order)
}

// Calls are numbers of requests by operation.
type Calls map[string]int

// Total returns the number of all requests.
func (c Calls) Total() int {
	n := 0
	for _, of := range c {
		n += of
	}
	return n
}

// String lists the operations, the most frequent first.
func (c Calls) String() string {
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
