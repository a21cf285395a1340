package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

func (w *world) setStatus(number, status string) {
	w.changed(number, func(i *state.Instance) { i.Doc.Status = &status })
}

// lose has an instance and its tasks disappear, as the engine's LoseInstance does.
func (w *world) lose(number string) {
	w.changed(number, func(i *state.Instance) { i.Gone, i.Doc.Status = w.now, aws.String("INACTIVE") })
	for t := range w.db.Read().TasksOnInstance(state.InstanceID("i" + number)) {
		c := *t
		c.Last, c.Desired, c.StopCode = state.Stopped, state.Stopped, "TerminationNotice"
		w.put(&c)
	}
}

// protect protects all tasks of the service that there are.
func (w *world) protect(period time.Duration) {
	for t := range w.db.Read().UnsettledTasksOfService(w.key) {
		c := *t
		c.Protected = w.now.Add(period)
		w.put(&c)
	}
}

// on counts the tasks of the service that run on the instance and are not stopping.
func (w *world) on(number string) int {
	n := 0
	for t := range w.db.Read().UnsettledTasksOfService(w.key) {
		if t.Instance == state.InstanceID("i"+number) && t.Desired == state.Running {
			n++
		}
	}
	return n
}

func TestAnInstanceThatDrainsGivesUpItsTasksUnderMinimumAndMaximum(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		low, high int32
		first     []string // right after the instance began to drain
		then      []string // until the service is steady
	}{
		"others first when all have to be healthy": {
			100, 200,
			[]string{"has started 2 tasks: (task t5) (task t6)."},
			[]string{"has stopped 2 running tasks: (task t1) (task t3).", "has reached a steady state."},
		},
		"both at once when half of them will do": {
			50, 200,
			[]string{"has started 2 tasks: (task t5) (task t6).", "has stopped 2 running tasks: (task t1) (task t3)."},
			[]string{"has reached a steady state."},
		},
		"stopped first when there may not be more": {
			50, 100,
			[]string{"has stopped 2 running tasks: (task t1) (task t3)."},
			[]string{"has started 2 tasks: (task t5) (task t6).", "has reached a steady state."},
		},
		"one after the other": {
			75, 100,
			[]string{"has stopped 1 running tasks: (task t1)."},
			[]string{
				"has started 1 tasks: (task t5).", "has stopped 1 running tasks: (task t3).", "has started 1 tasks: (task t6).",
				"has reached a steady state.",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(2).service(4, percent(tc.low, tc.high))
			w.run(3 * time.Minute)
			w.take()
			w.setStatus("1", "DRAINING")
			w.run(w.pace.Pass)
			expect(t, w, "at once", tc.first)
			w.run(6 * time.Minute)
			expect(t, w, "then", tc.then)
			if w.on("1") != 0 || w.on("2") != 4 {
				t.Errorf("%d tasks on the instance that drains, %d on the other", w.on("1"), w.on("2"))
			}
		})
	}
}

func TestPendingTasksLeaveAnInstanceThatDrainsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(2)
	w.run(tick) // they are PENDING
	w.setStatus("1", "DRAINING")
	w.run(w.pace.Pass)
	expect(t, w, "events", []string{
		"has started 2 tasks: (task t1) (task t2).", "has started 1 tasks: (task t3).", "stopped 1 pending tasks.",
	})
}

func TestAServiceThatFindsNoOtherPlaceStaysOnTheInstanceThatDrains(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(1).service(1)
	w.run(3 * time.Minute)
	w.take()
	w.setStatus("1", "DRAINING")
	w.run(5 * time.Minute)
	if w.on("1") != 1 || w.steady() {
		t.Errorf("%d tasks, steady %t", w.on("1"), w.steady())
	}
	expect(t, w, "events", []string{
		"was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were" +
			" found in your cluster. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
	})
	w.setStatus("1", "ACTIVE") // somebody thinks better of it
	w.run(time.Minute)
	if w.on("1") != 1 || !w.steady() {
		t.Errorf("%d tasks, steady %t", w.on("1"), w.steady())
	}
}

func TestOldTasksOnAnInstanceThatDrainsAreReplacedByTheirOwnRevision(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(4)
	w.run(3 * time.Minute)
	w.behaviour[2] = behaviour{neverPasses: true}
	w.deploy(2, checkedContainer).run(time.Minute) // a deployment that does not get on
	w.setStatus("1", "DRAINING")
	w.change(func(s *state.Service) { s.Doc.DeploymentConfiguration.MaximumPercent = aws.Int32(400) })
	w.run(5 * time.Minute)
	if w.count(1) != 4 || w.on("1") != 0 {
		t.Errorf("%d tasks of the old revision, %d on the instance that drains", w.count(1), w.on("1"))
	}
}

func TestTheTasksOfALostInstanceAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4).service(4)
	w.run(3 * time.Minute)
	w.take()
	w.lose("1")
	w.lose("3") // zone a
	w.run(3 * time.Minute)
	expect(t, w, "events", []string{"has started 2 tasks: (task t5) (task t6).", "has reached a steady state."})
	if got := fmt.Sprint(w.on("1"), w.on("2"), w.on("3"), w.on("4")); got != "0 2 0 2" {
		t.Errorf("tasks by instance: %s", got)
	}
	if d := w.deployment(1); d.Failed != 0 {
		t.Errorf("%d tasks are said to have failed", d.Failed)
	}
}

func TestProtectedTasksAreNotScaledIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(3)
	w.run(3 * time.Minute)
	w.take()
	w.protect(10 * time.Minute)
	w.scale(1)
	w.run(5 * time.Minute)
	expect(t, w, "while they are protected", []string{
		"was unable to reach steady state because (taskSet ecs-svc/1) was unable to scale in due to (reason 2 tasks under protection)",
	})
	if w.count(1) != 3 {
		t.Fatalf("%d tasks", w.count(1))
	}
	w.run(10 * time.Minute)
	expect(t, w, "when the protection has expired", []string{
		"has stopped 2 running tasks: (task t1) (task t2).", "has reached a steady state.",
	})
}

func TestADeploymentWaitsForProtectedTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(2)
	w.run(3 * time.Minute)
	w.take()
	w.protect(10 * time.Minute)
	w.deploy(2).run(5 * time.Minute)
	expect(t, w, "while they are protected", []string{
		"has started 2 tasks: (task t3) (task t4).",
		"was unable to reach steady state because (taskSet ecs-svc/1) was unable to scale in due to (reason 2 tasks under protection)",
	})
	w.run(10 * time.Minute)
	if diff := cmp.Diff(2, w.count(2)); diff != "" || w.count(1) != 0 || !w.steady() {
		t.Errorf("%d old tasks, %d new ones, steady %t", w.count(1), w.count(2), w.steady())
	}
}

func TestProtectedTasksThatFailTheirChecksAreReplacedAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(1, checkedContainer)
	w.run(3 * time.Minute)
	w.protect(time.Hour)
	w.behaviour[1] = behaviour{unhealthy: true, checkTakes: 8 * time.Minute}
	w.run(15 * time.Minute)
	first, ok := w.db.Read().Task("t1")
	if !ok || first.Desired != state.Stopped {
		t.Errorf("it goes on: %+v", first)
	}
}
