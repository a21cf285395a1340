package images

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// testServer is a store and the registry it is served as.
type testServer struct {
	*testing.T
	store *Store
	dir   string
	http  *httptest.Server
}

func serve(t *testing.T, options Options) *testServer {
	t.Helper()
	return serveDir(t, t.TempDir(), options)
}

func serveDir(t *testing.T, dir string, options Options) *testServer {
	t.Helper()
	store, err := Open(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	s := &testServer{T: t, store: store, dir: dir, http: httptest.NewServer(Handler(store))}
	t.Cleanup(s.http.Close)
	return s
}

// host is the registry's name in image references.
func (s *testServer) host() string { return strings.TrimPrefix(s.http.URL, "http://") }

// ref returns the reference REGISTRY/rest.
func (s *testServer) ref(rest string) name.Reference {
	s.Helper()
	ref, err := name.ParseReference(s.host() + "/" + rest)
	if err != nil {
		s.Fatal(err)
	}
	return ref
}

// image returns a new image with OCI media types.
func (s *testServer) image(bytes, layers int64) v1.Image {
	s.Helper()
	img, err := random.Image(bytes, layers)
	if err != nil {
		s.Fatal(err)
	}
	return img
}

// push pushes with an outside client.
func (s *testServer) push(rest string, img remote.Taggable) {
	s.Helper()
	if err := remote.Push(s.ref(rest), img); err != nil {
		s.Fatal(err)
	}
}

// reply is what a raw request got.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends one raw request; headers come as name, value, name, value.
func (s *testServer) do(method, path string, body io.Reader, headers ...string) reply {
	s.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.http.URL+path, body)
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.http.Client().Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(content)}
}

// want checks a status, and that the body contains a text.
func (s *testServer) want(got reply, status int, text string) reply {
	s.Helper()
	if got.status != status || !strings.Contains(got.body, text) {
		s.Errorf("got %d %s, want %d with %q", got.status, got.body, status, text)
	}
	return got
}

// startUpload returns the path of a new upload.
func (s *testServer) startUpload(repository string) string {
	s.Helper()
	return s.want(s.do("POST", "/v2/"+repository+"/blobs/uploads/", nil), http.StatusAccepted, "").header.Get("Location")
}

// blob uploads content and returns its digest.
func (s *testServer) blob(repository string, content []byte) Digest {
	s.Helper()
	d := digestOf(content)
	s.want(s.do("POST", "/v2/"+repository+"/blobs/uploads/?digest="+string(d), bytes.NewReader(content)), http.StatusCreated, "")
	return d
}

// small returns an image manifest over a configuration and a layer, both uploaded.
func (s *testServer) small(repository, salt string) []byte {
	s.Helper()
	config, layer := s.blob(repository, []byte(`{"salt":"`+salt+`"}`)), s.blob(repository, []byte("layer "+salt))
	size := func(prefix int) string { return strconv.Itoa(prefix + len(salt)) }
	return []byte(`{"schemaVersion":2,"mediaType":"` + string(types.OCIManifestSchema1) + `",` +
		`"config":{"mediaType":"` + string(types.OCIConfigJSON) + `","digest":"` + string(config) + `","size":` + size(11) + `},` +
		`"layers":[{"mediaType":"` + string(types.OCILayer) + `","digest":"` + string(layer) + `","size":` + size(6) + `}]}`)
}
