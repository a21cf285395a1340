package app

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Nobody can make the engine read without an end: bodies of requests have their largest size, in every protocol.
func TestTheBodiesThatTheEndpointReadsAreBounded(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{})
	const ecs, amz = "AmazonEC2ContainerServiceV20141113.", "application/x-amz-json-1.1"
	large := bytes.Repeat([]byte("x"), 33<<20)
	for name, tc := range map[string]struct {
		path   string
		header map[string]string
		body   io.Reader
		status int
	}{
		"JSON":                   {"/", map[string]string{"X-Amz-Target": ecs + "CreateCluster", "Content-Type": amz}, bytes.NewReader(large), 413},
		"JSON of unknown length": {"/", map[string]string{"X-Amz-Target": ecs + "CreateCluster", "Content-Type": amz}, io.MultiReader(bytes.NewReader(large)), 413},
		"a form":                 {"/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, bytes.NewReader(large), 413},
		"CBOR": {
			"/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
			map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"},
			bytes.NewReader(large), 413,
		},
		"a list": {
			"/",
			map[string]string{"X-Amz-Target": ecs + "DescribeServices", "Content-Type": amz},
			strings.NewReader(`{"services": [` + strings.Repeat(`"",`, 20_000) + `""]}`), 400,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, tc.path, tc.body)
			for k, v := range tc.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			e.server.Handler.ServeHTTP(w, r)
			if w.Code != tc.status {
				t.Errorf("got %d, want %d: %.200s", w.Code, tc.status, w.Body)
			}
		})
	}
}

// And so have their heads. The connection is one in memory: over the network the answer might be lost when it is closed.
func TestTheHeadsThatTheEndpointReadsAreBounded(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{})
	ours, theirs := net.Pipe()
	defer ours.Close()
	served := single{make(chan net.Conn, 1), e.listener.Addr()}
	served.conns <- theirs
	go func() { _ = e.server.Serve(served) }()
	go func() {
		_, _ = io.WriteString(ours, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("x", 2<<20)+"\r\n\r\n")
	}()
	answer, err := http.ReadResponse(bufio.NewReader(ours), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(answer.Status)
	}
}

// single is a listener with one connection.
type single struct {
	conns chan net.Conn
	at    net.Addr
}

// Accept returns the connection, once.
func (s single) Accept() (net.Conn, error) {
	if c, ok := <-s.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

// Close has Accept end.
func (s single) Close() error {
	close(s.conns)
	return nil
}

// Addr is that of another listener.
func (s single) Addr() net.Addr { return s.at }
