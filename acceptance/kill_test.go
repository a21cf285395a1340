package acceptance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

// patience is how long anything may take that has to happen sooner or later.
const patience = time.Minute

// killSpeed is slow enough for every moment to last until it is seen.
const killSpeed = 20

// moments are when the engine is killed in a rolling deployment, in the order in which they come.
var moments = []struct {
	name    string
	arrived func(h *house, i *unfolding) bool
}{
	{"the task definition is registered", func(_ *house, i *unfolding) bool { return i.registered.Load() }},
	{"new tasks are pending", func(h *house, _ *unfolding) bool { _, fresh := h.counts(); return fresh.PendingCount > 0 }},
	{"a new task runs beside old ones", func(h *house, _ *unfolding) bool {
		old, fresh := h.counts()
		return old.RunningCount > 0 && fresh.RunningCount > 0
	}},
	{"old tasks are drained", func(h *house, i *unfolding) bool {
		return slices.ContainsFunc(h.messages(i.begun), func(e types.ServiceEvent) bool {
			return strings.Contains(*e.Message, "has begun draining")
		})
	}},
	{"an old task is told to stop", func(h *house, _ *unfolding) bool {
		return slices.ContainsFunc(h.tasks(types.DesiredStatusStopped), func(t types.Task) bool {
			return aws.ToString(t.LastStatus) == "STOPPING"
		})
	}},
}

// unfolding is an installation under way.
type unfolding struct {
	begun      time.Time
	registered atomic.Bool
	done       chan *installation
}

// begin installs a version beside the test.
func (h *house) begin(version string) *unfolding {
	u := &unfolding{begun: time.Now(), done: make(chan *installation, 1)}
	go func() {
		u.done <- h.install(version, func(e deploy.Event) {
			if e.Type == deploy.StepDone && e.Step.Kind == rollout.Register {
				u.registered.Store(true)
			}
		})
	}()
	return u
}

// counts returns the old deployment, if any, and the new one.
func (h *house) counts() (old, fresh types.Deployment) {
	h.Helper()
	for _, d := range h.service().Deployments {
		if aws.ToString(d.Status) == "PRIMARY" {
			fresh = d
		} else {
			old = d
		}
	}
	return old, fresh
}

// TestAKilledEngineFinishesTheDeployment kills the engine at five moments of five deployments, and starts it again on the
// same directory: the very installation that was under way comes to its end.
func TestAKilledEngineFinishesTheDeployment(t *testing.T) {
	t.Parallel()
	for _, runtime := range runtimes {
		t.Run(string(runtime), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, runtime, killSpeed)
			h.project()
			h.withLogs()
			h.classic()
			h.deliver("1.0.0.RELEASE")
			for n, moment := range moments {
				h.killWhen(fmt.Sprintf("1.0.%d.RELEASE", n+1), moment.name, moment.arrived)
			}
			h.wantLogs(len(moments))
		})
	}
}

func (h *house) killWhen(version, moment string, arrived func(*house, *unfolding) bool) {
	h.Helper()
	before := h.service()
	h.push(version)
	h.publish(version)
	u := h.begin(version)
	looks, longest := 0, time.Duration(0)
	until(h, patience, moment, func() (*installation, bool) {
		select {
		case i := <-u.done:
			h.Fatalf("it was over before %s; looked %d times, the slowest took %v\n%s", moment, looks, longest, i)
		default:
		}
		begun := time.Now()
		found := arrived(h, u)
		looks, longest = looks+1, max(longest, time.Since(begun))
		return nil, found
	})
	h.kill()
	h.start()
	load := h.servesAgain()
	i := <-u.done
	h.wantExit(i, 0, deploy.Proven)
	h.Logf("killed when %s: proven after %.1f s", moment, i.result.Seconds)
	load.wantNoneLost(h.T)
	h.wantNothingLostOrDoubled(before, version, i)
}

// servesAgain waits until the load balancer answers, and sends load from then on.
func (h *house) servesAgain() *load {
	h.Helper()
	until(h, patience, "the load balancer serves again", func() (string, bool) {
		resp, err := http.Get("http://" + h.balancer + "/")
		if err != nil {
			return err.Error(), false
		}
		_ = resp.Body.Close()
		return resp.Status, resp.StatusCode == http.StatusOK
	})
	return startLoad(h.T, h.balancer, 50, shortStream)
}

// wantNothingLostOrDoubled holds what the engine knows against what really runs, and against what it had to do: as many
// tasks as are desired, each started once.
func (h *house) wantNothingLostOrDoubled(before types.Service, version string, i *installation) {
	h.Helper()
	now := h.service()
	if len(now.Deployments) != 1 || now.RunningCount != now.DesiredCount || now.PendingCount != 0 {
		h.Errorf("%d deployments, %d tasks running, %d pending\n%s", len(now.Deployments), now.RunningCount, now.PendingCount, i)
	}
	if n := now.Deployments[0].FailedTasks; n != 0 {
		h.Errorf("%d tasks failed\n%s", n, i)
	}
	running := map[string]bool{}
	for _, t := range h.tasks(types.DesiredStatusRunning) {
		running[*t.TaskArn] = true
		if *t.TaskDefinitionArn != *now.TaskDefinition {
			h.Errorf("task %s runs %s, not %s", *t.TaskArn, *t.TaskDefinitionArn, *now.TaskDefinition)
		}
	}
	stopped := map[string]int{}
	for _, t := range h.tasks(types.DesiredStatusStopped) {
		stopped[*t.TaskDefinitionArn]++
	}
	if n := stopped[*now.TaskDefinition]; n != 0 {
		h.Errorf("%d new tasks were stopped on the way\n%s", n, i)
	}
	if n := stopped[*before.TaskDefinition]; n != int(before.DesiredCount) {
		h.Errorf("%d old tasks were stopped, there were %d\n%s", n, before.DesiredCount, i)
	}
	if diff := cmp.Diff(slices.Repeat([]string{version}, int(now.DesiredCount)), h.programs()); diff != "" {
		h.Errorf("what should run (-) and what does (+):\n%s", diff)
	}
	if h.runtime == app.Docker {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(running)), h.containers()); diff != "" {
			h.Errorf("what the engine knows of (-) and what Docker runs (+):\n%s", diff)
		}
	}
}

// programs returns the version of each program of this house that runs on this machine, by what its environment says.
func (h *house) programs() []string {
	h.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	h.must(err)
	var versions []string
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(environ, []byte(houseMark+"="+h.root+"\x00")) {
			continue // it has ended meanwhile, or is none of ours
		}
		for v := range strings.SplitSeq(string(environ), "\x00") {
			if version, ok := strings.CutPrefix(v, "VERSION="); ok {
				versions = append(versions, version)
			}
		}
	}
	slices.Sort(versions)
	return versions
}

// containers returns the tasks of the containers that run on Docker for this engine, one for each container.
func (h *house) containers() []string {
	h.Helper()
	sum := sha256.Sum256([]byte(h.data()))
	out, err := exec.CommandContext(h.Context(), "docker", "ps", "--filter", "label=slipway.engine="+hex.EncodeToString(sum[:4]), //nolint:gosec // our own words
		"--format", `{{.Label "com.amazonaws.ecs.task-arn"}}`).Output()
	h.must(err)
	return slices.Sorted(slices.Values(strings.Fields(string(out))))
}

// wantLogs reads what every task has printed: each line once, whatever happened to the engine in between.
func (h *house) wantLogs(versions int) {
	h.Helper()
	logs := map[string]int{}
	for _, t := range slices.Concat(h.tasks(types.DesiredStatusStopped), h.tasks(types.DesiredStatusRunning)) {
		_, id, _ := strings.Cut(*t.TaskArn, "/"+houseCluster+"/")
		want := []string{"starting", "listening on"}
		if *t.DesiredStatus == "STOPPED" {
			want = append(want, "stopping", "stopped, every request was answered")
		}
		var lines []string
		until(h, patience, fmt.Sprintf("all lines of task %s, %s, %s, are stored", id, *t.TaskDefinitionArn, *t.LastStatus), func() ([]string, bool) {
			lines = h.log("hid/hid-generator/" + id)
			return lines, len(lines) >= len(want)
		})
		for n, line := range lines {
			if n >= len(want) || !strings.Contains(line, want[n]) {
				h.Errorf("task %s printed %q, want %q", id, lines, want)
				break
			}
		}
		version, _, _ := strings.Cut(strings.TrimPrefix(lines[0], "hid-generator "), ":")
		logs[version]++
	}
	if len(logs) != versions+1 {
		h.Errorf("%d versions wrote logs: %v", len(logs), logs)
	}
}

func (h *house) log(stream string) []string {
	h.Helper()
	out, err := h.logs.GetLogEvents(h.Context(), &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: aws.String(houseLogs), LogStreamName: aws.String(stream), StartFromHead: aws.Bool(true),
	})
	if err != nil {
		return nil // its first line has not come yet
	}
	var lines []string
	for _, e := range out.Events {
		lines = append(lines, *e.Message)
	}
	return lines
}
