package images

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-cd/slipway/fault"
)

func TestABlobArrivesInChunks(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	at := s.startUpload("app")
	s.want(s.do("PATCH", at, strings.NewReader("hello "), "Content-Range", "0-5"), 202, "")
	got := s.want(s.do("PATCH", at, strings.NewReader("late"), "Content-Range", "9-12"), 416, "BLOB_UPLOAD_INVALID")
	if r := got.header.Get("Range"); r != "0-5" {
		t.Errorf("after a wrong chunk the client is told to go on from %q", r)
	}
	s.want(s.do("PATCH", at, strings.NewReader("x"), "Content-Range", "six-seven"), 416, "")
	got = s.want(s.do("GET", at, nil), 204, "")
	if r := got.header.Get("Range"); r != "0-5" {
		t.Errorf("Range %q", r)
	}
	d := digestOf([]byte("hello world"))
	s.want(s.do("PUT", at+"?digest="+string(d), strings.NewReader("world"), "Content-Range", "6-10"), 201, "")
	s.want(s.do("GET", "/v2/app/blobs/"+string(d), nil), 200, "hello world")
	s.want(s.do("GET", at, nil), 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestABlobIsServedInRanges(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	path := "/v2/app/blobs/" + string(s.blob("app", []byte("0123456789")))
	got := s.want(s.do("GET", path, nil, "Range", "bytes=2-4"), 206, "234")
	if r := got.header.Get("Content-Range"); r != "bytes 2-4/10" {
		t.Errorf("Content-Range %q", r)
	}
	s.want(s.do("GET", path, nil, "Range", "bytes=-3"), 206, "789")
	s.want(s.do("GET", path, nil, "Range", "bytes=20-"), 416, "")
	head := s.want(s.do("HEAD", path, nil), 200, "")
	if n := head.header.Get("Content-Length"); n != "10" {
		t.Errorf("Content-Length %q", n)
	}
}

func TestContentMustHaveItsDigest(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	at := s.startUpload("app")
	s.want(s.do("PUT", at+"?digest="+string(someDigest), strings.NewReader("other")), 400, "DIGEST_INVALID")
	s.want(s.do("HEAD", "/v2/app/blobs/"+string(someDigest), nil), 404, "")
	s.want(s.do("GET", at, nil), 404, "BLOB_UPLOAD_UNKNOWN")
	s.want(s.do("PUT", s.startUpload("app"), strings.NewReader("x")), 400, "DIGEST_INVALID")
	manifest := s.small("app", "1")
	s.want(s.do("PUT", "/v2/app/manifests/"+string(someDigest), bytes.NewReader(manifest)), 400, "DIGEST_INVALID")
}

func TestAManifestMustBeWholeAndOfItsKind(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	good := string(s.small("app", "1"))
	oci := string(types.OCIManifestSchema1)
	child := `{"mediaType":"` + oci + `","digest":"` + string(someDigest) + `","size":1}`
	for title, tc := range map[string]struct {
		body, mediaType, want string
	}{
		"no JSON":                   {"{", oci, "MANIFEST_INVALID"},
		"another media type":        {good, string(types.DockerManifestSchema2), "MANIFEST_INVALID"},
		"unknown media type":        {`{"schemaVersion":2,"config":{}}`, "text/plain", "MANIFEST_INVALID"},
		"no media type":             {`{"schemaVersion":2}`, "", "MANIFEST_INVALID"},
		"schema 1":                  {`{"schemaVersion":1}`, string(types.DockerManifestSchema1Signed), "MANIFEST_INVALID"},
		"no config":                 {`{"schemaVersion":2,"layers":[]}`, oci, "MANIFEST_INVALID"},
		"schemaVersion 3":           {strings.Replace(good, `n":2`, `n":3`, 1), oci, "MANIFEST_INVALID"},
		"wrong size":                {strings.Replace(good, `"size":7`, `"size":8`, 1), oci, "MANIFEST_INVALID"},
		"a layer that isn't there":  {strings.Replace(good, `"layers":[`, `"layers":[`+child+`,`, 1), oci, "MANIFEST_BLOB_UNKNOWN"},
		"a path for a digest":       {strings.Replace(good, `"digest":"sha256:`, `"digest":"sha256:../`, 1), oci, "MANIFEST_INVALID"},
		"image and index in one":    {strings.Replace(good, `"layers"`, `"manifests":[],"layers"`, 1), oci, "MANIFEST_INVALID"},
		"an image that isn't there": {`{"schemaVersion":2,"manifests":[` + child + `]}`, string(types.OCIImageIndex), "MANIFEST_BLOB_UNKNOWN"},
		"nothing":                   {"", oci, "MANIFEST_INVALID"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			got := s.do("PUT", "/v2/app/manifests/bad", strings.NewReader(tc.body), "Content-Type", tc.mediaType)
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, tc.want) {
				t.Errorf("got %d %s, want %s", got.status, got.body, tc.want)
			}
		})
	}
	s.want(s.do("PUT", "/v2/app/manifests/1", strings.NewReader(strings.Repeat(" ", LargestManifest+1))), 413, "SIZE_INVALID")
	s.want(s.do("PUT", "/v2/app/manifests/.x", strings.NewReader(good)), 400, "TAG_INVALID")
	s.want(s.do("PUT", "/v2/app/manifests/1", strings.NewReader(good)), 201, "")
	got := s.want(s.do("GET", "/v2/app/manifests/1", nil), 200, good)
	if ct := got.header.Get("Content-Type"); ct != oci {
		t.Errorf("Content-Type %q", ct)
	}
}

func TestAnImmutableTagNeverNamesAnotherImage(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{Immutable: func(_ Name, tag Tag) bool { return tag != "latest" }})
	first, second := s.small("app", "1"), s.small("app", "2")
	for _, tag := range []string{"1.0", "latest"} {
		s.want(s.do("PUT", "/v2/app/manifests/"+tag, bytes.NewReader(first)), 201, "")
	}
	s.want(s.do("PUT", "/v2/app/manifests/1.0", bytes.NewReader(first)), 201, "")
	s.want(s.do("PUT", "/v2/app/manifests/latest", bytes.NewReader(second)), 201, "")
	got := s.want(s.do("PUT", "/v2/app/manifests/1.0", bytes.NewReader(second)), 400, "TAG_INVALID")
	if !strings.Contains(got.body, "The image tag '1.0' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.") {
		t.Errorf("the client isn't told why: %s", got.body)
	}
	_, err := s.store.PutManifest("app", Reference{Tag: "1.0"}, "", second)
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("kind %s of %v", fault.KindOf(err), err)
	}
}

func TestTheOwnerDecidesWhetherAPushCreatesARepository(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{CreateOnPush: func(n Name) error {
		return fault.New(fault.NotFound, "the repository with name '%s' does not exist", n)
	}})
	s.want(s.do("POST", "/v2/app/blobs/uploads/", nil), 404, "NAME_UNKNOWN")
	if _, err := s.store.Create("app"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Create("app"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("created twice: %v", err)
	}
	if _, err := s.store.Create("../app"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("created outside: %v", err)
	}
	s.blob("app", []byte("x"))
	if err := s.store.Delete("app"); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Delete("app"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestWhatIsNotThereIsAnsweredWithItsCode(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	if _, err := s.store.Create("app"); err != nil {
		t.Fatal(err)
	}
	upload := "/v2/app/blobs/uploads/" + strings.Repeat("0", 32)
	for _, tc := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/v2/none/tags/list", 404, "NAME_UNKNOWN"},
		{"GET", "/v2/none/manifests/1", 404, "NAME_UNKNOWN"},
		{"GET", "/v2/none/referrers/" + string(someDigest), 404, "NAME_UNKNOWN"},
		{"GET", "/v2/app/manifests/1", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/app/manifests/.x", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/app/manifests/" + string(someDigest), 404, "MANIFEST_UNKNOWN"},
		{"DELETE", "/v2/app/manifests/1", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/app/blobs/" + string(someDigest), 404, "BLOB_UNKNOWN"},
		{"DELETE", "/v2/app/blobs/" + string(someDigest), 404, "BLOB_UNKNOWN"},
		{"GET", upload, 404, "BLOB_UPLOAD_UNKNOWN"},
		{"PATCH", upload, 404, "BLOB_UPLOAD_UNKNOWN"},
		{"DELETE", upload, 404, "BLOB_UPLOAD_UNKNOWN"},
		{"GET", "/v2/app/tags/list", 200, `"tags":[]`},
		{"GET", "/v2/app/other/1", 404, "NOT_FOUND"},
		{"POST", "/v2/app/manifests/1", 405, "UNSUPPORTED"},
		{"GET", "/v2/app/../../manifests/1", 400, "NAME_INVALID"},
		{"GET", "/v2/app/%2e%2e/manifests/1", 400, "NAME_INVALID"},
		{"GET", "/v2/app/blobs/sha256:..%2f..%2findex.json", 404, "NOT_FOUND"},
	} {
		s.want(s.do(tc.method, tc.path, nil), tc.status, tc.code)
	}
}

func TestABlobThatAnImageNeedsIsNotDeleted(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	manifest := s.small("app", "1")
	layer := digestOf([]byte("layer 1"))
	s.want(s.do("PUT", "/v2/app/manifests/1", bytes.NewReader(manifest)), 201, "")
	s.want(s.do("DELETE", "/v2/app/blobs/"+string(layer), nil), 409, "DENIED")
	s.want(s.do("DELETE", "/v2/app/blobs/"+string(digestOf(manifest)), nil), 409, "DENIED")
	s.want(s.do("DELETE", "/v2/app/manifests/"+string(digestOf(manifest)), nil), 202, "")
	s.want(s.do("DELETE", "/v2/app/blobs/"+string(layer), nil), 202, "")
	s.want(s.do("HEAD", "/v2/app/blobs/"+string(layer), nil), 404, "")
}
