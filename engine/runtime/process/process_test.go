//go:build linux

package process_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/process"
	"github.com/slipway-cd/slipway/engine/runtime/runtimetest"
)

func TestMain(m *testing.M) {
	process.Shim()
	if dir, image, ok := strings.Cut(os.Getenv(engineVariable), " "); ok {
		fmt.Fprintln(os.Stderr, engine(dir, image))
		os.Exit(1) //nolint:forbidigo // this is the main of an engine
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // or each supervisor waits for a second before it ends [race detector, options]
	os.Exit(m.Run())                             //nolint:forbidigo // what TestMain does
}

func open(t *testing.T, dir string, isolation process.Isolation) *process.Runtime {
	t.Helper()
	r, err := process.Open(t.Context(), dir, process.Options{Isolation: isolation})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestProcessIsARuntimeAtEveryLevelOfIsolation(t *testing.T) {
	t.Parallel()
	images := runtimetest.Publish(t)
	shared := t.TempDir()
	first := open(t, shared, "")
	granted := first.Isolation()
	if _, err := first.Pull(t.Context(), images.Program); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		level process.Isolation
		user  bool // in a user namespace, as for users other than root
	}{{"network", process.Network, false}, {"network without root", process.Network, true}, {"host", process.Host, false}, {"bare", process.Bare, false}} {
		if c.level == process.Network && granted != process.Network || c.level != process.Bare && granted == process.Bare {
			t.Logf("the kernel does not grant the level %q here", c.level)
			continue
		}
		suite := runtimetest.Suite{
			Images: images, Told: c.level != process.Network,
			Files:  c.level != process.Bare || os.Geteuid() == 0,
			Users:  c.level != process.Bare && os.Geteuid() == 0 && !c.user,
			Limits: process.Limits(),
			Mounts: c.level != process.Bare, Typed: true, Shared: c.level == process.Network,
			Place: func(t *testing.T) runtimetest.Open {
				dir := t.TempDir()
				if err := os.Symlink(filepath.Join(shared, "images"), filepath.Join(dir, "images")); err != nil { // unpacked once for all
					t.Fatal(err)
				}
				return func() runtime.Runtime {
					r := open(t, dir, c.level)
					if c.user {
						process.WithoutRoot(r)
					}
					return r
				}
			},
		}
		if c.level == process.Network {
			suite.Answer = answer
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			suite.Run(t)
		})
	}
}

func answer(t *testing.T, r runtime.Runtime, h http.Handler) string {
	t.Helper()
	l, err := r.(*process.Runtime).ListenMetadata()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	return "http://" + runtime.MetadataAddress.String()
}

func BenchmarkContainer(b *testing.B) {
	images := runtimetest.Publish(b)
	for _, level := range []process.Isolation{process.Network, process.Host, process.Bare} {
		b.Run(string(level), func(b *testing.B) {
			r, err := process.Open(b.Context(), b.TempDir(), process.Options{Isolation: level})
			if err != nil {
				b.Fatal(err)
			}
			runtimetest.Latency(b, r, images.Program)
		})
	}
}
