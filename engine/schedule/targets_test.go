package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

func targets(w *world) []*state.Target {
	var all []*state.Target
	for target := range w.db.Read().AllTargets() {
		all = append(all, target)
	}
	return all
}

func TestTargetIsAnInstanceOrAnAddressByTheGroupsType(t *testing.T) {
	t.Parallel()
	for kind, id := range map[v2.TargetTypeEnum]string{v2.TargetTypeEnumInstance: "i-1", v2.TargetTypeEnumIp: "127.1.0.1"} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(1)
			w.put(&state.TargetGroup{ARN: groupARN, Doc: v2.TargetGroup{TargetType: kind}})
			w.service(1, balanced).run(30 * time.Second)
			got := targets(w)
			if len(got) != 1 || got[0].ID != id || got[0].Port != 32768 || got[0].Address.String() != "127.1.0.1:32768" {
				t.Errorf("targets %+v", got)
			}
		})
	}
}

func TestMissingTargetGroupIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(1)
	w.put()
	_ = w.db.Write(func(tx *state.Tx) error { tx.Delete(&state.TargetGroup{ARN: groupARN}); return nil })
	w.service(1, balanced).run(5 * time.Minute)
	expect(t, w, "events", []string{"has started 1 tasks: (task t1).", "failed to register targets in (target-group G)"})
	if w.steady() {
		t.Error("a service without its target group is steady")
	}
}

func TestTaskThatEndsByItselfIsDeregisteredAndItsPortMayServeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(1).service(1, balanced, fixedPort, percent(0, 100))
	w.drain = time.Hour // the target of the first task is still there when the second one comes
	w.run(2 * time.Minute)
	w.take()
	_ = w.db.Write(func(tx *state.Tx) error {
		changeTask(tx, "t1", func(task *state.Task) {
			task.Last, task.Desired, task.StopCode = state.Stopped, state.Stopped, types.TaskStopCodeEssentialContainerExited
		})
		return nil
	})
	w.run(2 * time.Minute)
	expect(t, w, "events", []string{
		"deregistered 1 targets in (target-group G)",
		"has begun draining connections on 1 tasks.",
		"has started 1 tasks: (task t2).",
		"registered 1 targets in (target-group G)",
		"has reached a steady state.",
	})
	if got := targets(w); len(got) != 1 || got[0].Task != "t2" || !got[0].Draining.IsZero() {
		t.Errorf("targets %+v", got)
	}
}

func TestFargateServiceNeedsNoInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t).service(3, func(s *types.Service, d *types.TaskDefinition) {
		s.LaunchType, d.NetworkMode = types.LaunchTypeFargate, types.NetworkModeAwsvpc
		d.Cpu, d.Memory = aws.String("256"), aws.String("512")
	})
	w.run(2 * time.Minute)
	zones := map[string]int{}
	for task := range w.db.Read().UnsettledTasksOfService(web) {
		zones[task.Zone]++
	}
	if !w.steady() || zones["us-east-1a"] != 2 || zones["us-east-1b"] != 1 {
		t.Errorf("steady %t, tasks by zone %v", w.steady(), zones)
	}
}
