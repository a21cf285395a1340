package build

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/slipway-cd/slipway/fault"
)

const hello = `package main

import (
	"fmt"
	"os"
)

var version = "none"

func main() {
	file, err := os.CreateTemp("", "x")
	fmt.Println("hello", version, os.Getuid(), os.Getenv("GREETING"), file != nil, err)
}
`

// module writes a module with one program, and returns its directory.
func module(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range map[string]string{
		"go.mod":            "module example.com/hello\n\ngo 1.24\n",
		"cmd/hello/main.go": source,
		"lib/lib.go":        "package lib\n",
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func options(dir string) GoOptions {
	return GoOptions{
		Dir: dir, Package: "./cmd/hello", Ldflags: "-X main.version=1.0.15.RELEASE", ExposedPorts: []string{"8080/tcp"},
		Env: []string{"GREETING=hi"},
		Labels: Labels{
			Title: "hello", Version: "1.0.15.RELEASE", Revision: "0a1b2c", Source: "https://example.com/hello",
			Created: time.Date(2026, 11, 21, 8, 0, 0, 5, time.FixedZone("", 3600)),
			Extra:   map[string]string{"team": "web"},
		},
	}
}

func mustBuild(t *testing.T, opts GoOptions) v1.Image {
	t.Helper()
	img, err := Go(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func digest(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestTheSameSourceGivesTheSameDigestInAnyDirectory(t *testing.T) {
	t.Parallel()
	first := mustBuild(t, options(module(t, hello)))
	if err := validate.Image(first); err != nil {
		t.Error(err)
	}
	if again := mustBuild(t, options(module(t, hello))); digest(t, again) != digest(t, first) {
		t.Errorf("built %s, then %s", digest(t, first), digest(t, again))
	}
	if other := mustBuild(t, options(module(t, strings.Replace(hello, "hello", "hallo", 1)))); digest(t, other) == digest(t, first) {
		t.Error("another source has the same digest")
	}
}

func TestTheImageSaysHowItIsRunAndWhereItComesFrom(t *testing.T) {
	t.Parallel()
	img := mustBuild(t, options(module(t, hello)))
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{
		Entrypoint: []string{"/app/hello"}, User: "65532:65532", WorkingDir: "/",
		Env:          []string{"PATH=/app", "GREETING=hi"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "hello",
			"org.opencontainers.image.version":  "1.0.15.RELEASE",
			"org.opencontainers.image.revision": "0a1b2c",
			"org.opencontainers.image.source":   "https://example.com/hello",
			"org.opencontainers.image.created":  "2026-11-21T07:00:00Z",
			"team":                              "web",
		},
	}
	if diff := cmp.Diff(want, file.Config); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if mt, err := img.MediaType(); err != nil || mt != types.OCIManifestSchema1 {
		t.Errorf("media type %s (%v)", mt, err)
	}
}

func TestTheLayerHasTheProgramAndAWritableTmpAndNothingElse(t *testing.T) {
	t.Parallel()
	opts := options(module(t, hello))
	if diff := cmp.Diff([]string{"app/ 755", "app/hello 755", "tmp/ 1777"}, files(t, mustBuild(t, opts))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	opts.CACertificates = true
	if got := files(t, mustBuild(t, opts)); !slices.Contains(got, "etc/ssl/certs/ca-certificates.crt 644") {
		t.Errorf("no certificates in %v", got)
	}
}

// files returns names and modes of the image's only layer, whose owners and times it checks.
func files(t *testing.T, img v1.Image) []string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers (%v)", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	var found []string
	for archive := tar.NewReader(content); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.ModTime.Unix() != 0 || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s has time %s and owner %d:%d", h.Name, h.ModTime, h.Uid, h.Gid)
		}
		found = append(found, h.Name+" "+strconv.FormatInt(h.Mode, 8))
	}
}

func TestAnIndexHasAnImageForEachPlatform(t *testing.T) {
	t.Parallel()
	index, err := GoIndex(t.Context(), options(module(t, hello)), v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"})
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		file, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.Platform.String()+" "+file.Architecture)
	}
	if diff := cmp.Diff([]string{"linux/amd64 amd64", "linux/arm64 arm64"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatDoesNotBuildIsExplainedInTheCompilersWords(t *testing.T) {
	t.Parallel()
	dir := module(t, "package main\n\nfunc main() { undefinedThing() }\n")
	for title, tc := range map[string]struct {
		opts   GoOptions
		kind   fault.Kind
		says   string
		silent bool
	}{
		"mistake in the source": {opts: GoOptions{Dir: dir, Package: "./cmd/hello"}, kind: fault.Invalid, says: "main.go:3:15: undefined: undefinedThing"},
		"no program":            {opts: GoOptions{Dir: dir, Package: "./lib"}, kind: fault.Invalid, says: "is no program", silent: true},
		"several packages":      {opts: GoOptions{Dir: dir, Package: "./..."}, kind: fault.Invalid, says: "2 packages", silent: true},
		"no such package":       {opts: GoOptions{Dir: dir, Package: "./cmd/other"}, kind: fault.Invalid, says: "cmd/other"},
		"a flag for a package":  {opts: GoOptions{Dir: dir, Package: "-toolexec=touch"}, kind: fault.Invalid, says: "-toolexec"},
		"no such directory":     {opts: GoOptions{Dir: filepath.Join(dir, "none")}, kind: fault.NotFound, says: "none", silent: true},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			var said bytes.Buffer
			tc.opts.Stderr = &said
			_, err := Go(t.Context(), tc.opts)
			if err == nil || fault.KindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: %v", fault.KindOf(err), err)
			}
			if (said.Len() == 0) != tc.silent {
				t.Errorf("streamed %q", said.String())
			}
		})
	}
}

func TestAStoppedBuildIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Go(ctx, options(module(t, hello))); fault.KindOf(err) != fault.Interrupted {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
}

func TestTheGoCommandWorksInADirectoryThatIsRemoved(t *testing.T) {
	t.Parallel()
	told, script := filepath.Join(t.TempDir(), "told"), filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf %s \"$GOTMPDIR\" > "+told+"\nexec \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	opts := options(module(t, hello))
	opts.BuildEnv = append(opts.BuildEnv, "GOFLAGS=-toolexec="+script)
	mustBuild(t, opts)
	dir, err := os.ReadFile(told)
	if err != nil || len(dir) == 0 {
		t.Fatalf("works in %q: %v", dir, err)
	}
	if _, err := os.Stat(string(dir)); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestDockerRunsTheImageAsNobody(t *testing.T) {
	t.Parallel()
	requireDocker(t)
	img := mustBuild(t, options(module(t, hello)))
	id, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("slipway-build-test:" + id.Hex[:12])
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := tarball.WriteToFile(archive, tag, img); err != nil {
		t.Fatal(err)
	}
	docker(t, "load", "--input", archive)
	t.Cleanup(func() {
		_ = exec.Command("docker", "image", "rm", "--force", id.String()).Run() // the test's context has ended
	})
	got := docker(t, "run", "--rm", "--network", "none", tag.String())
	if want := "hello 1.0.15.RELEASE 65532 hi true <nil>"; got != want {
		t.Errorf("the container printed %q, want %q", got, want)
	}
}

// requireDocker fails the test when no Docker Engine answers.
func requireDocker(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err != nil {
		t.Fatalf("this test needs a Docker Engine and the docker command; start one (`dockerd`) or set DOCKER_HOST: %v\n%s", err, out)
	}
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}
