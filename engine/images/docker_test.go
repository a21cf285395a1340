package images

import (
	"archive/tar"
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// docker runs a command of the docker CLI and returns what it printed.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// requireDocker fails the test when no Docker Engine answers: without one, a third of the registry's clients is untested.
func requireDocker(t *testing.T) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput()
	if err != nil {
		t.Fatalf("this test needs a Docker Engine and the docker command; start one (`dockerd`) or set DOCKER_HOST: %v\n%s", err, out)
	}
}

// removeImage removes an image from the Docker Engine when the test ends.
func removeImage(t *testing.T, ref string) {
	t.Helper()
	t.Cleanup(func() {
		// It may be gone already, which is what is wanted.
		_ = exec.Command("docker", "image", "rm", "--force", ref).Run() // the test's context has ended
	})
}

// scratchImage returns an image FROM scratch with one file that nobody else's image has.
func scratchImage(t *testing.T) v1.Image {
	t.Helper()
	var layer bytes.Buffer
	archive := tar.NewWriter(&layer)
	content := []byte(t.Name() + newID())
	if err := archive.WriteHeader(&tar.Header{Name: "hello", Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer(layer.Bytes(), types.DockerUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	img, err = mutate.ConfigFile(img, config)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestDockerPushesAndPulls(t *testing.T) {
	t.Parallel()
	requireDocker(t)
	s := serve(t, Options{Immutable: func(_ Name, tag Tag) bool { return tag == "fixed" }})
	load := func(ref string) {
		t.Helper()
		img := scratchImage(t)
		id, err := img.ConfigName()
		if err != nil {
			t.Fatal(err)
		}
		tag, err := name.NewTag(ref)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "image.tar")
		if err := tarball.WriteToFile(file, tag, img); err != nil {
			t.Fatal(err)
		}
		docker(t, "load", "--input", file)
		removeImage(t, id.String())
	}
	ref := s.host() + "/team/app:1.0"
	load(ref)
	id := docker(t, "image", "inspect", "--format", "{{.Id}}", ref)
	out := docker(t, "push", ref)
	img, err := s.store.Image("team/app", Reference{Tag: "1.0"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "digest: "+string(img.Digest)) {
		t.Errorf("docker push printed %s, stored is %s", out, img.Digest)
	}

	docker(t, "image", "rm", ref)
	for _, pull := range []string{ref, s.host() + "/team/app@" + string(img.Digest)} {
		docker(t, "pull", pull)
		if got := docker(t, "image", "inspect", "--format", "{{.Id}}", pull); got != id {
			t.Errorf("pulled %s as %s, pushed %s", pull, got, id)
		}
	}

	// A push to another repository finds the layers by a mount.
	other := s.host() + "/other:1.0"
	docker(t, "tag", ref, other)
	if out := docker(t, "push", other); !strings.Contains(out, "Mounted from team/app") {
		t.Errorf("the layer was sent again: %s", out)
	}

	fixed := s.host() + "/team/app:fixed"
	for i := range 2 {
		load(fixed)
		out, err := exec.CommandContext(t.Context(), "docker", "push", fixed).CombinedOutput()
		if i == 1 && (err == nil || !strings.Contains(string(out), "cannot be overwritten because the tag is immutable")) {
			t.Errorf("docker push of another image under an immutable tag: %v\n%s", err, out)
		}
	}
}

func TestDockerPullsAnOCIIndex(t *testing.T) {
	t.Parallel()
	requireDocker(t)
	s := serve(t, Options{})
	img := mutate.ConfigMediaType(mutate.MediaType(scratchImage(t), types.OCIManifestSchema1), types.OCIConfigJSON)
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
		Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}},
	})
	if err := remote.WriteIndex(s.ref("app:1"), index); err != nil {
		t.Fatal(err)
	}
	ref := s.host() + "/app:1"
	removeImage(t, ref)
	docker(t, "pull", "--platform", "linux/amd64", ref)
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	if got := docker(t, "image", "inspect", "--format", "{{.Id}}", ref); got != config.String() {
		t.Errorf("pulled %s, want %s", got, config)
	}
}
