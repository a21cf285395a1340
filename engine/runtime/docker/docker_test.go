package docker_test

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/docker"
	"github.com/slipway-cd/slipway/engine/runtime/runtimetest"
	"github.com/slipway-cd/slipway/fault"
)

// open needs a Docker Engine.
func open(t *testing.T, scope string) *docker.Runtime {
	t.Helper()
	r, err := docker.Open(t.Context(), docker.Options{Scope: scope})
	if err != nil {
		t.Fatalf("this test needs a Docker Engine that answers: %v", err)
	}
	return r
}

func TestDockerIsARuntime(t *testing.T) {
	t.Parallel()
	images := runtimetest.Publish(t)
	t.Cleanup(func() { forget(t, images) })
	suite := runtimetest.Suite{
		Images: images, Limits: true, Files: true, Users: true, Mounts: true, Links: true, Typed: true, Shared: true,
		Answer: func(t *testing.T, r runtime.Runtime, h http.Handler) string {
			if err := r.(*docker.Runtime).MetadataNetwork(t.Context()); err != nil {
				t.Fatal(err)
			}
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", netip.AddrPortFrom(runtime.MetadataAddress, 0).String())
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewUnstartedServer(h)
			server.Listener = l
			server.Start()
			t.Cleanup(server.Close)
			return server.URL
		},
		Place: func(t *testing.T) runtimetest.Open {
			scope := strings.ToLower(rand.Text()[:8])
			return func() runtime.Runtime { return open(t, scope) }
		},
	}
	t.Run("rules", func(t *testing.T) { // ends before the images are forgotten
		t.Parallel()
		suite.Run(t)
	})
}

// forget removes the suite's images from Docker.
func forget(t testing.TB, images runtimetest.Images) {
	t.Helper()
	api, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	for _, ref := range []string{images.Program} {
		if _, err := api.ImageRemove(context.WithoutCancel(t.Context()), ref, client.ImageRemoveOptions{Force: true}); err != nil {
			t.Logf("cannot remove %s: %v", ref, err)
		}
	}
}

func TestAnImageThatSomebodyRemovedIsFetchedAgain(t *testing.T) {
	t.Parallel()
	images := runtimetest.Publish(t)
	t.Cleanup(func() { forget(t, images) })
	r := open(t, strings.ToLower(rand.Text()[:8]))
	t.Cleanup(func() { _ = r.Close() })
	img, err := r.Pull(t.Context(), images.Program)
	if err != nil {
		t.Fatal(err)
	}
	forget(t, images)
	spec := runtime.Spec{Name: runtime.Name("fetched-" + strings.ToLower(rand.Text()[:8])), Image: images.Program}
	if err := r.Create(t.Context(), spec); err != nil {
		t.Fatalf("image %s: %v", img.Digest, err)
	}
	if err := r.Remove(t.Context(), spec.Name); err != nil {
		t.Error(err)
	}
}

func TestClientSpeaksToDocker2010(t *testing.T) {
	t.Parallel()
	if versions.GreaterThan(client.MinAPIVersion, "1.41") {
		t.Errorf("the client wants API %s, but Docker 20.10 speaks 1.41", client.MinAPIVersion)
	}
}

func TestNoDockerIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := docker.Open(t.Context(), docker.Options{Host: "unix://" + filepath.Join(t.TempDir(), "docker.sock")})
	if fault.KindOf(err) != fault.Unavailable || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}

func BenchmarkContainer(b *testing.B) {
	r, err := docker.Open(b.Context(), docker.Options{Scope: "bench"})
	if err != nil {
		b.Fatalf("this benchmark needs a Docker Engine that answers: %v", err)
	}
	images := runtimetest.Publish(b)
	b.Cleanup(func() { forget(b, images) })
	runtimetest.Latency(b, r, images.Program)
}
