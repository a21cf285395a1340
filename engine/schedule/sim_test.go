package schedule

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// failer is what the simulator needs of *testing.T and *rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// world applies plans to a state and lets tasks and targets live, in virtual time.
type world struct {
	t         failer
	db        *state.DB
	now       time.Time
	pace      Pace
	tasks     int
	number    int
	events    []string
	behaviour map[int]behaviour // by task definition revision
	drain     time.Duration
	seen      func(Plan) // called with every plan
	lastPass  time.Time
	key       state.ServiceKey
}

var web = state.ServiceKey{Cluster: "qa", Name: "web"}

const (
	groupARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1"
	tick     = 5 * time.Second
)

func newWorld(t failer) *world {
	w := &world{
		t: t, db: state.New(nil), now: time.Date(2026, 10, 9, 22, 0, 0, 0, time.UTC), pace: NewPace(1),
		behaviour: map[int]behaviour{}, drain: 20 * time.Second, key: web,
	}
	w.put(&state.Cluster{Name: "qa", Doc: types.Cluster{ClusterArn: aws.String("arn:aws:ecs:us-east-1:000000000000:cluster/qa")}})
	w.put(&state.TargetGroup{ARN: groupARN, Doc: v2.TargetGroup{TargetType: v2.TargetTypeEnumInstance}})
	return w
}

func (w *world) put(records ...state.Record) {
	w.t.Helper()
	err := w.db.Write(func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	})
	if err != nil {
		w.t.Fatalf("put: %v", err)
	}
}

// instances adds n instances, alternating between zones a and b.
func (w *world) instances(n int) *world {
	for i := range n {
		zone := "us-east-1" + string(rune('a'+i%2))
		w.put(&state.Instance{
			ID: state.InstanceID(fmt.Sprintf("i%d", i+1)), Cluster: "qa", Zone: zone, CPU: 4096, Memory: 8192,
			Address: netip.AddrFrom4([4]byte{127, 1, 0, byte(i + 1)}),
			Doc:     types.ContainerInstance{Ec2InstanceId: aws.String(fmt.Sprintf("i-%d", i+1)), Status: aws.String("ACTIVE")},
		})
	}
	return w
}

type option func(*types.Service, *types.TaskDefinition)

func percent(low, high int32) option {
	return func(s *types.Service, _ *types.TaskDefinition) {
		s.DeploymentConfiguration.MinimumHealthyPercent, s.DeploymentConfiguration.MaximumPercent = &low, &high
	}
}

func balanced(s *types.Service, _ *types.TaskDefinition) {
	s.LoadBalancers = []types.LoadBalancer{{
		TargetGroupArn: aws.String(groupARN), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080),
	}}
}

func classic(s *types.Service, _ *types.TaskDefinition) {
	s.LoadBalancers = []types.LoadBalancer{{
		LoadBalancerName: aws.String("front"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080),
	}}
}

func fixedPort(_ *types.Service, d *types.TaskDefinition) {
	d.ContainerDefinitions[0].PortMappings[0].HostPort = aws.Int32(1234)
}

func checkedContainer(_ *types.Service, d *types.TaskDefinition) {
	d.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}}
}

func grace(seconds int32) option {
	return func(s *types.Service, _ *types.TaskDefinition) { s.HealthCheckGracePeriodSeconds = &seconds }
}

func breaker(rollback bool) option {
	return func(s *types.Service, _ *types.TaskDefinition) {
		s.DeploymentConfiguration.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: rollback}
	}
}

// service creates the service and its first deployment, of revision 1.
func (w *world) service(desired int, options ...option) *world {
	s := &state.Service{ID: web, Doc: types.Service{
		Status: aws.String("ACTIVE"), DesiredCount: int32(desired), DeploymentConfiguration: &types.DeploymentConfiguration{},
	}}
	for _, o := range options {
		o(&s.Doc, definition().doc())
	}
	w.put(s)
	return w.deploy(1, options...)
}

type definitionDoc types.TaskDefinition

func definition() *definitionDoc {
	return &definitionDoc{ContainerDefinitions: []types.ContainerDefinition{{
		Name: aws.String("app"), Memory: aws.Int32(256), Essential: aws.Bool(true),
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080), Protocol: types.TransportProtocolTcp}},
	}}}
}

func (d *definitionDoc) doc() *types.TaskDefinition { return (*types.TaskDefinition)(d) }

// deploy begins a deployment of a task definition revision, as UpdateService does.
func (w *world) deploy(revision int, options ...option) *world {
	snap := w.db.Read()
	s, _ := snap.Service(w.key)
	doc := definition().doc()
	scratch := s.Doc
	scratch.DeploymentConfiguration = &types.DeploymentConfiguration{}
	for _, o := range options {
		o(&scratch, doc)
	}
	w.number++
	id := fmt.Sprint(w.number)
	d := &state.TaskDefinition{TaskDefinitionID: state.TaskDefinitionID{Family: "web", Revision: revision}, Doc: *doc}
	rev := &state.Revision{ARN: "revision/" + id, Service: w.key, Doc: types.ServiceRevision{
		TaskDefinition: aws.String(d.String()), LoadBalancers: s.Doc.LoadBalancers, LaunchType: s.Doc.LaunchType,
		ResolvedConfiguration: Resolve(snap, w.key, s.Doc.LoadBalancers, Shifts(s.Doc.DeploymentConfiguration)),
	}}
	history := &state.ServiceDeployment{ARN: "history/" + id, Service: w.key, Doc: types.ServiceDeployment{
		ServiceDeploymentArn: aws.String("history/" + id), Status: types.ServiceDeploymentStatusPending,
		DeploymentConfiguration: s.Doc.DeploymentConfiguration,
		TargetServiceRevision:   &types.ServiceRevisionSummary{Arn: aws.String(rev.ARN)},
	}}
	next := &state.Deployment{
		ID: state.DeploymentID("ecs-svc/" + id), Service: w.key, Status: state.Primary, Revision: rev.ARN,
		ServiceDeployment: history.ARN, TaskDefinition: d.TaskDefinitionID, Created: w.now,
		State: types.DeploymentRolloutStateInProgress, Reason: "ECS deployment ecs-svc/" + id + " in progress.",
	}
	next.Shift = NewShift(snap, s)
	for old := range snap.Deployments(w.key) {
		if old.Status == state.Primary {
			c := *old
			c.Status = state.Active
			w.put(&c)
			history.Doc.SourceServiceRevisions = append(history.Doc.SourceServiceRevisions,
				types.ServiceRevisionSummary{Arn: aws.String(old.Revision)})
		}
	}
	changed := *s
	changed.Doc.TaskDefinition = aws.String(d.String())
	w.put(d, rev, history, next, &changed)
	return w
}

func (w *world) change(f func(*state.Service)) {
	s, _ := w.db.Read().Service(w.key)
	c := *s
	f(&c)
	w.put(&c)
}

func (w *world) scale(n int) { w.change(func(s *state.Service) { s.Doc.DesiredCount = int32(n) }) }

// run lets the time pass.
func (w *world) run(d time.Duration) *world {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); w.now = w.now.Add(tick) {
		if !w.now.Before(w.lastPass.Add(w.pace.Pass)) {
			w.pass()
		}
		w.live()
	}
	return w
}

// pass has the scheduler look once, and does what it says.
func (w *world) pass() Plan {
	w.t.Helper()
	w.lastPass = w.now
	plan := Service(w.db.Read(), w.key, w.now, w.pace)
	if w.seen != nil {
		w.seen(plan)
	}
	w.apply(plan)
	return plan
}

func (w *world) apply(plan Plan) {
	w.t.Helper()
	var started []state.TaskID
	err := w.db.Write(func(tx *state.Tx) error {
		for _, r := range plan.Traffic {
			tx.Put(r)
		}
		for _, d := range plan.Deployments {
			tx.Put(d)
		}
		for _, d := range plan.ServiceDeployments {
			tx.Put(d)
		}
		for _, set := range plan.TaskSets {
			tx.Put(set)
		}
		for _, set := range plan.Ended {
			tx.Delete(set)
		}
		for _, target := range slices.Concat(plan.Register, plan.Deregister) {
			tx.Put(target)
		}
		if plan.Service != nil {
			tx.Put(plan.Service)
		}
		for _, id := range plan.Settle {
			changeTask(tx, id, func(t *state.Task) { t.Settled = true })
		}
		for _, id := range plan.Healthy {
			changeTask(tx, id, func(t *state.Task) { t.Healthy = true })
		}
		for _, s := range plan.Stop {
			changeTask(tx, s.Task, func(t *state.Task) { t.Desired, t.StopCode, t.StoppedReason = state.Stopped, s.Code, s.Reason })
		}
		for _, s := range plan.Start {
			started = append(started, w.start(tx, s))
		}
		return nil
	})
	if err != nil {
		w.t.Fatalf("apply: %v", err)
	}
	w.events = append(w.events, plan.Texts(started)...)
}

func changeTask(tx *state.Tx, id state.TaskID, f func(*state.Task)) {
	if t, ok := tx.Task(id); ok {
		c := *t
		f(&c)
		tx.Put(&c)
	}
}

func (w *world) start(tx *state.Tx, s Start) state.TaskID {
	w.tasks++
	d, _ := tx.Deployment(s.Deployment)
	i, _ := tx.Instance(s.Place.Instance)
	t := &state.Task{
		ID: state.TaskID(fmt.Sprintf("t%d", w.tasks)), Cluster: w.key.Cluster, Service: w.key, Deployment: d.ID,
		TaskDefinition: d.TaskDefinition, Group: "service:" + w.key.Name, Instance: s.Place.Instance, Zone: s.Place.Zone,
		CPU: s.Place.CPU, Memory: s.Place.Memory, Ports: s.Place.Ports, CreatedAt: w.now,
		Last: state.Provisioning, Desired: state.Running, Health: types.HealthStatusUnknown,
		Containers: []state.Container{{Name: "app", Essential: true}},
	}
	if i != nil {
		t.Address = i.Address
	}
	tx.Put(t)
	return t.ID
}

// take returns what has been told since the last time, without the service's name.
func (w *world) take() []string {
	var texts []string
	for _, e := range w.events {
		e = strings.NewReplacer("(service web) ", "", "(service web, ", "(", groupARN, "G").Replace(e)
		texts = append(texts, e)
	}
	w.events = nil
	return texts
}

func (w *world) deployment(id int) *state.Deployment {
	d, ok := w.db.Read().Deployment(state.DeploymentID(fmt.Sprintf("ecs-svc/%d", id)))
	if !ok {
		w.t.Fatalf("deployment %d is not there", id)
	}
	return d
}

func (w *world) history(id int) types.ServiceDeployment {
	d, ok := w.db.Read().ServiceDeployment(fmt.Sprintf("history/%d", id))
	if !ok {
		w.t.Fatalf("service deployment %d is not there", id)
	}
	return d.Doc
}

// count returns how many tasks of a deployment are neither stopped nor stopping.
func (w *world) count(id int) int {
	n := 0
	for t := range w.db.Read().TasksOfDeployment(state.DeploymentID(fmt.Sprintf("ecs-svc/%d", id))) {
		if t.Desired == state.Running && t.Alive() {
			n++
		}
	}
	return n
}

func (w *world) steady() bool {
	s, _ := w.db.Read().Service(w.key)
	return s.Steady
}
