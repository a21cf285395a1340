package objects

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzChunks: whatever is sent in chunks, no more comes out than went in; and what is well framed comes out as it was.
func FuzzChunks(f *testing.F) {
	for _, seed := range []string{
		"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5;chunk-signature=ab\r\nhello\r\n0;chunk-signature=cd\r\n\r\n", "-1\r\nx", "7fffffffffffffff\r\nx",
		"5\r\nhel", "zz\r\n", "5\nhello\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", strings.Repeat("0", 5000),
	} {
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, sent []byte, size uint8) {
		got, err := io.ReadAll(chunked(sent))
		if len(got) > len(sent) {
			t.Errorf("%d bytes came out of %d", len(got), len(sent))
		}
		if err == nil && !bytes.Contains(sent, []byte("0")) {
			t.Errorf("%q ends without a chunk of no bytes", sent)
		}
		var framed bytes.Buffer
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			fmt.Fprintf(&framed, "%x;chunk-signature=00\r\n%s\r\n", n, rest[:n])
			rest = rest[n:]
		}
		framed.WriteString("0;chunk-signature=00\r\n\r\n")
		if got, err := io.ReadAll(chunked(framed.Bytes())); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%q comes as %q: %v", sent, got, err)
		}
	})
}

func chunked(b []byte) io.Reader {
	r := httptest.NewRequest(http.MethodPut, "/b/k", bytes.NewReader(b))
	r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	r.Header.Set("X-Amz-Decoded-Content-Length", "1")
	if err := decode(r); err != nil {
		panic(err) // the headers are good
	}
	return r.Body
}

// FuzzRequest: whatever is asked of Amazon S3, the answer is not that something went wrong here, and nothing is written
// outside the store.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][4]string{
		{"PUT", "/bucket", "", ""},
		{"PUT", "/bucket/a/b", "", "content"},
		{"GET", "/bucket", "list-type=2&prefix=a&delimiter=/&max-keys=1", ""},
		{"GET", "/bucket/../../x", "", ""},
		{"PUT", "/../x/y", "", "z"},
		{"PUT", "/bucket/..%2f..%2fx", "", "z"},
		{"HEAD", "/", "", ""},
		{"POST", "/bucket", "delete", "<Delete><Object><Key>a</Key></Object></Delete>"},
		{"POST", "/bucket/k", "uploads", ""},
		{"PUT", "/bucket/k", "partNumber=1&uploadId=x", "z"},
		{"POST", "/bucket/k", "uploadId=1", "<CompleteMultipartUpload></CompleteMultipartUpload>"},
		{"GET", "/bucket", "max-keys=-1&marker=%00", ""},
		{"DELETE", "/bucket/k", "uploadId=../../x", ""},
		{"GET", "/b", "list-type=2&continuation-token=%ff", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], "", seed[3])
	}
	f.Add("GET", "/bucket/a", "", "bytes=0-18446744073709551615", "")
	f.Add("GET", "/bucket/a", "", "bytes=-0", "")
	outside := f.TempDir()
	dir := filepath.Join(outside, "deeper", "objects")
	store, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	handler := Handler(store, Options{})
	ask := func(method, path, query, span, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		r.Header.Set("Range", span)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	ask(http.MethodPut, "/bucket", "", "", "")
	ask(http.MethodPut, "/bucket/a", "", "", "content")
	f.Fuzz(func(t *testing.T, method, path, query, span, body string) {
		if !strings.HasPrefix(path, "/") {
			return // net/http has no such requests
		}
		w := ask(method, path, query, span, body)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusNotImplemented {
			t.Errorf("%s %q ? %q: %d %s", method, path, query, w.Code, w.Body)
		}
		onlyIn(t, outside, dir)
	})
}

// onlyIn reports what was written beside a directory.
func onlyIn(t *testing.T, outside, dir string) {
	t.Helper()
	err := filepath.WalkDir(outside, func(path string, entry fs.DirEntry, err error) error {
		if path == dir {
			return fs.SkipDir
		}
		if err == nil && !entry.IsDir() {
			t.Errorf("%s was written", path)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
}
