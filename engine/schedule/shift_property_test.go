package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine/state"
)

// shifts is a history of deployments by every strategy, in which traffic is watched with every plan.
type shifts struct{ *history }

func newShifts(t *rapid.T) *shifts {
	h := &history{world: newWorld(t), t: t, broken: map[state.DeploymentID]bool{}}
	h.instances(rapid.IntRange(2, 4).Draw(t, "instances")).rules()
	for revision := range 20 {
		h.behaviour[revision] = rapid.Custom(drawBehaviour).Draw(t, "behaviour")
	}
	s := &shifts{h}
	h.seen = s.check
	h.service(rapid.IntRange(1, 3).Draw(t, "desired"), routedBalancer, configured(s.configuration()))
	return s
}

func (s *shifts) configuration() types.DeploymentConfiguration {
	c := types.DeploymentConfiguration{
		Strategy:              rapid.SampledFrom(types.DeploymentStrategy("").Values()).Draw(s.t, "strategy"),
		BakeTimeInMinutes:     aws.Int32(rapid.Int32Range(0, 3).Draw(s.t, "bake")),
		LinearConfiguration:   &types.LinearConfiguration{StepPercent: aws.Float64(35), StepBakeTimeInMinutes: aws.Int32(1)},
		CanaryConfiguration:   &types.CanaryConfiguration{CanaryPercent: aws.Float64(5), CanaryBakeTimeInMinutes: aws.Int32(2)},
		MaximumPercent:        aws.Int32(200),
		MinimumHealthyPercent: aws.Int32(rapid.SampledFrom([]int32{50, 100}).Draw(s.t, "min")),
	}
	if rapid.Bool().Draw(s.t, "breaker") {
		c.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}
	}
	if rapid.Bool().Draw(s.t, "hooks") {
		c.LifecycleHooks = []types.DeploymentLifecycleHook{pause(30, "",
			rapid.SampledFrom(types.DeploymentLifecycleHookStage("").Values()).Draw(s.t, "hook"))}
	}
	return c
}

// check looks at a plan before it is applied: traffic comes only to where it is served, and nobody takes the last healthy
// task away from where it goes.
func (s *shifts) check(plan Plan) {
	snap := s.db.Read()
	p, ok := look(snap, s.key, s.now, s.pace)
	if !ok {
		return
	}
	p.examine()
	before, after := s.traffic(snap, Plan{}), s.traffic(snap, plan)
	stopped := map[state.TaskID]bool{}
	for _, stop := range plan.Stop {
		stopped[stop.Task] = true
	}
	served, left := map[string]int{}, map[string]int{}
	for _, d := range p.current() {
		for _, t := range d.tasks {
			if !well(t) {
				continue
			}
			for group := range after {
				if uses(d.revision, group) {
					served[group]++
					if !stopped[t.ID] {
						left[group]++
					}
				}
			}
		}
	}
	for group, weight := range after {
		if weight > 0 && before[group] == 0 && served[group] == 0 {
			s.t.Errorf("traffic comes to %s, where nothing is healthy", group)
		}
		if weight > 0 && served[group] > 0 && left[group] == 0 && p.desired > 0 {
			s.t.Errorf("traffic goes to %s, and its last healthy task is stopped", group)
		}
	}
	for _, start := range plan.Start {
		if s.broken[start.Deployment] {
			s.t.Errorf("%s was broken and starts a task", start.Deployment)
		}
	}
	for _, d := range plan.Deployments {
		s.broken[d.ID] = d.Broken
	}
}

// traffic returns the weights of the groups in the production rule as they are, or as a plan has them.
func (s *shifts) traffic(snap state.Snapshot, plan Plan) map[string]int32 {
	r, _ := snap.Rule(productionARN)
	for _, changed := range plan.Traffic {
		if rule, ok := changed.(*state.Rule); ok && rule.ARN == productionARN {
			r = rule
		}
	}
	return map[string]int32{groupARN: weightOf(r, groupARN), greenARN: weightOf(r, greenARN)}
}

func (s *shifts) step() {
	switch rapid.IntRange(0, 9).Draw(s.t, "step") {
	case 0, 1, 2:
		c := s.configuration()
		s.change(func(service *state.Service) { service.Doc.DeploymentConfiguration = &c })
		s.deploy(rapid.IntRange(1, 19).Draw(s.t, "revision"))
	case 3:
		s.scale(rapid.IntRange(1, 4).Draw(s.t, "to"))
	case 4:
		s.endTask(types.TaskStopCodeEssentialContainerExited)
	case 5:
		s.stopNewest()
	case 6:
		s.answer(types.DeploymentLifecycleHookStatusFailed, "no")
	case 7, 8:
		s.answer(types.DeploymentLifecycleHookStatusSucceeded, "")
	}
	s.run(time.Duration(rapid.IntRange(1, 100).Draw(s.t, "ticks")) * tick)
}

// stopNewest does what StopServiceDeployment does, to the newest service deployment.
func (s *shifts) stopNewest() {
	switch h := s.world.history(s.number); h.Status {
	case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress:
		s.request(s.number, rapid.SampledFrom([]types.ServiceDeploymentStatus{
			types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusStopRequested,
		}).Draw(s.t, "stop"))
	}
}

func TestTrafficIsServedUnderRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := newShifts(t)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			s.step()
		}
		s.behaviour[99] = behaviour{}
		s.scale(2)
		c := types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0)}
		s.change(func(service *state.Service) { service.Doc.DeploymentConfiguration = &c })
		s.deploy(99)
		for range 120 {
			if s.run(30 * time.Second); s.steady() {
				break
			}
		}
		if h := s.world.history(s.number); !s.steady() || h.Status != types.ServiceDeploymentStatusSuccessful {
			t.Fatalf("the last deployment is %s at %s", h.Status, h.LifecycleStage)
		}
		if plan := s.pass(); !plan.Empty() {
			t.Errorf("a steady service has something done: %+v", plan)
		}
		serving := 0
		for group, weight := range s.traffic(s.db.Read(), Plan{}) {
			for target := range s.db.Read().Targets(group) {
				if weight > 0 && target.Draining.IsZero() {
					serving++
				}
			}
		}
		if serving != 2 {
			t.Errorf("%d targets get the traffic", serving)
		}
	})
}
