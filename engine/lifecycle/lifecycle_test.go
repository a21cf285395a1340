package lifecycle

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// inBubble runs a test in virtual time, with a house that is closed at its end.
func inBubble(t *testing.T, f *fake, containers []types.ContainerDefinition, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, f, containers...)
		defer f.end()
		defer func() { h.stop() }()
		test(t, h)
	})
}

func TestTaskPassesEveryStationOnceAndInOrder(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		passed := h.stations()
		h.run()
		synctest.Wait()
		h.end("enough")
		want := []state.TaskStatus{
			state.Provisioning, state.Pending, state.Activating, state.Running,
			state.Deactivating, state.Stopping, state.Deprovisioning, state.Stopped,
		}
		if diff := cmp.Diff(want, passed()); diff != "" {
			t.Error(diff)
		}
		task := h.task()
		if task.StoppedReason != "enough" || task.StoppedAt.IsZero() || task.ExecutionStoppedAt.IsZero() {
			t.Errorf("stopped as %+v", task)
		}
		if c := h.container("app"); *c.ExitCode != 143 || c.Last != state.Stopped {
			t.Errorf("container ended as %+v", c)
		}
		if len(f.containers) != 0 {
			t.Error("the container was not removed")
		}
	})
}

func TestEssentialExitStopsTheTaskAndOptionalExitDoesNot(t *testing.T) {
	f := newFake(map[string]program{"app": {runs: time.Minute, code: 3}, "side": {runs: time.Second, code: 9}})
	both := []types.ContainerDefinition{container("app", nil), container("side", optional)}
	inBubble(t, f, both, func(t *testing.T, h *house) {
		h.run()
		pass(2 * time.Second)
		if got := h.task(); got.Last != state.Running {
			t.Fatalf("after the optional container's exit the task is %s", got.Last)
		}
		if c := h.container("side"); c.Last != state.Stopped || *c.ExitCode != 9 {
			t.Errorf("optional container: %+v", c)
		}
		pass(time.Minute)
		task := h.task()
		if task.Last != state.Stopped || task.StopCode != types.TaskStopCodeEssentialContainerExited ||
			task.StoppedReason != "Essential container in task exited" || *task.Containers[0].ExitCode != 3 {
			t.Errorf("task: %s %s %q", task.Last, task.StopCode, task.StoppedReason)
		}
	})
}

func TestProgramThatEndsAtOnceHasBeenRunning(t *testing.T) {
	f := newFake(map[string]program{"app": {runs: 1, code: 1}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		passed := h.stations()
		h.run()
		pass(time.Second)
		if list := passed(); !strings.Contains(strings.Join(texts(list), " "), "RUNNING") {
			t.Errorf("passed %v", list)
		}
		if task := h.task(); task.StartedAt.IsZero() || task.Last != state.Stopped {
			t.Errorf("task %+v", task)
		}
	})
}

func texts(list []state.TaskStatus) []string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

func TestOutOfMemoryIsSaidOnTheContainer(t *testing.T) {
	f := newFake(map[string]program{"app": {runs: time.Second, code: 137, oom: true}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		h.run()
		pass(2 * time.Second)
		if c := h.container("app"); c.Reason != "OutOfMemoryError: Container killed due to memory usage" || *c.ExitCode != 137 {
			t.Errorf("container: %+v", c)
		}
	})
}

func TestStopWaitsForTheStopTimeoutOfAProgramThatIgnoresSIGTERM(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		timeout *int32
		want    time.Duration
	}{
		"default":             {nil, 30 * time.Second},
		"of the definition":   {aws.Int32(7), 7 * time.Second},
		"longest on instance": {aws.Int32(600), 600 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": {ignoreTerm: true}})
			d := container("app", func(d *types.ContainerDefinition) { d.StopTimeout = tc.timeout })
			inBubble(t, f, []types.ContainerDefinition{d}, func(t *testing.T, h *house) {
				h.run()
				synctest.Wait()
				h.end("x")
				began := time.Now()
				pass(tc.want - time.Millisecond)
				if got := h.task().Last; got != state.Stopping {
					t.Errorf("before the timeout it is %s", got)
				}
				pass(time.Millisecond)
				if got := h.task(); got.Last != state.Stopped || got.StoppedAt.Sub(began) != tc.want || *got.Containers[0].ExitCode != 137 {
					t.Errorf("it is %s after %s", got.Last, got.StoppedAt.Sub(began))
				}
			})
		})
	}
}

func TestTaskServesUntilItsTargetsAreDrained(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		target := &state.Target{Group: "g", ID: "i-1", Port: 80, Task: theTask}
		h.run()
		h.write(func(tx *state.Tx) { tx.Put(target) })
		synctest.Wait()
		h.end("x")
		pass(time.Hour)
		if got := h.task(); got.Last != state.Deactivating || got.Containers[0].Last != state.Running {
			t.Fatalf("while it drains the task is %s", got.Last)
		}
		h.write(func(tx *state.Tx) { tx.Delete(target) })
		if got := h.task().Last; got != state.Stopped {
			t.Errorf("after the drain it is %s", got)
		}
	})
}

func TestDeadTaskDoesNotWaitForItsDrain(t *testing.T) {
	f := newFake(map[string]program{"app": {runs: time.Minute}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		h.run()
		h.write(func(tx *state.Tx) { tx.Put(&state.Target{Group: "g", ID: "i-1", Port: 80, Task: theTask}) })
		pass(61 * time.Second)
		if got := h.task().Last; got != state.Stopped {
			t.Errorf("it is %s", got)
		}
	})
}

func TestFailuresToStartAreSaidInTheAgentsWords(t *testing.T) {
	t.Parallel()
	broken := fault.New(fault.Invalid, "no such program")
	for name, tc := range map[string]struct {
		program program
		pull    error
		log     bool
		want    string
	}{
		"no such image":   {pull: fault.New(fault.NotFound, "manifest unknown"), want: "CannotPullContainerError: manifest unknown"},
		"cannot create":   {program: program{createErr: broken}, want: "CannotCreateContainerError: no such program"},
		"cannot start":    {program: program{startErr: broken}, want: "CannotStartContainerError: no such program"},
		"no log group":    {log: true, want: "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1"},
		"unreachable hub": {pull: fault.New(fault.Unavailable, "connection refused"), want: "CannotPullContainerError: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": tc.program})
			f.pullErr["registry/app:1"] = tc.pull
			d := container("app", func(d *types.ContainerDefinition) {
				if tc.log {
					d.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "/web"}}
				}
			})
			inBubble(t, f, []types.ContainerDefinition{d}, func(t *testing.T, h *house) {
				h.run()
				pass(10 * time.Second)
				task := h.task()
				if task.Last != state.Stopped || task.StopCode != types.TaskStopCodeTaskFailedToStart || !task.StartedAt.IsZero() {
					t.Errorf("task: %s %s", task.Last, task.StopCode)
				}
				if task.StoppedReason != tc.want || task.Containers[0].Reason != tc.want {
					t.Errorf("reasons:\n%s\n%s\nwant\n%s", task.StoppedReason, task.Containers[0].Reason, tc.want)
				}
			})
		})
	}
}

func TestStoppingATaskBreaksOffItsPull(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	f.pullTime = time.Hour
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		h.run()
		if got := h.task(); got.Last != state.Activating || got.PullStartedAt.IsZero() {
			t.Fatalf("while it pulls it is %s", got.Last)
		}
		h.end("x")
		if got := h.task(); got.Last != state.Stopped || got.StoppedReason != "x" || got.Containers[0].Reason != "" {
			t.Errorf("task: %s %q", got.Last, got.StoppedReason)
		}
	})
}

func TestTasksOfADeploymentRunTheImageThatTheFirstResolved(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		h.write(func(tx *state.Tx) { tx.Put(&state.Deployment{ID: "ecs-svc/1"}) })
		of := func(t *state.Task) { t.Deployment = "ecs-svc/1" }
		h.runAs("0123456789abcdef0123456789abcde1", of)
		h.runAs("0123456789abcdef0123456789abcde2", of)
		synctest.Wait()
		f.mu.Lock()
		f.digest = "sha256:bb" // somebody moves the tag
		f.mu.Unlock()
		h.run(of)
		if got := h.container("app").Digest; h.task().Last != state.Running || got == "" {
			t.Errorf("digest %q", got)
		}
		want := []string{"registry/app:1", "registry/app@sha256:aa", "registry/app@sha256:aa"}
		if diff := cmp.Diff(want, f.pulls); diff != "" {
			t.Error(diff)
		}
		d, _ := h.db.Read().Deployment("ecs-svc/1")
		if d.Digests["app"] != "sha256:aa" {
			t.Errorf("digests: %v", d.Digests)
		}
	})
}

func TestOutputGoesToTheStreamThatTheDefinitionNames(t *testing.T) {
	f := newFake(map[string]program{"app": {lines: []string{"one", "two"}, runs: time.Minute}})
	d := container("app", func(d *types.ContainerDefinition) {
		d.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": "/web", "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true",
		}}
	})
	inBubble(t, f, []types.ContainerDefinition{d}, func(t *testing.T, h *house) {
		h.run()
		synctest.Wait()
		h.stop()
		f.print(Name(theTask, "app"), "three", "four") // while no keeper runs; "three" bears the time of "two"
		h.open()
		synctest.Wait()
		h.stop()
		h.open()
		pass(2 * time.Minute)
		c := h.container("app")
		if c.LogGroup != "/web" || c.LogStream != "ecs/app/"+string(theTask) {
			t.Fatalf("stream %s %s", c.LogGroup, c.LogStream)
		}
		page, err := h.logs.Events(logs.Query{Group: c.LogGroup, Stream: c.LogStream, FromHead: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range page.Events {
			got = append(got, e.Text)
		}
		if diff := cmp.Diff([]string{"one", "two", "three", "four"}, got); diff != "" {
			t.Error(diff)
		}
		if _, ok := h.db.Read().LogGroup("/web"); !ok {
			t.Error("the group was not made")
		}
	})
}

func TestRestartPolicyStartsAContainerAgainOnceItRanLongEnough(t *testing.T) {
	t.Parallel()
	policy := func(d *types.ContainerDefinition) {
		d.RestartPolicy = &types.ContainerRestartPolicy{Enabled: aws.Bool(true), RestartAttemptPeriod: aws.Int32(60), IgnoredExitCodes: []int32{0}}
	}
	for name, tc := range map[string]struct {
		program  program
		restarts int
		last     state.TaskStatus
	}{
		"long enough":       {program{runs: 2 * time.Minute, code: 1}, 2, state.Running},
		"too soon":          {program{runs: time.Second, code: 1}, 0, state.Stopped},
		"ignored exit code": {program{runs: 2 * time.Minute}, 0, state.Stopped},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": tc.program})
			inBubble(t, f, []types.ContainerDefinition{container("app", policy)}, func(t *testing.T, h *house) {
				h.run()
				pass(5 * time.Minute)
				if got := h.task(); got.Containers[0].Restarts != tc.restarts || got.Last != tc.last {
					t.Errorf("%s after %d restarts", got.Last, got.Containers[0].Restarts)
				}
			})
		})
	}
}
