package images

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/fault"
)

func TestAConnectionCutInALayerLeavesNothingButAnUploadThatGoesOn(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	content := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	want, at := digestOf(content), s.startUpload("app")
	sent := len(content) / 2

	conn, err := net.Dial("tcp", s.host())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "PUT %s?digest=%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", at, want, s.host(), len(content))
	if _, err := conn.Write(content[:sent]); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	// The upload is busy until the server has seen the end of the connection, so this waits for it. It may also come
	// before the cut request has begun, so the chunk that follows says where it starts.
	arrived := s.waitForUpload(at, sent)
	s.want(s.do("HEAD", "/v2/app/blobs/"+string(want), nil), 404, "")
	rest := content[arrived:]
	span := fmt.Sprintf("%d-%d", arrived, len(content)-1)
	s.want(s.do("PUT", at+"?digest="+string(want), bytes.NewReader(rest), "Content-Range", span), 201, "")
	got := s.do("GET", "/v2/app/blobs/"+string(want), nil)
	if got.body != string(content) {
		t.Error("the blob is not what was sent")
	}
}

// waitForUpload asks until the bytes sent on another connection have arrived, and returns how many did.
func (s *testServer) waitForUpload(at string, sent int) int {
	s.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		var last int
		got := s.want(s.do("GET", at, nil), 204, "")
		if _, err := fmt.Sscanf(got.header.Get("Range"), "0-%d", &last); err != nil {
			s.Fatal(err)
		}
		if last+1 == sent {
			return sent
		}
		if time.Now().After(deadline) {
			s.Fatalf("%d of %d bytes arrived", last+1, sent)
		}
	}
}

func TestARestartFindsImagesTagsAndUnfinishedUploads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := serveDir(t, dir, Options{})
	manifest := before.small("team/app", "1")
	before.want(before.do("PUT", "/v2/team/app/manifests/1.0", bytes.NewReader(manifest)), 201, "")
	before.want(before.do("PUT", "/v2/team/app/manifests/latest", bytes.NewReader(manifest)), 201, "")
	at := before.startUpload("team/app")
	before.want(before.do("PATCH", at, strings.NewReader("first ")), 202, "")
	images, err := before.store.Images("team/app")
	if err != nil {
		t.Fatal(err)
	}
	before.http.Close() // nothing is flushed or closed: as good as kill -9

	after := serveDir(t, dir, Options{})
	again, err := after.store.Images("team/app")
	if diff := cmp.Diff(images, again); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if diff := cmp.Diff(before.store.Repositories(), after.store.Repositories()); diff != "" {
		t.Error(diff)
	}
	d := digestOf([]byte("first second"))
	after.want(after.do("PUT", at+"?digest="+string(d), strings.NewReader("second")), 201, "")
	after.want(after.do("GET", "/v2/team/app/blobs/"+string(d), nil), 200, "first second")
}

func TestWhatAKilledProcessLeftHalfDoneIsNotSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serveDir(t, dir, Options{})
	s.want(s.do("PUT", "/v2/app/manifests/1", bytes.NewReader(s.small("app", "1"))), 201, "")
	for _, path := range []string{
		filepath.Join(dir, "scratch", "write-x"),                // an index or manifest that was being written
		filepath.Join(dir, "scratch", "create-x", "oci-layout"), // a repository that was being created
		filepath.Join(dir, "scratch", "delete-x", "index.json"), // one that was being deleted
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.store.Repositories(), again.Repositories()); diff != "" {
		t.Error(diff)
	}
	var left []string
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(path, "-x") {
			left = append(left, path)
		}
		return err
	})
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestSweepTakesOnlyWhatNoImageNeedsAndNobodyTouched(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := serve(t, Options{Now: func() time.Time { return now }})
	manifest := s.small("app", "1")
	s.want(s.do("PUT", "/v2/app/manifests/1", bytes.NewReader(manifest)), 201, "")
	stray := s.blob("app", []byte("stray"))
	asked := s.blob("app", []byte("asked for"))
	at := s.startUpload("app")
	s.want(s.do("PATCH", at, strings.NewReader("some")), 202, "")

	now = now.Add(25 * time.Hour)
	s.want(s.do("HEAD", "/v2/app/blobs/"+string(asked), nil), 200, "")
	if err := s.store.Sweep(context.Background(), UnfinishedFor); err != nil {
		t.Fatal(err)
	}
	s.want(s.do("GET", "/v2/app/blobs/"+string(stray), nil), 404, "")
	s.want(s.do("GET", "/v2/app/blobs/"+string(asked), nil), 200, "asked for")
	s.want(s.do("GET", "/v2/app/blobs/"+string(digestOf([]byte("layer 1"))), nil), 200, "layer 1")
	s.want(s.do("GET", at, nil), 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestTamperedManifestIsReportedNotServed(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	manifest := s.small("app", "1")
	s.want(s.do("PUT", "/v2/app/manifests/1", bytes.NewReader(manifest)), 201, "")
	layout, err := s.store.Layout("app")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(layout, "blobs", "sha256", digestOf(manifest).hex())
	if err := os.WriteFile(path, bytes.ToUpper(manifest), 0o644); err != nil {
		t.Fatal(err)
	}
	s.want(s.do("GET", "/v2/app/manifests/1", nil), 500, "push it again")
	if _, _, err := s.store.Manifest("app", Reference{Tag: "1"}); fault.KindOf(err) != fault.Corrupt {
		t.Errorf("kind %s", fault.KindOf(err))
	}
}

// failing gives some bytes and then fails.
type failing struct{ io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestAReaderThatFailsLeavesWhatItGave(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, err := s.store.StartUpload("app")
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.store.Append(t.Context(), "app", id, 0, failing{strings.NewReader("abc")})
	if err == nil || n != 3 {
		t.Errorf("Append = %d, %v", n, err)
	}
	if err := s.store.Finish(t.Context(), "app", id, 3, strings.NewReader("def"), digestOf([]byte("abcdef"))); err != nil {
		t.Error(err)
	}
}
