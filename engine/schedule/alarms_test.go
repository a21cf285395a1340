package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// alarm puts an alarm that looks at one minute, in that state.
func (w *world) alarm(name string, is cloudwatch.StateValue) {
	w.put(&state.Alarm{Name: name, Doc: cloudwatch.MetricAlarm{
		AlarmName: &name, StateValue: is, Period: aws.Int32(60), EvaluationPeriods: aws.Int32(2),
	}})
}

func watched(rollback bool, bakeMinutes int32) option {
	return func(s *types.Service, _ *types.TaskDefinition) {
		s.DeploymentConfiguration.BakeTimeInMinutes = &bakeMinutes
		s.DeploymentConfiguration.Alarms = &types.DeploymentAlarms{Enable: true, Rollback: rollback, AlarmNames: []string{"errors", "latency"}}
	}
}

// alarmed is a service with alarms that is being deployed anew.
func alarmed(t *testing.T, options ...option) *world {
	t.Helper()
	w := newWorld(t).instances(2)
	w.alarm("errors", cloudwatch.StateValueOk)
	w.alarm("latency", cloudwatch.StateValueInsufficientData)
	w.service(1, options...).run(30 * time.Minute)
	w.take()
	return w
}

func TestAlarmEndsADeploymentAndRollsItBack(t *testing.T) {
	t.Parallel()
	w := alarmed(t, watched(true, 0))
	w.deploy(2).run(30 * time.Second)
	w.alarm("latency", cloudwatch.StateValueAlarm)
	w.run(10 * time.Minute)
	expect(t, w, "events", []string{
		"has started 1 tasks: (task t2).",
		"(deployment ecs-svc/2) deployment failed: alarm detected.",
		"rolling back to deployment ecs-svc/1.",
		"has stopped 1 running tasks: (task t2).",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	})
	h := w.history(2)
	same(t, "alarms", types.ServiceDeploymentAlarms{
		Status: "TRIGGERED", AlarmNames: []string{"errors", "latency"}, TriggeredAlarmNames: []string{"latency"},
	}, *h.Alarms)
	if h.Status != types.ServiceDeploymentStatusRollbackSuccessful ||
		aws.ToString(h.StatusReason) != "Service deployment rolled back because CloudWatch alarm(s) were detected: latency." {
		t.Errorf("service deployment %s %q", h.Status, aws.ToString(h.StatusReason))
	}
}

func TestAlarmWithoutRollbackLeavesTheDeploymentFailed(t *testing.T) {
	t.Parallel()
	w := alarmed(t, watched(false, 0))
	w.deploy(2).run(30 * time.Second)
	w.alarm("errors", cloudwatch.StateValueAlarm)
	w.run(5 * time.Minute)
	d, h := w.deployment(2), w.history(2)
	if d.Status != state.Primary || d.State != types.DeploymentRolloutStateFailed || h.Status != types.ServiceDeploymentStatusStopped {
		t.Errorf("deployment %s %s, service deployment %s", d.Status, d.State, h.Status)
	}
}

func TestAlarmThatIsOnAtTheStartMattersNotToThatDeployment(t *testing.T) {
	t.Parallel()
	w := alarmed(t, watched(true, 0))
	w.alarm("errors", cloudwatch.StateValueAlarm)
	w.deploy(2).run(time.Minute)
	w.alarm("latency", cloudwatch.StateValueAlarm)
	w.run(5 * time.Minute)
	if h := w.history(2); h.Status != types.ServiceDeploymentStatusSuccessful || h.Alarms.Status != types.ServiceDeploymentRollbackMonitorsStatusDisabled {
		t.Errorf("service deployment %s, alarms %s", h.Status, h.Alarms.Status)
	}
}

func TestDeploymentIsWatchedWhileItBakes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		options       []option
		least, atMost time.Duration // from the moment when the old task is gone
	}{
		"as long as its alarms need to notice": {[]option{watched(true, 0)}, 2 * time.Minute, 2*time.Minute + 20*time.Second},
		"as long as it says":                   {[]option{watched(true, 15)}, 15 * time.Minute, 15*time.Minute + 20*time.Second},
		"without alarms too": {[]option{func(s *types.Service, _ *types.TaskDefinition) {
			s.DeploymentConfiguration.BakeTimeInMinutes = aws.Int32(3)
		}}, 3 * time.Minute, 3*time.Minute + 20*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := alarmed(t, tc.options...)
			w.deploy(2)
			for w.deployment(1).Status != state.Inactive {
				w.run(tick)
			}
			began := w.now
			for w.history(2).Status != types.ServiceDeploymentStatusSuccessful {
				if d := w.deployment(2); d.State == types.DeploymentRolloutStateFailed {
					t.Fatal(d.Reason)
				}
				w.run(tick)
			}
			if took := w.now.Sub(began); took < tc.least-20*time.Second || took > tc.atMost {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestAlarmInTheBakeTimeBringsTheOldTasksBack(t *testing.T) {
	t.Parallel()
	w := alarmed(t, watched(true, 10))
	w.deploy(2)
	for w.deployment(1).Status != state.Inactive {
		w.run(tick)
	}
	w.take()
	w.run(5 * time.Minute)
	w.alarm("errors", cloudwatch.StateValueAlarm)
	w.run(5 * time.Minute)
	expect(t, w, "events", []string{
		"(deployment ecs-svc/2) deployment failed: alarm detected.",
		"rolling back to deployment ecs-svc/1.",
		"has started 1 tasks: (task t3).",
		"has stopped 1 running tasks: (task t2).",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	})
}

func TestAlarmTakesTheTrafficOfACanaryBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).rules()
	w.alarm("errors", cloudwatch.StateValueOk)
	w.service(2, routedBalancer, configured(types.DeploymentConfiguration{
		Strategy:            types.DeploymentStrategyCanary,
		CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(15), CanaryBakeTimeInMinutes: aws.Int32(10)},
		Alarms:              &types.DeploymentAlarms{Enable: true, Rollback: true, AlarmNames: []string{"errors"}},
	}))
	w.run(10 * time.Minute)
	w.deploy(2)
	for w.weights(productionARN) != "85/15" {
		w.run(tick)
	}
	w.take()
	w.alarm("errors", cloudwatch.StateValueAlarm)
	w.run(5 * time.Minute)
	same(t, "events", []string{
		"(deployment ecs-svc/2) deployment failed: alarm detected.",
		"rolling back to deployment ecs-svc/1.",
		"has stopped 2 running tasks: (task t3) (task t4).",
		"deregistered 2 targets in (target-group H)",
		"(taskSet ecs-svc/2) has begun draining connections on 2 tasks.",
		"(deployment ecs-svc/1) deployment completed.",
		"has reached a steady state.",
	}, w.told())
	if got := w.weights(productionARN); got != "100/0" {
		t.Errorf("weights %s", got)
	}
}
