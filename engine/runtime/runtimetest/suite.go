// Package runtimetest holds the tests that every runtime must pass.
package runtimetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// ScriptLabel is the Docker label by which the suite tells a runtime that runs no programs what to pretend.
const ScriptLabel = "slipway.script"

// Open opens the runtime under test where it was opened before, as an engine does that was killed and started again.
type Open func() runtime.Runtime

// Suite is what a runtime is tested with.
type Suite struct {
	Place  func(t *testing.T) Open // a place of its own for one test
	Images Images
	Told   bool // programs are told by HOST and PORT where to listen
	Limits bool // memory limits are enforced
	Files  bool // each container has a root directory of its own
	Users  bool // programs run as the user whom the image or the definition names
	Mounts bool // containers can have volumes
	Links  bool // containers can be linked
	Typed  bool // commands can have a terminal
	Shared bool // containers can share a network
	// Answer has a handler answer what containers ask for at runtime.MetadataAddress, and returns the URL that they ask.
	// Nil: they cannot.
	Answer func(t *testing.T, r runtime.Runtime, h http.Handler) string
}

const patience = 60 * time.Second

// Run tests a runtime that runs programs.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	all := slices.Concat(life, stopping, freezing, changes, output, definition, network, survival, pulling, session)
	if s.Limits {
		all = append(all, memory...)
	}
	if s.Files {
		all = append(all, files...)
	}
	if s.Users {
		all = append(all, users...)
	}
	if s.Mounts {
		all = append(all, volume...)
	} else {
		all = append(all, volumeless...)
	}
	if s.Answer != nil {
		all = append(all, metadata...)
	}
	if s.Links {
		all = append(all, links...)
	}
	if s.Shared {
		all = append(all, shared...)
		if s.Answer != nil {
			all = append(all, sharedMetadata...)
		}
	} else {
		all = append(all, unshared...)
	}
	if s.Typed {
		all = append(all, typed...)
	}
	if !s.Told {
		all = append(all, unmodified...)
	}
	s.run(t, all)
}

// RunPretended tests a runtime that runs no programs.
func (s Suite) RunPretended(t *testing.T) {
	t.Helper()
	s.run(t, slices.Concat(life, stopping, freezing, changes))
}

// A rule is one thing that runtimes promise.
type rule struct {
	name string
	test func(*bench)
}

func (s Suite) run(t *testing.T, rules []rule) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			t.Cleanup(cancel)
			b := &bench{T: t, ctx: ctx, suite: s, open: s.Place(t), group: unique()}
			b.Runtime = b.open()
			t.Cleanup(b.clean)
			if s.Images.Program != "" {
				_, err := b.Pull(ctx, s.Images.Program)
				b.must(err)
			}
			r.test(b)
		})
	}
}

// bench is one test's own runtime and containers.
type bench struct {
	*testing.T
	runtime.Runtime
	ctx     context.Context // the test's own patience; a test is one call
	suite   Suite
	open    Open
	group   string
	known   []runtime.Name
	volumes []string
}

func unique() string {
	n := make([]byte, 6)
	_, _ = rand.Read(n)
	return hex.EncodeToString(n)
}

func (b *bench) clean() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), patience)
	defer cancel()
	for _, name := range b.known {
		if err := b.Remove(ctx, name); err != nil {
			b.Errorf("cannot clean up %s: %v", name, err)
		}
	}
	for _, name := range b.volumes {
		if err := b.RemoveVolume(ctx, name); err != nil {
			b.Errorf("cannot clean up volume %s: %v", name, err)
		}
	}
	if err := b.Close(); err != nil {
		b.Errorf("cannot close: %v", err)
	}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("%v (%s)", err, fault.KindOf(err))
	}
}

func (b *bench) wantKind(err error, kind fault.Kind) {
	b.Helper()
	if fault.KindOf(err) != kind || err == nil {
		b.Errorf("got %v (%s), want a fault of the kind %s", err, fault.KindOf(err), kind)
	}
}

// spec describes a container that does what the command says, or pretends what the script says.
func (b *bench) spec(script string, command ...string) runtime.Spec {
	name := runtime.Name("rt-" + b.group + "-" + unique())
	b.known = append(b.known, name)
	return runtime.Spec{
		Name:   name,
		Labels: map[string]string{"group": b.group},
		Image:  b.suite.Images.Program,
		Definition: types.ContainerDefinition{
			Name: new("program"), Command: command, DockerLabels: map[string]string{ScriptLabel: script},
		},
	}
}

// start creates and starts a container.
func (b *bench) start(spec runtime.Spec) runtime.Name {
	b.Helper()
	b.must(b.Create(b.ctx, spec))
	b.must(b.Start(b.ctx, spec.Name))
	return spec.Name
}

// status inspects a container.
func (b *bench) status(name runtime.Name) runtime.Status {
	b.Helper()
	s, err := b.Inspect(b.ctx, name)
	b.must(err)
	return s
}

// exited waits for a container's end and returns its status.
func (b *bench) exited(name runtime.Name) runtime.Status {
	b.Helper()
	for _, err := range b.Logs(b.ctx, name, time.Time{}, true) {
		b.must(err)
	}
	s := b.status(name)
	if s.Phase != runtime.Exited {
		b.Fatalf("the output of %s has ended, but it is %s", name, s.Phase)
	}
	return s
}

// printed waits until a container has printed a line.
func (b *bench) printed(name runtime.Name, text string) {
	b.Helper()
	for line, err := range b.Logs(b.ctx, name, time.Time{}, true) {
		b.must(err)
		if line.Text == text {
			return
		}
	}
	b.Fatalf("%s never printed %q; it printed %q", name, text, b.lines(name))
}

// lines returns what a container has printed so far.
func (b *bench) lines(name runtime.Name) []string {
	b.Helper()
	var texts []string
	for line, err := range b.Logs(b.ctx, name, time.Time{}, false) {
		b.must(err)
		texts = append(texts, line.Text)
	}
	return texts
}
