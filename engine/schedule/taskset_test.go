package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

func external(s *types.Service, _ *types.TaskDefinition) {
	s.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeExternal}
}

// managed creates a service whose deployments somebody else controls, without task sets.
func (w *world) managed(desired int, options ...option) *world {
	s := &state.Service{ID: web, Doc: types.Service{
		Status: aws.String("ACTIVE"), DesiredCount: int32(desired), DeploymentConfiguration: &types.DeploymentConfiguration{},
	}}
	for _, o := range append([]option{external}, options...) {
		o(&s.Doc, definition().doc())
	}
	w.put(s)
	return w
}

// set adds a task set of a task definition revision of the same number, which is its id.
func (w *world) set(id int, status string, scale float64) *world {
	s, _ := w.db.Read().Service(w.key)
	number := fmt.Sprint(id)
	d := &state.TaskDefinition{TaskDefinitionID: state.TaskDefinitionID{Family: "web", Revision: id}, Doc: *definition().doc()}
	w.put(d, &state.Revision{ARN: "revision/" + number, Service: w.key, Doc: types.ServiceRevision{LoadBalancers: s.Doc.LoadBalancers}},
		&state.Deployment{
			ID: state.DeploymentID("ecs-svc/" + number), Service: w.key, Status: state.DeploymentStatus(status), Revision: "revision/" + number,
			TaskDefinition: d.TaskDefinitionID, Created: w.now,
		},
		&state.TaskSet{ARN: "set/" + number, Service: w.key, Deployment: state.DeploymentID("ecs-svc/" + number), Doc: types.TaskSet{
			Status: &status, Scale: &types.Scale{Value: scale, Unit: types.ScaleUnitPercent},
		}})
	return w
}

func (w *world) changeSet(id int, f func(*types.TaskSet)) {
	set, _ := w.db.Read().TaskSet(fmt.Sprintf("set/%d", id))
	c := *set
	f(&c.Doc)
	w.put(&c)
}

func (w *world) stability(id int) types.StabilityStatus {
	set, ok := w.db.Read().TaskSet(fmt.Sprintf("set/%d", id))
	if !ok {
		return "gone"
	}
	return set.Doc.StabilityStatus
}

func TestTaskSetsAreKeptAtTheirScale(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).managed(4, balanced)
	w.run(time.Minute)
	expect(t, w, "without task sets", nil)
	w.set(1, "PRIMARY", 100).run(2 * time.Minute)
	expect(t, w, "the first", []string{
		"(taskSet ecs-svc/1) has started 4 tasks: (task t1) (task t2) (task t3) (task t4).",
		"registered 4 targets in (target-group G)",
		"(taskSet ecs-svc/1) has reached a steady state.",
	})
	w.set(2, "ACTIVE", 30).run(10 * time.Second)
	expect(t, w, "thirty percent of four, rounded up", []string{"(taskSet ecs-svc/2) has started 2 tasks: (task t5) (task t6)."})
	if w.stability(1) != types.StabilityStatusSteadyState || w.stability(2) != types.StabilityStatusStabilizing {
		t.Errorf("the first is %s, the second %s", w.stability(1), w.stability(2))
	}
	w.run(2 * time.Minute)
	expect(t, w, "the second", []string{"registered 2 targets in (target-group G)", "(taskSet ecs-svc/2) has reached a steady state."})
	w.changeSet(2, func(s *types.TaskSet) { s.Scale = &types.Scale{Value: 100} })
	w.changeSet(1, func(s *types.TaskSet) { s.Scale = &types.Scale{Value: 0} })
	w.run(3 * time.Minute)
	if w.count(1) != 0 || w.count(2) != 4 || w.stability(1) != types.StabilityStatusSteadyState || !w.steady() {
		t.Errorf("%d tasks of the first, %d of the second, %s", w.count(1), w.count(2), w.stability(1))
	}
	w.take()
	w.changeSet(1, func(s *types.TaskSet) { s.Status = aws.String("DRAINING") })
	w.scale(2)
	w.run(3 * time.Minute)
	if w.stability(1) != "gone" || w.count(2) != 2 || w.deployment(1).Status != state.Inactive {
		t.Errorf("the first is %s, %d tasks of the second", w.stability(1), w.count(2))
	}
}

func TestASickTaskOfATaskSetIsReplacedByOneOfTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).managed(2)
	w.set(1, "PRIMARY", 100).set(2, "ACTIVE", 100).run(2 * time.Minute)
	w.lose("1")
	w.run(2 * time.Minute)
	if w.count(1) != 2 || w.count(2) != 2 || w.on("2") != 4 {
		t.Errorf("%d and %d tasks", w.count(1), w.count(2))
	}
}

func TestTaskSetsOfADeletedServiceEndWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2).managed(2)
	w.set(1, "ACTIVE", 100).run(2 * time.Minute)
	w.change(func(s *state.Service) { s.Doc.Status, s.Doc.DesiredCount = aws.String("DRAINING"), 0 })
	w.run(2 * time.Minute)
	s, _ := w.db.Read().Service(w.key)
	if *s.Doc.Status != "INACTIVE" || w.stability(1) != "gone" || w.deployment(1).Status != state.Inactive {
		t.Errorf("the service is %s, its task set %s, the deployment %s", *s.Doc.Status, w.stability(1), w.deployment(1).Status)
	}
}

func TestATaskSetThatFindsNoPlaceSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t).managed(1)
	w.set(1, "ACTIVE", 100).run(time.Minute)
	expect(t, w, "events", []string{
		"(taskSet ecs-svc/1) was unable to place a task because no container instance met all of its requirements. Reason: No Container" +
			" Instances were found in your cluster. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
	})
}
