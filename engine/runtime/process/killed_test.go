//go:build linux

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/process"
	"github.com/slipway-cd/slipway/engine/runtime/runtimetest"
)

const engineVariable = "SLIPWAY_TEST_ENGINE"

func waiting(name runtime.Name, image string) runtime.Spec {
	return runtime.Spec{
		Name: name, Image: image,
		Definition: types.ContainerDefinition{Command: []string{"trap", "5", "print", "ready", "wait"}},
	}
}

// engine is an engine that starts a container, says so, and waits to be killed.
func engine(dir, image string) error {
	ctx := context.Background()
	r, err := process.Open(ctx, dir, process.Options{})
	if err != nil {
		return err
	}
	if _, err := r.Pull(ctx, image); err != nil {
		return err
	}
	if err := r.Create(ctx, waiting("survivor", image)); err != nil {
		return err
	}
	if err := r.Start(ctx, "survivor"); err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "started")
	select {}
}

func TestContainersOutliveAnEngineThatWasKilled(t *testing.T) {
	t.Parallel()
	dir, image := t.TempDir(), runtimetest.Publish(t).Program
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), engineVariable+"="+dir+" "+image)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, _ := bufio.NewReader(out).ReadString('\n')
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if strings.TrimSpace(said) != "started" {
		t.Fatalf("the engine said %q", said)
	}

	r := open(t, dir, "")
	defer r.Close()
	if s, err := r.Inspect(t.Context(), "survivor"); err != nil || s.Phase != runtime.Running {
		t.Fatalf("%+v, %v", s, err)
	}
	for line, err := range r.Logs(t.Context(), "survivor", time.Time{}, true) {
		if err != nil || line.Text != "ready" {
			t.Errorf("%+v, %v", line, err)
		}
		break
	}
	if err := r.Stop(t.Context(), "survivor", time.Minute); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Inspect(t.Context(), "survivor"); err != nil || s.ExitCode != 5 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := r.Remove(t.Context(), "survivor"); err != nil {
		t.Error(err)
	}
}

func TestAProgramEndsWithItsSupervisor(t *testing.T) {
	t.Parallel()
	image := runtimetest.Publish(t).Program
	for _, level := range []process.Isolation{process.Network, process.Bare} {
		r := open(t, t.TempDir(), level)
		ctx := t.Context()
		if _, err := r.Pull(ctx, image); err != nil {
			t.Fatal(err)
		}
		if err := r.Create(ctx, waiting("victim", image)); err != nil {
			t.Fatal(err)
		}
		if err := r.Start(ctx, "victim"); err != nil {
			t.Fatal(err)
		}
		process.Shoot(r, "victim")
		for _, err := range r.Logs(ctx, "victim", time.Time{}, true) {
			if err != nil {
				t.Error(err)
			}
		}
		s, err := r.Inspect(ctx, "victim")
		if err != nil || s.Phase != runtime.Exited || s.ExitCode != 137 || s.Error == "" {
			t.Errorf("%s: %+v, %v", level, s, err)
		}
		if err := r.Start(ctx, "victim"); err != nil {
			t.Errorf("%s: cannot start again: %v", level, err)
		}
		if err := r.Remove(ctx, "victim"); err != nil {
			t.Error(err)
		}
		_ = r.Close()
	}
}
