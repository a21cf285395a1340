package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine/state"
)

// history is a world in which the rules that hold under all circumstances are checked with every plan.
type history struct {
	*world
	t       *rapid.T
	broken  map[state.DeploymentID]bool
	options []option
}

func newHistory(t *rapid.T) *history {
	h := &history{world: newWorld(t), t: t, broken: map[state.DeploymentID]bool{}}
	h.instances(rapid.IntRange(1, 5).Draw(t, "instances"))
	for revision := range 20 {
		h.behaviour[revision] = rapid.Custom(drawBehaviour).Draw(t, "behaviour")
	}
	for _, o := range []option{balanced, fixedPort, checkedContainer} {
		if rapid.Bool().Draw(t, "option") {
			h.options = append(h.options, o)
		}
	}
	low, high := rapid.Int32Range(0, 100).Draw(t, "min"), rapid.Int32Range(100, 250).Draw(t, "max")
	create := append([]option{percent(low, high)}, h.options...)
	if rapid.Bool().Draw(t, "breaker") {
		create = append(create, breaker(rapid.Bool().Draw(t, "rollback")))
	}
	h.seen = h.check
	h.service(rapid.IntRange(0, 5).Draw(t, "desired"), create...)
	return h
}

func drawBehaviour(t *rapid.T) behaviour {
	takes := time.Duration(rapid.IntRange(0, 30).Draw(t, "check")) * time.Second
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return behaviour{cannotPull: true}
	case 1:
		return behaviour{crashAfter: time.Duration(rapid.IntRange(1, 120).Draw(t, "crash")) * time.Second}
	case 2:
		return behaviour{unhealthy: true, checkTakes: takes}
	default:
		return behaviour{checkTakes: takes}
	}
}

// check looks at a plan before it is applied.
func (h *history) check(plan Plan) {
	snap := h.db.Read()
	p, ok := look(snap, h.key, h.now, h.pace)
	if !ok {
		return
	}
	p.examine()
	if n := p.alive() + len(plan.Start); len(plan.Start) > 0 && n > p.ceiling {
		h.t.Errorf("%d tasks, the ceiling is %d", n, p.ceiling)
	}
	h.checkFloor(p, plan)
	for _, s := range plan.Start {
		if h.broken[s.Deployment] {
			h.t.Errorf("%s was broken and starts a task", s.Deployment)
		}
	}
	for _, d := range plan.Deployments {
		h.broken[d.ID] = d.Broken
	}
	for _, target := range plan.Deregister {
		if t, _ := snap.Task(target.Task); t.Desired != state.Stopped && t.Alive() {
			h.t.Errorf("target of %s is deregistered before a decision to stop it", t.ID)
		}
	}
	h.checkPorts(snap, plan)
}

func (h *history) checkFloor(p *pass, plan Plan) {
	before, stopped := p.healthy(), 0
	for _, s := range plan.Stop {
		for _, d := range p.current() {
			for _, t := range d.tasks {
				if t.ID == s.Task && t.healthy {
					stopped++
				}
			}
		}
	}
	if stopped > 0 && before-stopped < p.floor {
		h.t.Errorf("%d healthy tasks, %d of them stopped, the floor is %d", before, stopped, p.floor)
	}
}

func (h *history) checkPorts(snap state.Snapshot, plan Plan) {
	type place struct {
		instance state.InstanceID
		port     state.HostPort
	}
	taken := map[place]bool{}
	for t := range snap.AllTasks() {
		for _, port := range t.Ports {
			if t.Alive() {
				taken[place{t.Instance, port}] = true
			}
		}
	}
	for _, s := range plan.Start {
		for _, port := range s.Place.Ports {
			at := place{s.Place.Instance, port}
			if taken[at] {
				h.t.Errorf("port %d of %s is doubled", port.Port, s.Place.Instance)
			}
			taken[at] = true
		}
	}
}

func (h *history) endTask(code types.TaskStopCode) {
	for task := range h.db.Read().UnsettledTasksOfService(h.key) {
		if task.Alive() && rapid.Bool().Draw(h.t, "this one") {
			_ = h.db.Write(func(tx *state.Tx) error {
				changeTask(tx, task.ID, func(t *state.Task) { t.Last, t.Desired, t.StopCode = state.Stopped, state.Stopped, code })
				return nil
			})
			return
		}
	}
}

func (h *history) step() {
	switch rapid.IntRange(0, 9).Draw(h.t, "step") {
	case 0, 1:
		h.deploy(rapid.IntRange(1, 19).Draw(h.t, "revision"), h.options...)
	case 2:
		h.scale(rapid.IntRange(0, 6).Draw(h.t, "to"))
	case 3:
		h.endTask(types.TaskStopCodeUserInitiated)
	case 4:
		h.endTask(types.TaskStopCodeEssentialContainerExited)
	case 5:
		h.setStatus("1", rapid.SampledFrom([]string{"ACTIVE", "DRAINING"}).Draw(h.t, "status"))
	case 6:
		h.protect(time.Duration(rapid.IntRange(0, 30).Draw(h.t, "minutes")) * time.Minute)
	case 7:
		h.lose("1")
	}
	h.run(time.Duration(rapid.IntRange(1, 60).Draw(h.t, "ticks")) * tick)
}

func TestRulesHoldUnderRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			h.step()
		}
		h.comesToRest()
	})
}

// comesToRest ends the history with a deployment of tasks that behave well: it becomes steady, and then nothing is done.
func (h *history) comesToRest() {
	h.behaviour[99] = behaviour{}
	h.changed("1", func(i *state.Instance) { i.Gone, i.Doc.Status = time.Time{}, aws.String("ACTIVE") })
	h.protect(0)
	h.change(func(s *state.Service) {
		low, high := int32(0), int32(200)
		s.Doc.DeploymentConfiguration.MinimumHealthyPercent, s.Doc.DeploymentConfiguration.MaximumPercent = &low, &high
		s.Doc.DesiredCount = 1 // which has room on any cluster
	})
	h.deploy(99, h.options...)
	for range 60 {
		if h.run(30 * time.Second); h.steady() {
			break
		}
	}
	if !h.steady() {
		h.t.Fatalf("not steady: %+v", h.db.Read().Events(h.key))
	}
	if plan := h.pass(); !plan.Empty() {
		h.t.Errorf("a steady service has something done: %+v", plan)
	}
}
