package lifecycle

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

func checkedBy(command ...string) func(*types.ContainerDefinition) {
	return func(d *types.ContainerDefinition) {
		d.HealthCheck = &types.HealthCheck{Command: command, Interval: aws.Int32(10), Retries: aws.Int32(2), Timeout: aws.Int32(3)}
	}
}

func startTimeout(s int32) func(*types.ContainerDefinition) {
	return func(d *types.ContainerDefinition) { d.StartTimeout = &s }
}

func TestContainersStartInTheOrderOfTheirDependencies(t *testing.T) {
	t.Parallel()
	healthyAt := func(wait time.Duration) func(time.Time) int {
		begin := time.Time{}
		return func(at time.Time) int {
			if begin.IsZero() {
				begin = at
			}
			if at.Sub(begin) >= wait {
				return 0
			}
			return 1
		}
	}
	for name, tc := range map[string]struct {
		condition types.ContainerCondition
		first     program
		change    func(*types.ContainerDefinition)
		after     time.Duration
		journal   []string
		reason    string // the task's, when it fails
	}{
		"START": {condition: types.ContainerConditionStart, journal: []string{"start first", "start app"}},
		"HEALTHY": {
			condition: types.ContainerConditionHealthy, change: checkedBy("CMD", "true"), after: 10 * time.Second,
			first: program{check: healthyAt(0)}, journal: []string{"start first", "start app"},
		},
		"COMPLETE, whatever the exit code": {
			condition: types.ContainerConditionComplete, first: program{runs: time.Second, code: 5}, change: optional,
			after: time.Second, journal: []string{"start first", "exit first", "start app"},
		},
		"SUCCESS": {
			condition: types.ContainerConditionSuccess, first: program{runs: time.Second}, change: optional,
			after: time.Second, journal: []string{"start first", "exit first", "start app"},
		},
		"SUCCESS that fails": {
			condition: types.ContainerConditionSuccess, first: program{runs: time.Second, code: 5}, change: optional,
			after: time.Second, journal: []string{"start first", "exit first"},
			reason: "TaskDependencyError: dependency graph: failed to resolve container ordering dependency [first] for target [app] as dependency did not exit successfully.",
		},
		"COMPLETE that takes too long": {
			condition: types.ContainerConditionComplete, change: both(optional, startTimeout(20)),
			after: 20 * time.Second, journal: []string{"start first", "term first", "exit first"},
			reason: "TaskDependencyError: dependency graph: container ordering dependency [first] for target [app] has timed out.",
		},
		"HEALTHY that never comes": {
			condition: types.ContainerConditionHealthy, change: both(optional, checkedBy("CMD", "true"), startTimeout(60)), after: time.Minute,
			first: program{check: healthyAt(time.Hour)}, journal: []string{"start first", "term first", "exit first"},
			reason: "TaskDependencyError: dependency graph: container ordering dependency [first] for target [app] has timed out.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": {}, "first": tc.first})
			list := []types.ContainerDefinition{
				container("app", dependsOn(tc.condition, "first")), container("first", tc.change),
			}
			inBubble(t, f, list, func(t *testing.T, h *house) {
				h.run()
				pass(tc.after)
				task := h.task()
				if diff := cmp.Diff(tc.journal, f.told()); diff != "" {
					t.Error(diff)
				}
				if task.StoppedReason != tc.reason {
					t.Errorf("reason %q, want %q", task.StoppedReason, tc.reason)
				}
				if (task.Last == state.Running) != (tc.reason == "") {
					t.Errorf("the task is %s", task.Last)
				}
			})
		})
	}
}

func TestContainersStopInTheReverseOrder(t *testing.T) {
	f := newFake(map[string]program{"app": {ignoreTerm: true}, "mesh": {}, "log": {}, "side": {}})
	list := []types.ContainerDefinition{
		container("app", dependsOn(types.ContainerConditionStart, "mesh")),
		container("mesh", dependsOn(types.ContainerConditionStart, "log")),
		container("log", nil), container("side", nil),
	}
	inBubble(t, f, list, func(t *testing.T, h *house) {
		h.run()
		synctest.Wait()
		h.end("x")
		pass(time.Minute)
		if h.task().Last != state.Stopped {
			t.Fatalf("the task is %s", h.task().Last)
		}
		journal := f.told()
		order := func(first, second string) {
			if slices.Index(journal, first) < 0 || slices.Index(journal, first) > slices.Index(journal, second) {
				t.Errorf("%q does not come before %q: %s", first, second, strings.Join(journal, ", "))
			}
		}
		order("start log", "start mesh")
		order("start mesh", "start app")
		order("exit app", "term mesh")
		order("exit mesh", "term log")
		order("term side", "exit app") // nothing depends on it: it doesn't wait
	})
}

func TestHealthFollowsTheChecks(t *testing.T) {
	type phase struct {
		at   time.Duration
		want types.HealthStatus
	}
	from := func(code int, until time.Duration, then int) func(begin time.Time) func(time.Time) int {
		return func(begin time.Time) func(time.Time) int {
			return func(at time.Time) int {
				if at.Sub(begin) < until {
					return code
				}
				return then
			}
		}
	}
	for name, tc := range map[string]struct {
		change func(*types.ContainerDefinition)
		check  func(begin time.Time) func(time.Time) int
		phases []phase
	}{
		"healthy with the first success": {
			check:  from(0, 0, 0),
			phases: []phase{{9 * time.Second, types.HealthStatusUnknown}, {10 * time.Second, types.HealthStatusHealthy}},
		},
		"unhealthy with the last retry": {
			check:  from(1, time.Hour, 0),
			phases: []phase{{19 * time.Second, types.HealthStatusUnknown}, {20 * time.Second, types.HealthStatusUnhealthy}},
		},
		"a check that hangs fails when its time is over": {
			check:  from(-1, time.Hour, 0),
			phases: []phase{{25 * time.Second, types.HealthStatusUnknown}, {26 * time.Second, types.HealthStatusUnhealthy}},
		},
		"failures within the start period don't count": {
			change: func(d *types.ContainerDefinition) { d.HealthCheck.StartPeriod = aws.Int32(60) },
			check:  from(1, time.Hour, 0),
			phases: []phase{{61 * time.Second, types.HealthStatusUnknown}, {70 * time.Second, types.HealthStatusUnhealthy}},
		},
		"healthy again": {
			check:  from(1, 25*time.Second, 0),
			phases: []phase{{20 * time.Second, types.HealthStatusUnhealthy}, {30 * time.Second, types.HealthStatusHealthy}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := program{}
			f := newFake(map[string]program{})
			change := both(checkedBy("CMD-SHELL", "curl localhost"))
			if tc.change != nil {
				change = both(change, tc.change)
			}
			inBubble(t, f, []types.ContainerDefinition{container("app", change)}, func(t *testing.T, h *house) {
				begin := time.Now()
				app.check = tc.check(begin)
				f.programs["app"] = app
				h.run()
				for _, p := range tc.phases {
					pass(time.Until(begin.Add(p.at)))
					if got := h.task(); got.Health != p.want || got.Containers[0].Health != p.want {
						t.Errorf("after %s it is %s, want %s", p.at, got.Health, p.want)
					}
				}
			})
		})
	}
}

func TestHealthOfATaskIsTheWorstOfItsEssentialContainers(t *testing.T) {
	t.Parallel()
	d := &state.TaskDefinition{Doc: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{
		container("a", checkedBy("CMD", "x")), container("b", checkedBy("CMD", "x")), container("none", nil),
		container("side", both(optional, checkedBy("CMD", "x"))),
	}}}
	const h, u, q = types.HealthStatusHealthy, types.HealthStatusUnhealthy, types.HealthStatusUnknown
	for _, tc := range []struct{ a, b, side, want types.HealthStatus }{
		{h, h, u, h}, {h, u, h, u}, {q, u, h, u}, {h, q, h, q}, {q, q, q, q},
	} {
		task := &state.Task{Containers: []state.Container{
			{Name: "a", Essential: true, Health: tc.a},
			{Name: "b", Essential: true, Health: tc.b},
			{Name: "none", Essential: true, Health: q},
			{Name: "side", Health: tc.side},
		}}
		if got := aggregate(d, task); got != tc.want {
			t.Errorf("%+v: got %s", tc, got)
		}
	}
}
