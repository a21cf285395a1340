package lifecycle

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
)

func TestKeeperThatIsStartedAgainFindsItsContainers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		meanwhile func(t *testing.T, h *house) // while no keeper runs
		check     func(t *testing.T, h *house)
	}{
		"still running": {
			meanwhile: func(*testing.T, *house) {},
			check: func(t *testing.T, h *house) {
				if got := h.task(); got.Last != state.Running {
					t.Errorf("it is %s", got.Last)
				}
			},
		},
		"exited meanwhile": {
			meanwhile: func(_ *testing.T, h *house) { h.runtime.exit(Name(theTask, "app"), 42, false) },
			check: func(t *testing.T, h *house) {
				got := h.task()
				if got.Last != state.Stopped || *got.Containers[0].ExitCode != 42 ||
					got.StopCode != types.TaskStopCodeEssentialContainerExited {
					t.Errorf("it is %s, %+v", got.Last, got.Containers[0])
				}
			},
		},
		"taken away meanwhile": {
			meanwhile: func(t *testing.T, h *house) { _ = h.runtime.Remove(t.Context(), Name(theTask, "app")) },
			check: func(t *testing.T, h *house) {
				if got := h.task(); got.Last != state.Stopped || got.Containers[0].Reason == "" {
					t.Errorf("it is %s, %+v", got.Last, got.Containers[0])
				}
			},
		},
		"to be stopped meanwhile": {
			meanwhile: func(_ *testing.T, h *house) { h.end("x") },
			check: func(t *testing.T, h *house) {
				if got := h.task(); got.Last != state.Stopped || *got.Containers[0].ExitCode != 143 {
					t.Errorf("it is %s", got.Last)
				}
			},
		},
		"started, but not written down": {
			meanwhile: func(_ *testing.T, h *house) {
				h.write(func(tx *state.Tx) {
					was, _ := tx.Task(theTask)
					c := clone(was)
					c.Last, c.StartedAt = state.Activating, time.Time{}
					c.Containers[0].Last, c.Containers[0].RuntimeID, c.Containers[0].StartedAt = state.Pending, "", time.Time{}
					tx.Put(c)
				})
			},
			check: func(t *testing.T, h *house) {
				if got := h.task(); got.Last != state.Running || got.Containers[0].RuntimeID == "" || len(h.runtime.told()) != 1 {
					t.Errorf("it is %s, %v", got.Last, h.runtime.told())
				}
			},
		},
		"a container that no task knows": {
			meanwhile: func(_ *testing.T, h *house) {
				h.runtime.containers["stray"] = &box{status: runtime.Status{
					Name: "stray", Phase: runtime.Created, Labels: map[string]string{LabelEngine: "e"},
				}}
				h.runtime.containers["foreign"] = &box{status: runtime.Status{Name: "foreign", Labels: map[string]string{LabelEngine: "other"}}}
			},
			check: func(t *testing.T, h *house) {
				if h.runtime.containers["stray"] != nil || h.runtime.containers["foreign"] == nil {
					t.Error("the wrong containers were removed")
				}
				delete(h.runtime.containers, "foreign")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": {}})
			inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
				h.run()
				synctest.Wait()
				h.stop()
				tc.meanwhile(t, h)
				h.open()
				tc.check(t, h)
			})
		})
	}
}

func TestTheStreamOfAContainerThatWasNotWrittenDownIsThereToo(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	logged := container("app", func(d *types.ContainerDefinition) {
		d.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": "/web", "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true",
		}}
	})
	inBubble(t, f, []types.ContainerDefinition{logged}, func(t *testing.T, h *house) {
		h.run()
		synctest.Wait()
		h.stop()
		h.write(func(tx *state.Tx) { // as if the engine had been killed right after the start
			was, _ := tx.Task(theTask)
			c := clone(was)
			c.Last, c.Containers[0].Last, c.Containers[0].RuntimeID, c.Containers[0].LogStream = state.Activating, state.Pending, "", ""
			tx.Put(c)
			group, _ := tx.LogGroup("/web")
			tx.Delete(group)
			tx.Delete(&state.LogStream{Group: "/web", Name: "ecs/app/" + string(theTask)})
		})
		h.open()
		waitFor(t, h, state.Running)
		got := []string{}
		for s := range h.db.Read().LogStreams("/web") {
			got = append(got, s.Name)
		}
		if diff := cmp.Diff([]string{h.task().Containers[0].LogStream}, got); diff != "" || got[0] != "ecs/app/"+string(theTask) {
			t.Errorf("streams %q\n%s", got, diff)
		}
	})
}

func TestKeeperThatEndsWhileAContainerIsMadeLeavesItToTheNext(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	f.createTime = time.Minute
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		h.run()
		pass(time.Second)
		h.stop()
		if got := h.task(); got.Last != state.Activating || got.Containers[0].Reason != "" {
			t.Errorf("it is %s, %q", got.Last, got.Containers[0].Reason)
		}
		h.open()
		waitFor(t, h, state.Running)
	})
}

func TestSweepFindsAnExitThatTheRuntimeDidNotTell(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		h.run()
		synctest.Wait()
		f.mu.Lock()
		s := &f.containers[Name(theTask, "app")].status
		s.Phase, s.ExitCode, s.EndedAt = runtime.Exited, 1, time.Now()
		f.mu.Unlock()
		pass(sweepEvery)
		if got := h.task().Last; got != state.Stopped {
			t.Errorf("it is %s", got)
		}
	})
}

func TestClearRemovesEverything(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	inBubble(t, f, []types.ContainerDefinition{container("app", nil)}, func(t *testing.T, h *house) {
		h.run()
		synctest.Wait()
		k := New(Config{DB: h.db, Runtime: f, Logs: h.logs, Engine: "e", Speed: 1})
		if err := k.Clear(context.Background()); err != nil {
			t.Error(err)
		}
		if got := h.task(); got.Last != state.Stopped {
			t.Errorf("it is %s", got.Last)
		}
	})
}
