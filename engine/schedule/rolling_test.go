package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

func expect(t *testing.T, w *world, what string, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, w.take()); diff != "" {
		t.Errorf("%s: events (-want +got):\n%s", what, diff)
	}
}

func TestServiceWithoutChecksIsSteadyFortySecondsAfterItsTasksRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(2)
	w.run(50 * time.Second)
	expect(t, w, "before 40 s", []string{"has started 2 tasks: (task t1) (task t2)."})
	w.run(time.Minute)
	expect(t, w, "after", []string{"(deployment ecs-svc/1) deployment completed.", "has reached a steady state."})
	if got := w.history(1); got.Status != types.ServiceDeploymentStatusSuccessful || got.FinishedAt == nil {
		t.Errorf("service deployment is %s", got.Status)
	}
	w.run(5 * time.Hour)
	expect(t, w, "identical events are suppressed", nil)
	w.run(2 * time.Hour)
	expect(t, w, "after six hours", []string{"has reached a steady state."})
}

func TestRollingUpdateBehindALoadBalancerTellsWhatAWSTellsInItsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(1, balanced)
	w.run(3 * time.Minute)
	expect(t, w, "first", []string{
		"has started 1 tasks: (task t1).",
		"registered 1 targets in (target-group G)",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	})
	w.deploy(2, balanced).run(3 * time.Minute)
	expect(t, w, "second", []string{
		"has started 1 tasks: (task t2).",
		"registered 1 targets in (target-group G)",
		"has stopped 1 running tasks: (task t1).",
		"deregistered 1 targets in (target-group G)",
		"(taskSet ecs-svc/1) has begun draining connections on 1 tasks.",
		"(deployment ecs-svc/2) deployment completed.",
		"has reached a steady state.",
	})
	if got := w.deployment(1).Status; got != "INACTIVE" {
		t.Errorf("the old deployment is %s", got)
	}
	old, _ := w.db.Read().Task("t1")
	if want := "Scaling activity initiated by (deployment ecs-svc/1)"; old.StoppedReason != want {
		t.Errorf("stoppedReason %q, want %q", old.StoppedReason, want)
	}
}

func TestClassicLoadBalancerRegistersInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(2, classic, fixedPort)
	w.run(2 * time.Minute)
	expect(t, w, "events", []string{
		"has started 2 tasks: (task t1) (task t2).",
		"registered 2 instances in (elb front)",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	})
	target, ok := w.db.Read().Target("classic/front|i-1|1234")
	if !ok || target.Task != "t1" || target.Address.String() != "127.1.0.1:1234" {
		t.Errorf("target %+v", target)
	}
}

func TestRollingUpdateKeepsFloorAndCeiling(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		low, high          int32
		desired, instances int
		options            []option
		want               []string
	}{
		"0/100: everything stops first": {0, 100, 2, 2, nil, []string{
			"has stopped 2 running tasks: (task t1) (task t2).",
			"has started 2 tasks: (task t3) (task t4).",
			"(deployment ecs-svc/2) deployment completed.",
			"has reached a steady state.",
		}},
		"50/100: by halves": {50, 100, 4, 4, nil, []string{
			"has stopped 2 running tasks: (task t1) (task t2).",
			"has started 2 tasks: (task t5) (task t6).",
			"has stopped 2 running tasks: (task t3) (task t4).",
			"has started 2 tasks: (task t7) (task t8).",
			"(deployment ecs-svc/2) deployment completed.",
			"has reached a steady state.",
		}},
		"100/200: everything starts first": {100, 200, 4, 4, nil, []string{
			"has started 4 tasks: (task t5) (task t6) (task t7) (task t8).",
			"has stopped 4 running tasks: (task t1) (task t2) (task t3) (task t4).",
			"(deployment ecs-svc/2) deployment completed.",
			"has reached a steady state.",
		}},
		"25/200, fixed port, room on other instances": {25, 200, 2, 4, []option{fixedPort}, []string{
			"has started 2 tasks: (task t3) (task t4).",
			"has stopped 2 running tasks: (task t1) (task t2).",
			"(deployment ecs-svc/2) deployment completed.",
			"has reached a steady state.",
		}},
		"25/200, fixed port on full instances: old ones make room": {25, 200, 4, 4, []option{fixedPort}, []string{
			"has stopped 3 running tasks: (task t1) (task t2) (task t3).",
			"has started 3 tasks: (task t5) (task t6) (task t7).",
			"has stopped 1 running tasks: (task t4).",
			"has started 1 tasks: (task t8).",
			"(deployment ecs-svc/2) deployment completed.",
			"has reached a steady state.",
		}},
		"100/150 of one: nothing can be done": {100, 150, 1, 2, nil, []string{
			"was unable to stop or start tasks during a deployment because of the service deployment configuration." +
				" Update the minimumHealthyPercent or maximumPercent value and try again.",
		}},
		"100/200, fixed port on full instances: nothing has room": {100, 200, 2, 2, []option{fixedPort}, []string{
			"was unable to place a task because no container instance met all of its requirements." +
				" The closest matching (container-instance i1) is already using a port required by your task." +
				" For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(tc.instances)
			w.service(tc.desired, append(tc.options, percent(tc.low, tc.high))...)
			w.run(5 * time.Minute)
			w.take()
			w.deploy(2, tc.options...).run(10 * time.Minute)
			expect(t, w, "update", tc.want)
		})
	}
}

func TestScalingIsNoDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4).service(2)
	w.run(2 * time.Minute)
	w.take()
	w.scale(4)
	w.run(2 * time.Minute)
	expect(t, w, "up", []string{"has started 2 tasks: (task t3) (task t4).", "has reached a steady state."})
	w.scale(1)
	w.run(2 * time.Minute)
	expect(t, w, "down", []string{"has stopped 3 running tasks: (task t1) (task t3) (task t4).", "has reached a steady state."})
	if d := w.deployment(1); d.Status != "PRIMARY" || d.State != types.DeploymentRolloutStateCompleted {
		t.Errorf("deployment is %s %s", d.Status, d.State)
	}
}

func TestScaleInLeavesTheRestSpread(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(4).service(4)
	w.run(2 * time.Minute)
	w.scale(2)
	w.run(2 * time.Minute)
	zones := map[string]int{}
	for task := range w.db.Read().UnsettledTasksOfService(web) {
		zones[task.Zone]++
	}
	if diff := cmp.Diff(map[string]int{"us-east-1a": 1, "us-east-1b": 1}, zones); diff != "" {
		t.Error(diff)
	}
}

func TestDeletedServiceStopsItsTasksAndBecomesInactive(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(2, balanced)
	w.run(2 * time.Minute)
	w.take()
	drain := "DRAINING"
	w.change(func(s *state.Service) { s.Doc.Status, s.Doc.DesiredCount = &drain, 0 })
	w.run(3 * time.Minute)
	expect(t, w, "deletion", []string{
		"has stopped 2 running tasks: (task t1) (task t2).",
		"deregistered 2 targets in (target-group G)",
		"has begun draining connections on 2 tasks.",
	})
	s, _ := w.db.Read().Service(web)
	if *s.Doc.Status != "INACTIVE" || s.Deleted.IsZero() || w.deployment(1).Status != "INACTIVE" {
		t.Errorf("service %s, deployment %s", *s.Doc.Status, w.deployment(1).Status)
	}
}

func TestStoppedAndLostTasksAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).service(2)
	w.run(2 * time.Minute)
	w.take()
	_ = w.db.Write(func(tx *state.Tx) error {
		changeTask(tx, "t1", func(task *state.Task) {
			task.Last, task.Desired, task.StopCode = "STOPPED", "STOPPED", types.TaskStopCodeUserInitiated
		})
		return nil
	})
	w.run(2 * time.Minute)
	expect(t, w, "replacement", []string{"has started 1 tasks: (task t3).", "has reached a steady state."})
	if d := w.deployment(1); d.Failed != 0 {
		t.Errorf("%d failures counted", d.Failed)
	}
}

// The user's own service: fixed host port, classic load balancer, 25/200.
func TestSomethingServesAtEveryMomentOfAnUpdate(t *testing.T) {
	t.Parallel()
	for _, desired := range []int{2, 4} {
		t.Run(fmt.Sprint(desired), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(4)
			w.service(desired, classic, fixedPort, percent(25, 200)).run(5 * time.Minute)
			for revision := 2; revision < 5; revision++ {
				w.behaviour[revision] = behaviour{checkTakes: 30 * time.Second}
				w.deploy(revision, fixedPort)
				for range 200 {
					if w.run(tick); serving(w) == 0 {
						t.Fatalf("nothing serves at %s", w.now.Format(time.TimeOnly))
					}
				}
				if !w.steady() || w.count(revision) != desired {
					t.Fatalf("revision %d: steady %t, %d tasks", revision, w.steady(), w.count(revision))
				}
			}
		})
	}
}

// serving counts the targets that get requests.
func serving(w *world) int {
	n := 0
	for _, target := range targets(w) {
		t, _ := w.db.Read().Task(target.Task)
		if target.Health == v2.TargetHealthStateEnumHealthy && target.Draining.IsZero() && t.Last == state.Running {
			n++
		}
	}
	return n
}
