//go:build soak

package conformance

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/slipway-cd/slipway/app"
)

// dockerSpeed is how much faster than AWS the scenarios on Docker are: as fast as real containers allow when the machine
// has other things to do.
const dockerSpeed = 10

// dockerPatience is how long something is waited for that surely comes, be the machine as busy as it may.
const dockerPatience = 4 * time.Minute

// TestScenariosOnDocker plays the scenarios in which containers matter on real ones, over HTTP: the events are the same, in the
// same order, and so is the end.
func TestScenariosOnDocker(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("real containers take their time")
	}
	actor := sync.OnceValues(func() (v1.Image, error) { return actorImage(t.TempDir()) })
	t.Run("scenarios", func(t *testing.T) { // ends before the directory of the image is gone
		for _, s := range everyScenario(t) {
			if s.Docker {
				t.Run(s.name(), func(t *testing.T) {
					t.Parallel()
					image, err := actor()
					if err != nil {
						t.Fatal(err)
					}
					newDocked(t, s, image).play()
				})
			}
		}
	})
}

// docked is a scenario that is played on Docker.
type docked struct {
	*testing.T
	stage
	scenario *Scenario
	engine   *app.Engine
	seen     int // how many events there were at the latest step
}

func newDocked(t *testing.T, s *Scenario, image v1.Image) *docked {
	t.Helper()
	d := &docked{T: t, scenario: s}
	instances := 2
	if s.Instances != nil {
		instances = *s.Instances
	}
	e, err := app.NewEngine(t.Context(), app.EngineOptions{
		Listen: "127.0.0.1:0", Dir: t.TempDir(), Runtime: app.Docker, Speed: dockerSpeed, Instances: instances, Zones: s.Zones,
	})
	d.must(err)
	d.engine = e
	d.must(e.Start(t.Context()))
	transport := &http.Transport{}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), dockerPatience)
		defer cancel()
		transport.CloseIdleConnections()
		d.must(e.Clear(ctx))
		d.must(e.Stop(ctx))
	})
	ref, err := name.ParseReference(e.Addr() + "/actor:1")
	d.must(err)
	d.must(remote.Write(ref, image, remote.WithTransport(transport)))
	d.stage = stage{clients: newClients(e.Endpoint(), whole{transport}), names: newNames(), dress: d.dressed}
	d.must(d.setUp(t.Context(), s.Plan))
	return d
}

// dressed has the actor play a container.
func (d *docked) dressed(c *types.ContainerDefinition, script string) {
	c.Image = aws.String(d.engine.Addr() + "/actor:1")
	c.Environment = append(c.Environment,
		types.KeyValuePair{Name: aws.String("SCRIPT"), Value: &script},
		types.KeyValuePair{Name: aws.String("SPEED"), Value: aws.String(fmt.Sprint(dockerSpeed))})
	if c.HealthCheck != nil {
		c.HealthCheck.Command = []string{"CMD", "/actor", "check"}
	}
}

func (d *docked) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *docked) play() {
	d.Helper()
	for _, step := range d.scenario.Steps {
		d.await(step)
		d.must(d.call(d.Context(), step.Does, &step.With, d.names.fill))
		d.learn()
		d.seen = len(d.events())
	}
	want := d.scenario.events()
	var got []string
	var ends string
	d.until(func() bool {
		got = d.events()
		got = got[:min(len(got), len(want))]
		var err error
		ends, err = d.ends(d.Context())
		d.must(err)
		return slices.Equal(got, want) && ends == d.scenario.Ends
	})
	if diff := cmp.Diff(want, got); diff != "" {
		d.Errorf("%s: the events on Docker are not those of the scenario (-expected +happened):\n%s", d.scenario.Path, diff)
	}
	if diff := cmp.Diff(strings.Split(d.scenario.Ends, "\n"), strings.Split(ends, "\n")); diff != "" {
		d.Errorf("%s: on Docker it does not end so (-expected +happened):\n%s", d.scenario.Path, diff)
	}
}

// await waits for what a step waits for: an event. Times are for virtual time only, but for the beginning.
func (d *docked) await(s Step) {
	d.Helper()
	if s.At != nil {
		if *s.At != 0 {
			d.Fatalf("%s: a scenario that is played on Docker waits for events, not for %v", d.scenario.Path, *s.At)
		}
		return
	}
	found := d.until(func() bool {
		return slices.ContainsFunc(d.events()[d.seen:], func(e string) bool { return strings.Contains(e, s.When) })
	})
	if !found {
		d.Fatalf("%s: waited in vain for %q; events: %q", d.scenario.Path, s.When, d.events())
	}
	if s.After > 0 {
		<-time.After(s.After / dockerSpeed)
	}
}

// until looks again and again until something is so; false: it has not become so.
func (d *docked) until(so func() bool) bool {
	patience := time.NewTimer(dockerPatience)
	defer patience.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-patience.C:
			return false
		case <-tick.C:
		}
	}
	return true
}

// describe describes the service web; not ok before it is there.
func (d *docked) describe() (types.Service, bool) {
	out, err := d.ecs.DescribeServices(d.Context(), &ecs.DescribeServicesInput{Services: []string{"web"}})
	d.must(err)
	if len(out.Services) == 0 {
		return types.Service{}, false
	}
	return out.Services[0], true
}

// learn names the deployments in the order in which they were made.
func (d *docked) learn() {
	s, _ := d.describe()
	slices.Reverse(s.Deployments)
	for _, one := range s.Deployments {
		d.names.deployment(*one.Id)
	}
}

// events returns the service's events, oldest first. Names are given once, in their order.
func (d *docked) events() []string {
	s, _ := d.describe()
	slices.Reverse(s.Events)
	var list []string
	for _, e := range s.Events {
		list = append(list, d.names.text(*e.Message))
	}
	return list
}

// events are those that the scenario expects.
func (s *Scenario) events() []string {
	var list []string
	for l := range strings.Lines(s.Happens) {
		if _, text, ok := strings.Cut(l, "s  "+lineEvent+" "); ok {
			list = append(list, strings.TrimSpace(text))
		}
	}
	return list
}

// actorImage builds the program that plays scripts, and an image of it.
func actorImage(dir string) (v1.Image, error) {
	out := filepath.Join(dir, "actor")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, "./testdata/actor")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if b, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot build the actor: %w\n%s", err, b)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&tar.Header{Name: "actor", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	diff, err := layer.DiffID()
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, &v1.ConfigFile{
		Architecture: goruntime.GOARCH, OS: "linux", Config: v1.Config{Entrypoint: []string{"/actor"}},
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{diff}},
	})
}

// whole sends requests whose bodies are in memory. The SDK closes a body as soon as there is an answer; when net/http is still
// about to find out that there is no more of it, it takes that for an error and drops the connection, with the answer.
// [smithy-go 1.28, transport/http: safeWriteToReadCloser.WriteTo returns io.EOF]
type whole struct{ http.RoundTripper }

// RoundTrip sends a request.
func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return w.RoundTripper.RoundTrip(r)
}
