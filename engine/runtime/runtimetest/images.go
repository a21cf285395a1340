package runtimetest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Images are the references that the suite asks a runtime for.
type Images struct {
	Program string // does what its arguments say; entry point /program, working directory /work, NAME=image, user root
	Digest  string // the digest of Program's manifest
	ByHash  string // Program, by digest
	Foreign string // an index with nothing for this machine
	Missing string // a tag that the registry doesn't have
	Denied  string // a repository that the registry gives nobody
	Down    string // in a registry that doesn't answer
}

// Publish builds the suite's images and serves them on 127.0.0.1 until the test ends.
func Publish(t testing.TB) Images {
	t.Helper()
	program := compile(t)
	server := httptest.NewServer(denying(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")

	img := programImage(t, program, goruntime.GOARCH)
	digest, err := img.Digest()
	must(t, err)
	images := Images{
		Program: host + "/slipway/program:1.0.0",
		Digest:  digest.String(),
		ByHash:  host + "/slipway/program@" + digest.String(),
		Foreign: host + "/slipway/foreign:1.0.0",
		Missing: host + "/slipway/program:9.9.9",
		Denied:  host + "/denied/program:1.0.0",
		Down:    unusedAddress(t) + "/slipway/program:1.0.0",
	}
	must(t, remote.Write(reference(t, images.Program), img))
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add:        programImage(t, program, "s390x"),
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}},
	})
	must(t, remote.WriteIndex(reference(t, images.Foreign), index))
	return images
}

// denying refuses everything under denied/.
func denying(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v2/denied/") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func compile(t testing.TB) []byte {
	t.Helper()
	_, here, _, _ := goruntime.Caller(0)
	out := filepath.Join(t.TempDir(), "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./testdata/program")
	cmd.Dir = filepath.Dir(here)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the test program: %v\n%s", err, b)
	}
	program, err := os.ReadFile(out)
	must(t, err)
	return program
}

func programImage(t testing.TB, program []byte, architecture string) v1.Image {
	t.Helper()
	base := layer(t, []tar.Header{
		{Name: "program", Mode: 0o755, Size: int64(len(program))},
		{Name: "work/", Mode: 0o755, Typeflag: tar.TypeDir},
		{Name: "tmp/", Mode: 0o1777, Typeflag: tar.TypeDir},
		{Name: "etc/", Mode: 0o755, Typeflag: tar.TypeDir},
		{Name: "etc/passwd", Mode: 0o644, Size: int64(len(passwd))},
		{Name: "etc/group", Mode: 0o644, Size: int64(len(group))},
		{Name: "etc/removed", Mode: 0o644, Size: int64(len(passwd))},
	}, map[string][]byte{"program": program, "etc/passwd": []byte(passwd), "etc/group": []byte(group), "etc/removed": []byte(passwd)})
	top := layer(t, []tar.Header{{Name: "etc/.wh.removed", Mode: 0o644}}, nil)
	img, err := mutate.AppendLayers(empty.Image, base, top)
	must(t, err)
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		Architecture: architecture, OS: "linux",
		Config: v1.Config{Entrypoint: []string{"/program"}, Cmd: []string{"print", "default", "exit", "0"}, WorkingDir: "/work", Env: []string{"NAME=image", "PATH=/"}},
		RootFS: v1.RootFS{Type: "layers", DiffIDs: diffIDs(t, base, top)},
	})
	must(t, err)
	return img
}

const (
	passwd = "root:x:0:0:root:/:/program\nservice:x:1234:2345::/work:/program\n"
	group  = "root:x:0:\nservice:x:2345:\n"
)

func diffIDs(t testing.TB, layers ...v1.Layer) []v1.Hash {
	t.Helper()
	var ids []v1.Hash
	for _, l := range layers {
		id, err := l.DiffID()
		must(t, err)
		ids = append(ids, id)
	}
	return ids
}

func layer(t testing.TB, headers []tar.Header, content map[string][]byte) v1.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range headers {
		must(t, w.WriteHeader(&h))
		_, err := w.Write(content[h.Name])
		must(t, err)
	}
	must(t, w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	must(t, err)
	return l
}

func reference(t testing.TB, ref string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(ref)
	must(t, err)
	return r
}

func unusedAddress(t testing.TB) string {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
