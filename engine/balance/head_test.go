package balance

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOrdinaryRequestsAreToldFromOthers(t *testing.T) {
	t.Parallel()
	const line, host = "GET / HTTP/1.1\r\n", "Host: a\r\n"
	for name, tc := range map[string]struct {
		text string
		want scanned
	}{
		"ordinary":                     {line + host + "\r\n", whole},
		"with a body":                  {"POST /x?y=%zz HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc", whole},
		"kept alive":                   {line + host + "Connection: Keep-Alive\r\n\r\n", whole},
		"the last one":                 {line + host + "Connection: close\r\n\r\n", whole},
		"not whole":                    {line + host, more},
		"nothing":                      {"", more},
		"no host":                      {line + "\r\n", odd},
		"two hosts":                    {line + host + host + "\r\n", odd},
		"strange host":                 {line + "Host: a/b\r\n\r\n", odd},
		"HTTP/1.0":                     {"GET / HTTP/1.0\r\n" + host + "\r\n", odd},
		"HTTP/2":                       {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", odd},
		"absolute target":              {"GET http://a/ HTTP/1.1\r\n" + host + "\r\n", odd},
		"asterisk":                     {"OPTIONS * HTTP/1.1\r\n" + host + "\r\n", odd},
		"CONNECT":                      {"CONNECT a:1 HTTP/1.1\r\n" + host + "\r\n", odd},
		"broken escape in the path":    {"GET /%zz HTTP/1.1\r\n" + host + "\r\n", odd},
		"fragment":                     {"GET /#a HTTP/1.1\r\n" + host + "\r\n", odd},
		"two blanks":                   {"GET  / HTTP/1.1\r\n" + host + "\r\n", odd},
		"in chunks":                    {line + host + "Transfer-Encoding: chunked\r\n\r\n", odd},
		"two lengths":                  {line + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", odd},
		"length with a sign":           {line + host + "Content-Length: +1\r\n\r\n", odd},
		"length that is a list":        {line + host + "Content-Length: 1, 1\r\n\r\n", odd},
		"upgrade":                      {line + host + "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", odd},
		"names in Connection":          {line + host + "Connection: x\r\nX: 1\r\n\r\n", odd},
		"expects":                      {line + host + "Expect: 100-continue\r\n\r\n", odd},
		"wants trailers":               {line + host + "TE: trailers\r\n\r\n", odd},
		"blank before the colon":       {line + host + "X : 1\r\n\r\n", odd},
		"folded":                       {line + host + "X: 1\r\n 2\r\n\r\n", odd},
		"no colon":                     {line + host + "X\r\n\r\n", odd},
		"control character":            {line + host + "X: \x01\r\n\r\n", odd},
		"line feed alone":              {line + host + "X: 1\nY: 2\r\n\r\n", odd},
		"carriage return alone":        {line + host + "X: 1\rY: 2\r\n\r\n", odd},
		"empty line first":             {"\r\n" + line + host + "\r\n", odd},
		"more fields than are usual":   {line + host + strings.Repeat("X: 1\r\n", maxFields) + "\r\n", odd},
		"the head ends in another one": {line + "\r\n" + line + host + "\r\n", odd},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := new(ask).scan([]byte(tc.text)); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

// Whatever the front takes for an ordinary request, net/http must take for the same one: else it could be smuggled past.
func FuzzAsk(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a?b HTTP/1.1\r\nhost: a:1\r\nContent-Length: 2\r\nX-Y:  z \r\n\r\nab",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var a ask
		if a.scan(b) != whole {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			t.Fatalf("%q is taken, net/http says: %v", b, err)
		}
		length := r.ContentLength
		got := fmt.Sprint(string(a.method), string(a.target), string(a.host), a.length, a.last)
		if want := fmt.Sprint(r.Method, r.RequestURI, r.Host, length, r.Close); got != want {
			t.Fatalf("%q is %s, for net/http %s", b, got, want)
		}
		fields := http.Header{}
		for _, f := range a.fields {
			if !f.is("host") {
				fields.Add(string(f.name), string(f.value))
			}
		}
		if diff := cmp.Diff(r.Header, fields); diff != "" {
			t.Fatalf("%q, net/http and we: %s", b, diff)
		}
	})
}

// The same for answers.
func FuzzReply(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.0 404 Not Found\r\n\r\n", "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r reply
		if r.scan(b) != whole {
			return
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
		if err != nil {
			t.Fatalf("%q is taken, net/http says: %v", b, err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != r.code {
			t.Fatalf("%q is %d, for net/http %d", b, r.code, resp.StatusCode)
		}
		if r.bare([]byte("GET")) {
			return
		}
		if chunked := len(resp.TransferEncoding) > 0; chunked != r.chunked || !chunked && resp.ContentLength != r.length {
			t.Fatalf("%q: %d bytes, in chunks %v; for net/http %d, %v", b, r.length, r.chunked, resp.ContentLength, resp.TransferEncoding)
		}
	})
}

func TestChunksEndWhereTheyEnd(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		rest int // bytes after the end; -1: it is not there
		bad  bool
	}{
		"none":                 {"0\r\n\r\n", 0, false},
		"two":                  {"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 0, false},
		"with a trailer":       {"0\r\nX: 1\r\nY: 2\r\n\r\nHTTP", 4, false},
		"not whole":            {"3\r\nab", -1, false},
		"without its last one": {"3\r\nabc\r\n", -1, false},
		"no size":              {"\r\nabc", 0, true},
		"no digit":             {"3x\r\nabc", 0, true},
		"longer than it says":  {"3\r\nabcd\r\n", 0, true},
		"line feed alone":      {"3\nabc\r\n", 0, true},
		"too large":            {"fffffffffffffffff\r\n", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, step := range []int{1, 2, 1000} { // however it arrives
				var c chunks
				var err error
				rest := []byte(tc.text)
				for c.at != atEnd && err == nil && len(rest) > 0 {
					var n int
					n, err = c.follow(rest[:min(step, len(rest))])
					rest = rest[n:]
				}
				switch {
				case (err != nil) != tc.bad:
					t.Errorf("in steps of %d: %v", step, err)
				case !tc.bad && (c.at == atEnd) != (tc.rest >= 0), !tc.bad && tc.rest >= 0 && len(rest) != tc.rest:
					t.Errorf("in steps of %d: ends %v, %q is left", step, c.at == atEnd, rest)
				}
			}
		})
	}
}

func FuzzChunks(f *testing.F) {
	f.Add([]byte("3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte("1;a\r\nb\r\n0\r\nX: y\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c chunks
		n, err := c.follow(b)
		if err != nil || c.at != atEnd {
			return
		}
		if _, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(b[:n]))); err != nil {
			t.Fatalf("%q is taken, net/http says: %v", b[:n], err)
		}
	})
}
