package acceptance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

// broken are versions that cannot come up, and what has to be said of each.
var broken = []struct {
	version string
	env     []string
	missing bool // the image is never pushed
	cause   rollout.Cause
	summary string // what the diagnosis must contain
	log     string // the last line that the container printed
}{
	{version: "2.0.1.RELEASE", env: []string{"HID_FAIL_HEALTH=503"}, cause: rollout.TargetCheck, summary: "503"},
	{
		version: "2.0.2.RELEASE", env: []string{"HID_CRASH=3"}, cause: rollout.Crash,
		summary: "code 3", log: "giving up with exit code 3",
	},
	{version: "2.0.3.RELEASE", missing: true, cause: rollout.ImageMissing, summary: "hid-generator:2.0.3.RELEASE"},
}

// verdictWithin is how long after the engine's first evidence the command may take to say why a version fails.
const verdictWithin = 5 * time.Second

// TestABrokenVersionIsExplainedSoonAndRolledBack installs versions that fail, each in its own way, under traffic.
func TestABrokenVersionIsExplainedSoonAndRolledBack(t *testing.T) {
	t.Parallel()
	for _, runtime := range runtimes {
		t.Run(string(runtime), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, runtime, 20) // the speed for which verdictWithin is promised
			h.project()
			h.withLogs()
			h.classic()
			h.deliver("1.0.0.RELEASE")
			load := startLoad(t, h.balancer, 50, shortStream)
			for _, b := range broken {
				if !b.missing {
					h.push(b.version, b.env...)
				}
				h.publish(b.version)
				i := h.install(b.version)
				h.wantExit(i, 4, deploy.RolledBack)
				d := i.result.Diagnosis
				if d == nil || d.Cause != b.cause || !strings.Contains(d.Summary, b.summary) || !strings.Contains(strings.Join(d.Logs, "\n"), b.log) {
					t.Errorf("the diagnosis is %+v, want %q with %q and %q\n%s", d, b.cause, b.summary, b.log, i)
				}
				first := h.evidence(i)
				took := i.at(deploy.Judged).Sub(first)
				if took < 0 || took > verdictWithin {
					t.Errorf("%s: the first evidence was there at %s, the verdict %v later\n%s", b.cause, first.Format("15:04:05.000"), took, i)
				}
				t.Logf("%s: explained %v after the first evidence, rolled back after %.1f s", b.cause, took.Round(time.Millisecond), i.result.Seconds)
				h.wantStatus("failed and was rolled back", "1.0.0.RELEASE")
			}
			for v := range load.wantNoneLost(t).Versions {
				if v != "1.0.0.RELEASE" && v != "2.0.1.RELEASE" { // one whose health check is late to fail may have answered, and well
					t.Errorf("%s has answered", v)
				}
			}
		})
	}
}

// evidence returns when the engine first knew that something was wrong with a version: the first of its tasks that
// stopped by itself, or the first event that calls an instance unhealthy.
func (h *house) evidence(i *installation) time.Time {
	h.Helper()
	var first time.Time
	earlier := func(at *time.Time) {
		if at != nil && at.After(i.begun) && (first.IsZero() || at.Before(first)) {
			first = *at
		}
	}
	for _, t := range h.tasks(types.DesiredStatusStopped) {
		if aws.ToString(t.TaskDefinitionArn) == string(i.result.Revision) && t.StopCode != types.TaskStopCodeServiceSchedulerInitiated {
			earlier(t.ExecutionStoppedAt)
			earlier(t.StoppingAt)
			earlier(t.StoppedAt)
		}
	}
	for _, e := range h.messages(i.begun) {
		if strings.Contains(*e.Message, "is unhealthy in") {
			earlier(e.CreatedAt)
		}
	}
	if first.IsZero() {
		h.Fatalf("the engine has no evidence against %s\n%s", i.version, i)
	}
	return first
}

// wantStatus calls `slipway status`, which must say all of this.
func (h *house) wantStatus(texts ...string) {
	h.Helper()
	out, talk := new(bytes.Buffer), new(bytes.Buffer)
	args := []string{"status", "--cluster", houseCluster, "--service", houseService, "--endpoint-url", h.endpoint()}
	if code := cli.Main(h.Context(), h.slipway(out, talk), args); code != 0 {
		h.Errorf("status ended with %d: %s", code, talk)
	}
	for _, text := range texts {
		if !strings.Contains(out.String(), text) {
			h.Errorf("status does not say %q:\n%s", text, out)
		}
	}
}

// steady is a project whose containers the scripted runtime plays.
var steady = map[string]string{
	"slipway.yaml": `
project: hid-generator
version: {file: VERSION}
branches: {master: RELEASE}
image: {repository: registry/hid-generator}
descriptors:
  taskDefinition: task-definition.json
  serviceDefinition: service-definition.json
  serviceUpdate: service-update.json
artifacts: dir:artifacts
`,
	"task-definition.json": `{"family": "hid-generator", "containerDefinitions": [{
		"name": "hid-generator", "image": "registry/hid-generator:${imageTag}", "memory": 64, "essential": true,
		"healthCheck": {"command": ["CMD", "true"], "interval": 5, "retries": 1}, "stopTimeout": 2}]}`,
	"service-definition.json": `{"cluster": "qa", "serviceName": "hid-generator", "taskDefinition": "hid-generator", "desiredCount": 2}`,
	"service-update.json":     `{"cluster": "qa", "service": "hid-generator", "taskDefinition": "hid-generator", "desiredCount": 2}`,
}

// TestAnInstallationEndsWithinASecondOfTheSteadyState installs at AWS's own pace, where the scheduler passes ten seconds
// apart and a command that looks rarely would waste the most.
func TestAnInstallationEndsWithinASecondOfTheSteadyState(t *testing.T) {
	t.Parallel()
	h := newHouse(t, app.Scripted, 1)
	for name, text := range steady {
		h.must(os.MkdirAll(h.projectDir(), 0o755))
		h.must(os.WriteFile(filepath.Join(h.projectDir(), name), []byte(text), 0o644))
	}
	for _, version := range []string{"1.0.0.RELEASE", "1.0.1.RELEASE"} {
		h.publish(version)
		i := h.install(version)
		h.wantExit(i, 0, deploy.Proven)
		var at time.Time
		for _, e := range h.messages(i.begun) {
			if strings.HasSuffix(*e.Message, "has reached a steady state.") && at.IsZero() {
				at = *e.CreatedAt
			}
		}
		lag := i.ended.Sub(at)
		if at.IsZero() || lag < 0 || lag > time.Second {
			t.Errorf("%s: steady at %s, the command ended %v later\n%s", version, at.Format("15:04:05.000"), lag, i)
		}
		t.Logf("%s took %.1f s, %d looks; it ended %v after the steady state", version, i.result.Seconds, i.result.Looks, lag.Round(time.Millisecond))
	}
}
