package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// daemons creates a DAEMON service and its first deployment.
func (w *world) daemons(options ...option) *world {
	return w.service(0, append([]option{everywhere, percent(0, 100)}, options...)...)
}

func everywhere(s *types.Service, _ *types.TaskDefinition) {
	s.SchedulingStrategy = types.SchedulingStrategyDaemon
}

func only(expression string) option {
	return func(s *types.Service, _ *types.TaskDefinition) {
		s.PlacementConstraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: &expression}}
	}
}

func (w *world) desired() int {
	s, _ := w.db.Read().Service(w.key)
	return s.Desired()
}

func (w *world) expectOn(t *testing.T, what, want string) {
	t.Helper()
	if got := fmt.Sprint(w.on("1"), w.on("2"), w.on("3")); got != want {
		t.Errorf("%s: tasks by instance are %s, want %s", what, got, want)
	}
}

func TestADaemonRunsOnEveryInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).daemons()
	w.run(3 * time.Minute)
	expect(t, w, "first", []string{
		"has started 2 tasks: (task t1) (task t2).", "(deployment ecs-svc/1) deployment completed.", "has reached a steady state.",
	})
	w.instances(3) // the third is new
	w.run(2 * time.Minute)
	expect(t, w, "an instance comes", []string{"has started 1 tasks: (task t3).", "has reached a steady state."})
	w.expectOn(t, "an instance comes", "1 1 1")
	if w.desired() != 3 {
		t.Errorf("the desired count is %d", w.desired())
	}
	w.lose("2")
	w.run(2 * time.Minute)
	w.expectOn(t, "an instance goes", "1 0 1")
	if w.desired() != 2 || !w.steady() {
		t.Errorf("the desired count is %d, steady %t", w.desired(), w.steady())
	}
}

func TestADaemonRunsWhereItsConstraintsAreMet(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(3).daemons(only("attribute:ecs.availability-zone == us-east-1a"))
	w.run(3 * time.Minute)
	w.expectOn(t, "zone a", "1 0 1")
	w.changed("1", func(i *state.Instance) { i.Zone = "us-east-1b" })
	w.run(2 * time.Minute)
	w.expectOn(t, "one instance meets them no more", "0 0 1")
}

func TestDaemonsAreUpdatedInstanceByInstanceUnderTheMinimum(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		low    int32
		events []string
	}{
		"all at once by default": {0, []string{
			"has stopped 2 running tasks: (task t1) (task t2).", "has started 2 tasks: (task t3) (task t4).",
			"(deployment ecs-svc/2) deployment completed.", "has reached a steady state.",
		}},
		"one after the other": {50, []string{
			"has stopped 1 running tasks: (task t1).", "has started 1 tasks: (task t3).",
			"has stopped 1 running tasks: (task t2).", "has started 1 tasks: (task t4).",
			"(deployment ecs-svc/2) deployment completed.", "has reached a steady state.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(2).daemons(percent(tc.low, 100), fixedPort)
			w.run(3 * time.Minute)
			w.take()
			w.deploy(2, fixedPort).run(6 * time.Minute)
			expect(t, w, "events", tc.events)
		})
	}
}

func TestTheCircuitBreakerEndsAnUpdateOfDaemons(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).daemons(breaker(true))
	w.run(3 * time.Minute)
	w.behaviour[2] = behaviour{cannotPull: true}
	w.deploy(2).run(30 * time.Minute)
	if w.deployment(2).State != types.DeploymentRolloutStateFailed || w.count(1) != 2 || w.deployment(1).Status != state.Primary {
		t.Errorf("the new one is %s, there are %d tasks of the old one", w.deployment(2).State, w.count(1))
	}
}

func TestADaemonLeavesAnInstanceThatDrainsLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).daemons()
	w.run(3 * time.Minute)
	app := []state.Container{{Name: "app"}}
	other := &state.Task{
		ID: "other", Containers: app, Cluster: "qa", Service: state.ServiceKey{Cluster: "qa", Name: "shop"}, Instance: "i1", Last: state.Running, Desired: state.Running,
	}
	alone := &state.Task{ID: "alone", Cluster: "qa", Containers: []state.Container{{Name: "app"}}, Instance: "i1", Group: "family:job", Last: state.Running, Desired: state.Running}
	w.put(other, alone, &state.Service{ID: other.Service, Doc: types.Service{Status: aws.String("ACTIVE")}})
	w.setStatus("1", "DRAINING")
	w.run(5 * time.Minute)
	w.expectOn(t, "while a replica is there", "1 1 0")
	if w.desired() != 1 || !w.steady() {
		t.Errorf("the desired count is %d, steady %t", w.desired(), w.steady())
	}
	ended := *other
	ended.Last, ended.Desired = state.Stopped, state.Stopped
	w.put(&ended)
	w.take()
	w.run(time.Minute)
	w.expectOn(t, "when it is gone", "0 1 0")
	expect(t, w, "events", []string{"has stopped 1 running tasks: (task t1)."})
}

func TestReplicasLeaveRoomForDaemonsThatAreStillToCome(t *testing.T) {
	t.Parallel()
	needs := func(cpu string) option {
		return func(_ *types.Service, d *types.TaskDefinition) { d.Cpu = &cpu }
	}
	w := newWorld(t).instances(1).daemons(needs("3000"), fixedPort) // of 4096
	fits := func(cpu string, options ...func(*Ask)) bool {
		_, failure := NewFleet(w.db.Read(), "qa").Place(ask(append(options, sized(cpu, "1"))...))
		return failure == nil
	}
	for name, tc := range map[string]struct{ got, want bool }{
		"room beside it":        {fits("1096"), true},
		"room that is its own":  {fits("1097"), false},
		"a port that is its":    {fits("1", hostPort1234), false},
		"before it has started": {w.count(1) == 0, true},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %t", name, tc.got)
		}
	}
	w.run(time.Minute)
	if !fits("1096") || fits("1097") || w.on("1") != 1 {
		t.Error("its room is kept twice, or it has not started")
	}
}

func TestADaemonThatHasNoRoomSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(1)
	w.put(&state.Task{ID: "alone", Cluster: "qa", Containers: []state.Container{{Name: "app"}}, Instance: "i1", CPU: 4000, Last: state.Running, Desired: state.Running})
	w.daemons(func(_ *types.Service, d *types.TaskDefinition) { d.Cpu = aws.String("1024") }).run(time.Minute)
	expect(t, w, "events", []string{
		"was unable to place a task because no container instance met all of its requirements. The closest matching" +
			" (container-instance i1) has insufficient CPU units available. For more information, see the Troubleshooting section of" +
			" the Amazon ECS Developer Guide.",
	})
}

func TestAnUpdateOfDaemonsThatTheMinimumForbidsSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(1).daemons(percent(50, 100))
	w.run(3 * time.Minute)
	w.take()
	w.deploy(2).run(3 * time.Minute)
	expect(t, w, "events", []string{
		"was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the" +
			" minimumHealthyPercent or maximumPercent value and try again.",
	})
}
