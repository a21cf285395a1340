package engine

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

func inBubble(t *testing.T, change func(*Options), test func(t *testing.T, h *house)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, change)
		defer func() { h.close() }()
		test(t, h)
	})
}

func TestServiceRollsFromOneRevisionToTheNext(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *house) {
		h.deploy("web:1", 4, nil)
		h.until("the first is steady", 10*time.Minute, h.steady)
		h.deploy("web:2", 4, nil)
		h.until("the second is steady", 20*time.Minute, func() bool {
			if healthy := h.tasks()["web:1"] + h.tasks()["web:2"]; healthy < 2 {
				t.Fatalf("only %d tasks run, and 2 are the minimum", healthy)
			}
			return h.steady() && h.tasks()["web:2"] == 4
		})
		if got := h.tasks(); !maps.Equal(got, map[string]int{"web:2": 4}) {
			t.Errorf("running: %v", got)
		}
		d := h.primary()
		if d.State != types.DeploymentRolloutStateCompleted || d.Digests["app"] != "sha256:of-web-2" {
			t.Errorf("deployment: %+v", d)
		}
		history, _ := h.DB().Read().ServiceDeployment(d.ServiceDeployment)
		if history.Doc.Status != types.ServiceDeploymentStatusSuccessful || len(history.Doc.SourceServiceRevisions) != 1 {
			t.Errorf("history: %s", history.Doc.Status)
		}
	})
}

func TestEventsNameTasksAndTheirTimesGrow(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *house) {
		h.deploy("web:1", 2, nil)
		h.until("it is steady", 10*time.Minute, h.steady)
		list := h.DB().Read().Events(key).List
		if !slices.IsSortedFunc(list, func(a, b types.ServiceEvent) int { return b.CreatedAt.Compare(*a.CreatedAt) }) {
			t.Error("the newest event does not come first")
		}
		first := *list[len(list)-1].Message
		if !strings.HasPrefix(first, "(service web) has started 2 tasks: (task ") || strings.Contains(first, "{") {
			t.Errorf("first event: %s", first)
		}
		for task := range h.DB().Read().TasksOfService(key) {
			if !strings.Contains(first, "(task "+string(task.ID)+")") {
				t.Errorf("%s is not in: %s", task.ID, first)
			}
		}
	})
}

func TestBrokenRevisionIsRolledBackToTheOldDeployment(t *testing.T) {
	t.Parallel()
	for _, image := range []string{"web:crash", "web:missing"} {
		t.Run(image, func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, h *house) {
				h.deploy("web:1", 2, nil)
				h.until("the first is steady", 10*time.Minute, h.steady)
				old := h.primary().ID
				h.deploy(image, 2, nil)
				h.until("it is rolled back", 6*time.Hour, func() bool { return h.steady() && h.primary().ID == old })
				if got := h.tasks(); !maps.Equal(got, map[string]int{"web:1": 2}) {
					t.Errorf("running: %v", got)
				}
			})
		})
	}
}

func TestServiceThatIsDeletedStopsItsTasksAndIsForgotten(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *house) {
		h.deploy("web:1", 2, nil)
		h.until("it is steady", 10*time.Minute, h.steady)
		h.write(func(tx *state.Tx) {
			s, _ := tx.Service(key)
			c := *s
			c.Doc.Status, c.Doc.DesiredCount = aws.String("DRAINING"), 0
			tx.Put(&c)
		})
		h.until("it is inactive", 10*time.Minute, func() bool {
			s, _ := h.DB().Read().Service(key)
			return inactive(s)
		})
		if alive, _ := h.runtime.count(); alive != 0 {
			t.Errorf("%d containers run", alive)
		}
		pass(2 * time.Hour)
		synctest.Wait()
		for c := range records(h.DB().Read()) {
			switch c.Kind() {
			case state.KindService, state.KindTask, state.KindDeployment, state.KindRevision, state.KindServiceDeployment, state.KindEvents:
				t.Errorf("still there: %s %s", c.Kind(), c.Key())
			}
		}
	})
}

// records yields what belongs to services.
func records(s state.Snapshot) func(func(state.Record) bool) {
	return func(yield func(state.Record) bool) {
		for r := range s.AllServices() {
			yield(r)
		}
		for r := range s.AllTasks() {
			yield(r)
		}
		for r := range s.Deployments(key) {
			yield(r)
		}
		for r := range s.Revisions(key) {
			yield(r)
		}
		for r := range s.ServiceDeployments(key) {
			yield(r)
		}
	}
}

func TestKillAtAnyMomentOfADeploymentLosesAndDoublesNoTask(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, time.Millisecond, 9 * time.Second, 11 * time.Second, 45 * time.Second, 52 * time.Second, 65 * time.Second, 90 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			inBubble(t, nil, func(t *testing.T, h *house) {
				h.deploy("web:1", 4, nil)
				h.until("the first is steady", 10*time.Minute, h.steady)
				h.deploy("web:2", 4, nil)
				pass(after)
				h.kill()
				h.open()
				h.until("the second is steady", 20*time.Minute, func() bool { return h.steady() && h.tasks()["web:2"] == 4 })
				alive, created := h.runtime.count()
				if alive != 4 || created != 8 {
					t.Errorf("%d containers run, %d were made; 4 and 8 expected", alive, created)
				}
			})
		})
	}
}

func TestKillAgainAndAgainOnlyDelaysADeployment(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *house) {
		h.deploy("web:1", 4, nil)
		h.until("the first is steady", 10*time.Minute, h.steady)
		h.deploy("web:2", 4, nil)
		for n := range 25 {
			pass(time.Duration(n*n*7) * time.Millisecond)
			h.kill()
			h.open()
		}
		h.until("the second is steady", 20*time.Minute, func() bool { return h.steady() && h.tasks()["web:2"] == 4 })
		if alive, created := h.runtime.count(); alive != 4 || created != 8 {
			t.Errorf("%d containers run, %d were made; 4 and 8 expected", alive, created)
		}
	})
}

func TestSteadyServiceIsLeftAlone(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *house) {
		h.deploy("web:1", 2, nil)
		h.until("it is steady", 10*time.Minute, h.steady)
		pass(10 * time.Minute) // what had to settle has
		watch := h.DB().Watch()
		defer watch.Close()
		pass(time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if changes, err := watch.Next(ctx); err == nil {
			t.Errorf("%d changes, the first: %s %s", len(changes), changes[0].Kind, changes[0].Key)
		}
	})
}

func TestLostTaskIsReplaced(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *house) {
		h.deploy("web:1", 2, nil)
		h.until("it is steady", 10*time.Minute, h.steady)
		var lost state.Task
		for task := range h.DB().Read().TasksOfService(key) {
			lost = *task
		}
		h.write(func(tx *state.Tx) {
			if _, err := h.StopTask(tx, lost.ID, types.TaskStopCodeUserInitiated, "Task stopped by user"); err != nil {
				t.Error(err)
			}
		})
		h.until("there are two again", time.Minute, func() bool {
			got, ok := h.DB().Read().Task(lost.ID)
			return ok && got.Last == state.Stopped && h.tasks()["web:1"] == 2
		})
		pass(90 * time.Minute)
		synctest.Wait()
		if _, ok := h.DB().Read().Task(lost.ID); ok {
			t.Error("the stopped task is still known")
		}
	})
}

func TestStandAloneTasksFindAPlaceOrAReason(t *testing.T) {
	inBubble(t, func(o *Options) { o.Instances = 2 }, func(t *testing.T, h *house) {
		var tasks []*state.Task
		var failures []types.Failure
		h.write(func(tx *state.Tx) {
			d := h.register(tx, "web:1", func(d *types.TaskDefinition) {
				d.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(1234), Protocol: "tcp"}}
			})
			var err error
			tasks, failures, err = h.RunTask(tx, "c", d, &ecs.RunTaskInput{Count: aws.Int32(3), StartedBy: aws.String("me")})
			if err != nil {
				t.Error(err)
			}
		})
		if len(tasks) != 2 || len(failures) != 1 || *failures[0].Reason != "RESOURCE:PORTS" {
			t.Fatalf("%d tasks, failures %+v", len(tasks), failures)
		}
		if tasks[0].Address == tasks[1].Address || tasks[0].Group != "family:web" || tasks[0].StartedBy != "me" {
			t.Errorf("tasks %+v", tasks[0])
		}
		synctest.Wait()
		got, _ := h.DB().Read().Task(tasks[0].ID)
		want := []types.NetworkBinding{{
			BindIP: aws.String(got.Address.String()), ContainerPort: aws.Int32(80), HostPort: aws.Int32(1234), Protocol: "tcp",
		}}
		if diff := cmp.Diff(want, got.Containers[0].Bindings, cmp.AllowUnexported(types.NetworkBinding{})); got.Last != state.Running || diff != "" {
			t.Errorf("%s %s", got.Last, diff)
		}
	})
}

func TestTaskWithItsOwnAddressSharesItWithNobody(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, h *house) {
		h.deploy("web:1", 4, func(_ *state.Service, d *types.TaskDefinition) { d.NetworkMode = types.NetworkModeAwsvpc })
		h.until("it is steady", 10*time.Minute, h.steady)
		seen := map[string]bool{}
		for i := range h.DB().Read().AllInstances() {
			seen[i.Address.String()] = true
		}
		for task := range h.DB().Read().TasksOfService(key) {
			if seen[task.Address.String()] || len(task.Attachments) != 1 {
				t.Errorf("task %+v", task)
			}
			seen[task.Address.String()] = true
		}
		if len(seen) != 8 {
			t.Errorf("addresses: %v", seen)
		}
	})
}

func TestServiceThatWaitsForRoomGetsItWhenSomethingStops(t *testing.T) {
	inBubble(t, func(o *Options) { o.Instances = 1 }, func(t *testing.T, h *house) {
		port := func(_ *state.Service, d *types.TaskDefinition) {
			d.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(1234), Protocol: "tcp"}}
		}
		var task *state.Task
		h.write(func(tx *state.Tx) {
			d := h.register(tx, "web:1", func(d *types.TaskDefinition) { port(nil, d) })
			tasks, _, _ := h.RunTask(tx, "c", d, &ecs.RunTaskInput{})
			task = tasks[0]
		})
		h.deploy("web:2", 1, port)
		pass(time.Hour)
		synctest.Wait()
		if h.tasks()["web:2"] != 0 {
			t.Fatal("two tasks share a port")
		}
		h.write(func(tx *state.Tx) { _, _ = h.StopTask(tx, task.ID, types.TaskStopCodeUserInitiated, "x") })
		if took := h.until("it has its place", time.Minute, func() bool { return h.tasks()["web:2"] == 1 }); took > 11*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestDirectoryBelongsToOneEngine(t *testing.T) {
	t.Parallel()
	o := options(t, newFake())
	first, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), o)
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "in use by another engine") {
		t.Errorf("the second engine got: %v", err)
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	_ = again.Stop(t.Context())
}

func TestOptionsThatMakeNoEngineAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"no directory":   func(o *Options) { o.Dir = "" },
		"no runtime":     func(o *Options) { o.Runtime = nil },
		"small network":  func(o *Options) { o.Addresses = netip.MustParsePrefix("127.0.0.0/30") },
		"negative speed": func(o *Options) { o.Speed = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, newFake())
			change(&o)
			if _, err := Open(t.Context(), o); fault.KindOf(err) != fault.Invalid {
				t.Errorf("got %v", err)
			}
		})
	}
}
