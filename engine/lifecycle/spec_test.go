package lifecycle

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

func TestContainerGetsWhatTheDefinitionAndTheTaskSay(t *testing.T) {
	f := newFake(map[string]program{"app": {}, "side": {}})
	app := container("app", func(d *types.ContainerDefinition) {
		d.Memory, d.Hostname = aws.Int32(256), aws.String("web")
		d.Environment = []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("1")}, {Name: aws.String("B"), Value: aws.String("1")}}
		d.DockerLabels = map[string]string{"release": "1.0.15.RELEASE"}
		d.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(0)}}
	})
	side := container("side", func(d *types.ContainerDefinition) {
		d.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(9090), Protocol: types.TransportProtocolUdp}}
	})
	inBubble(t, f, []types.ContainerDefinition{app, side}, func(t *testing.T, h *house) {
		h.run(func(t *state.Task) {
			t.Ports = []state.HostPort{{Port: 32768, Protocol: "tcp"}, {Port: 32769, Protocol: "udp"}}
			t.Overrides = &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{
				Name: aws.String("app"), Command: []string{"serve"},
				Environment: []types.KeyValuePair{{Name: aws.String("B"), Value: aws.String("2")}},
			}}}
		})
		synctest.Wait()
		spec := f.containers[Name(theTask, "app")].spec
		if diff := cmp.Diff([]string{"A=1", "AWS_EXECUTION_ENV=AWS_ECS_EC2", "B=2"}, spec.Env); diff != "" {
			t.Error(diff)
		}
		if spec.Memory != 256 || spec.Hostname != "web" || spec.Definition.Command[0] != "serve" {
			t.Errorf("spec: %+v", spec)
		}
		if got := spec.Ports[0].Host.String(); got != "127.0.0.9:32768" {
			t.Errorf("app listens at %s", got)
		}
		for label, want := range map[string]string{
			"com.amazonaws.ecs.task-arn": "arn:task", "com.amazonaws.ecs.container-name": "app", "release": "1.0.15.RELEASE",
			"com.amazonaws.ecs.task-definition-family": "web", "com.amazonaws.ecs.task-definition-version": "1", "com.amazonaws.ecs.cluster": "c",
		} {
			if spec.Labels[label] != want {
				t.Errorf("label %s is %q", label, spec.Labels[label])
			}
		}
		b := h.container("side").Bindings
		if len(b) != 1 || *b[0].HostPort != 32769 || *b[0].ContainerPort != 9090 || b[0].Protocol != types.TransportProtocolUdp {
			t.Errorf("bindings: %+v", b)
		}
	})
}

func TestNamesOfContainersFitEveryRuntimeAndTellThemApart(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 255)
	a, b := Name(theTask, long), Name(theTask, long[:254]+"y")
	if a == b || a.Check() != nil || b.Check() != nil || taskOf(a) != theTask || taskOf("short") != "" {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestDigestTakesThePlaceOfTheTag(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"web":                     "web@sha256:aa",
		"web:1.0":                 "web@sha256:aa",
		"127.0.0.1:4566/web":      "127.0.0.1:4566/web@sha256:aa",
		"127.0.0.1:4566/team/x:2": "127.0.0.1:4566/team/x@sha256:aa",
	} {
		if got := byDigest(ref, "sha256:aa"); got != want {
			t.Errorf("byDigest(%s) = %s", ref, got)
		}
	}
}

func TestHealthCheckCommandsAreRunAsTheDefinitionSays(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ command, want []string }{
		{[]string{"CMD-SHELL", "curl -f localhost || exit 1"}, []string{"/bin/sh", "-c", "curl -f localhost || exit 1"}},
		{[]string{"CMD", "/check", "-q"}, []string{"/check", "-q"}},
		{[]string{"/check"}, []string{"/check"}},
		{[]string{"NONE"}, nil},
		{nil, nil},
	} {
		if diff := cmp.Diff(tc.want, probe(tc.command)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestDatabaseThatCannotStoreLosesNoTask(t *testing.T) {
	var failing atomic.Bool
	f := newFake(map[string]program{"app": {}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		h.stop()
		db := state.New(func([]state.Change) error {
			if failing.Load() {
				return errors.New("disk full")
			}
			return nil
		})
		if err := db.Load(everything(h.db)); err != nil {
			t.Fatal(err)
		}
		h.db = db
		h.open()
		h.run()
		failing.Store(true)
		synctest.Wait()
		failing.Store(false)
		waitFor(t, h, state.Running)
	})
}
