package conformance

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go/document"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/engine/state"
)

// course is a random history: what there is, and what happens to it.
type course struct {
	Instances          int
	Low, High          int32
	Checked, Balanced  bool
	Fixed              bool // its host port
	Breaker, Rollback  bool
	Behaviours, Images []string // of the revisions
	Acts               []act
}

// act is one thing that happens, and how long nothing else does afterwards.
type act struct {
	Kind string
	N    int
	Then time.Duration
}

var acts = []string{"deploy", "deploy", "scale", "stop", "crash", "drain", "activate", "lose", "undeploy", "kill", "kill at once", "wait"}

func drawCourse(t *rapid.T) course {
	limits := rapid.SampledFrom([][2]int32{{0, 100}, {0, 200}, {25, 150}, {25, 200}, {50, 100}, {50, 150}, {100, 150}, {100, 200}}).Draw(t, "minimum and maximum")
	c := course{
		Instances: rapid.IntRange(1, 4).Draw(t, "instances"), Low: limits[0], High: limits[1],
		Checked: rapid.Bool().Draw(t, "checked"), Balanced: rapid.Bool().Draw(t, "balanced"), Fixed: rapid.Bool().Draw(t, "fixed port"),
		Breaker: rapid.Bool().Draw(t, "breaker"), Rollback: rapid.Bool().Draw(t, "rollback"),
	}
	for range 4 {
		c.Behaviours = append(c.Behaviours, rapid.SampledFrom([]string{
			"start 3s; stop 2s", "start 1s; stop 7s; unhealthy; healthy after 21s", "start 3s; run 17s; exit 1", "start 2s; unhealthy; answer 503",
			"start fails \"exec format error\"", "start 3s; stop ignores", "start 4s; run 2m; exit 0",
		}).Draw(t, "behaviour"))
		c.Images = append(c.Images, rapid.SampledFrom([]string{"app:1", "app:1-pull-6s", "app:1-pull-1s-missing"}).Draw(t, "image"))
	}
	c.Acts = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{
			Kind: rapid.SampledFrom(acts).Draw(t, "act"), N: rapid.IntRange(0, 6).Draw(t, "n"),
			Then: time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second,
		}
	}), 1, 10).Draw(t, "acts")
	return c
}

// TestRulesHoldAndKillsAreSurvivedUnderRandomHistories plays random histories of operations, failures and kills on the whole
// engine: at every change the rules hold, what is found after a kill is what was stored before it, and at the end everything
// comes to rest.
func TestRulesHoldAndKillsAreSurvivedUnderRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		c := drawCourse(rt)
		var wrong []string
		played := t.Run("history", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { wrong = runCourse(t, c) })
		})
		if !played {
			rt.Fatalf("it was not played to its end")
		}
		for _, w := range wrong {
			rt.Errorf("%s", w)
		}
	})
}

// life is a history that is being played.
type life struct {
	*house
	course
	*rules
	containers *scripted.Runtime
	gate       *gate
	killed     atomic.Pointer[remains] // nil: it lives
	last       int                     // the newest revision that is deployed
}

// remains is what there is when an engine was killed: a copy of its directory, and what was stored in it.
type remains struct {
	dir  string
	snap state.Snapshot
}

func runCourse(t *testing.T, c course) []string {
	t.Helper()
	l := &life{course: c, containers: scripted.New(1)}
	l.gate = newGate(l.containers)
	l.house = newHouse(t, func(o *engine.Options) { o.Instances, o.Runtime = c.Instances, l.gate })
	l.rules = newRules(l.DB().Read())
	l.checked, l.balanced = c.Checked, c.Balanced
	l.setUp()
	for _, a := range c.Acts {
		l.do(a)
		l.live(a.Then)
	}
	l.rest()
	return l.broken
}

func (l *life) setUp() {
	l.Helper()
	plan := Plan{}
	if l.Balanced {
		plan.Balancer = &Balancer{Attributes: map[string]string{"deregistration_delay.timeout_seconds": "11"}}
	}
	s := stage{clients: l.house.clients, names: newNames()}
	l.must(s.setUp(l.Context(), plan))
	for i, script := range append(slices.Clone(l.Behaviours), "start 3s; stop 2s") {
		image := "app:1"
		if i < len(l.Images) {
			image = l.Images[i]
		}
		l.register(script, image)
	}
	in := &ecs.CreateServiceInput{
		ServiceName: aws.String("web"), TaskDefinition: aws.String("web:1"), DesiredCount: aws.Int32(2),
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MinimumHealthyPercent: &l.Low, MaximumPercent: &l.High,
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: l.Breaker, Rollback: l.Rollback},
		},
	}
	if l.Balanced {
		in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: aws.String(s.names.refs["group.blue"]), ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}}
	}
	_, err := l.house.ecs.CreateService(l.Context(), in)
	l.must(err)
	l.live(45 * time.Second)
}

func (l *life) register(script, image string) {
	l.Helper()
	c := types.ContainerDefinition{
		Name: aws.String("app"), Image: &image, Memory: aws.Int32(64), DockerLabels: map[string]string{scripted.Label: script},
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}}, StopTimeout: aws.Int32(9),
	}
	if l.Fixed {
		c.PortMappings[0].HostPort = aws.Int32(8888)
	}
	if l.Checked {
		c.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "check"}, Interval: aws.Int32(7), Retries: aws.Int32(3)}
	}
	_, err := l.house.ecs.RegisterTaskDefinition(l.Context(), &ecs.RegisterTaskDefinitionInput{Family: aws.String("web"), ContainerDefinitions: []types.ContainerDefinition{c}})
	l.must(err)
}

// live lets time pass, in which the rules are watched. An engine that is killed meanwhile is started again.
func (l *life) live(d time.Duration) {
	for end := time.Now().Add(d); ; {
		l.follow(l.settle(), time.Now())
		if l.killed.Load() != nil {
			l.resurrect()
			continue
		}
		if !time.Now().Before(end) {
			return
		}
		l.follow(l.next(end), time.Now())
	}
}

func (l *life) do(a act) {
	web := aws.String("web")
	switch a.Kind {
	case "deploy":
		l.last = a.N % len(l.Behaviours)
		l.update(&ecs.UpdateServiceInput{Service: web, TaskDefinition: aws.String(fmt.Sprintf("web:%d", l.last+1)), ForceNewDeployment: true})
	case "scale":
		l.update(&ecs.UpdateServiceInput{Service: web, DesiredCount: aws.Int32(int32(a.N))}) //nolint:gosec // up to six
	case "undeploy":
		l.stopDeployment()
	case "stop":
		if id, ok := l.some(a.N); ok {
			_, _ = l.house.ecs.StopTask(l.Context(), &ecs.StopTaskInput{Task: aws.String(string(id))}) // it may have stopped meanwhile
		}
	case "crash":
		if id, ok := l.some(a.N); ok {
			_ = l.containers.Stop(l.Context(), lifecycle.Name(id, "app"), 0) // it may have ended meanwhile
		}
	case "drain", "activate", "lose":
		l.befall(a)
	case "kill at once":
		if l.gate.close() {
			l.die()
		}
	case "kill":
		l.gate.killAfter(a.N, l.die)
	}
}

func (l *life) update(in *ecs.UpdateServiceInput) {
	l.Helper()
	_, err := l.house.ecs.UpdateService(l.Context(), in)
	l.must(err)
}

func (l *life) stopDeployment() {
	list, err := l.house.ecs.ListServiceDeployments(l.Context(), &ecs.ListServiceDeploymentsInput{Service: aws.String("web")})
	l.must(err)
	if len(list.ServiceDeployments) > 0 { // it is refused when the newest has come to its end
		_, _ = l.house.ecs.StopServiceDeployment(l.Context(), &ecs.StopServiceDeploymentInput{ServiceDeploymentArn: list.ServiceDeployments[0].ServiceDeploymentArn})
	}
}

// some returns one of the tasks that are alive.
func (l *life) some(n int) (state.TaskID, bool) {
	var alive []state.TaskID
	for t := range l.DB().Read().AllTasks() {
		if t.Alive() {
			alive = append(alive, t.ID)
		}
	}
	slices.Sort(alive)
	if len(alive) == 0 {
		return "", false
	}
	return alive[n%len(alive)], true
}

// befall has something happen to one of the container instances.
func (l *life) befall(a act) {
	l.Helper()
	var there []state.InstanceID
	for i := range l.DB().Read().AllInstances() {
		if i.Gone.IsZero() {
			there = append(there, i.ID)
		}
	}
	slices.Sort(there)
	if len(there) == 0 {
		return
	}
	id := there[a.N%len(there)]
	if a.Kind == "lose" {
		l.must(l.DB().Write(func(tx *state.Tx) error { _, err := l.LoseInstance(tx, id); return err }))
		return
	}
	status := map[string]types.ContainerInstanceStatus{"drain": types.ContainerInstanceStatusDraining, "activate": types.ContainerInstanceStatusActive}[a.Kind]
	_, err := l.house.ecs.UpdateContainerInstancesState(l.Context(), &ecs.UpdateContainerInstancesStateInput{
		ContainerInstances: []string{string(id)}, Status: status,
	})
	l.must(err)
}

// die keeps what a killed engine leaves behind. Nobody writes while the directory is copied.
func (l *life) die() {
	dir := filepath.Join(l.TempDir(), "copy")
	_ = l.DB().Write(func(tx *state.Tx) error {
		l.must(os.CopyFS(dir, os.DirFS(l.options.Dir)))
		l.killed.Store(&remains{dir, l.DB().Read()})
		return errKilled
	})
}

var errKilled = errors.New("the engine was killed")

// resurrect starts an engine on what the killed one has left, and compares what it finds with what was stored.
func (l *life) resurrect() {
	l.Helper()
	left := l.killed.Swap(nil)
	l.close()
	l.gate = newGate(l.containers)
	l.options.Dir, l.options.Runtime = left.dir, l.gate
	broken := l.broken
	l.opened = func() {
		if diff := cmp.Diff(picture(left.snap), picture(l.DB().Read()), alike); diff != "" {
			broken = append(broken, "after a kill the state is another one than was stored before it: "+diff)
		}
		checked, balanced := l.checked, l.balanced
		l.rules = newRules(l.DB().Read())
		l.broken, l.checked, l.balanced = broken, checked, balanced
	}
	l.open()
}

// alike compares records by what they say.
var alike = cmp.Options{cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}), cmpopts.IgnoreTypes(document.NoSerde{})}

// picture is what is known of services and tasks.
func picture(snap state.Snapshot) map[string]state.Record {
	all := map[string]state.Record{}
	put := func(r state.Record) { all[string(r.Kind())+" "+r.Key()] = r }
	for s := range snap.AllServices() {
		put(s)
		put(snap.Events(s.ID))
		for d := range snap.Deployments(s.ID) {
			put(d)
		}
	}
	for t := range snap.AllTasks() {
		put(t)
	}
	for i := range snap.AllInstances() {
		put(i)
	}
	for t := range snap.AllTargets() {
		put(t)
	}
	return all
}

// rest ends the history with tasks that behave well: the service becomes steady, and what runs is what the state says.
func (l *life) rest() {
	l.Helper()
	l.gate.killAfter(-1, nil)
	for range l.Instances {
		l.must(l.DB().Write(func(tx *state.Tx) error {
			_, err := l.NewInstance(tx, "default", l.Zones()[0], time.Now())
			return err
		}))
	}
	l.update(&ecs.UpdateServiceInput{
		Service: aws.String("web"), TaskDefinition: aws.String("web:5"), DesiredCount: aws.Int32(1), ForceNewDeployment: true,
		DeploymentConfiguration: &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(0), MaximumPercent: aws.Int32(200)},
	})
	for range 40 {
		if l.live(time.Minute); l.steady() {
			break
		}
	}
	if !l.steady() {
		l.breaks("it does not come to rest: %s", l.told())
		return
	}
	l.live(time.Minute) // containers of tasks that have stopped are removed
	l.compare()
}

func (l *life) steady() bool {
	s, ok := l.DB().Read().Service(state.ServiceKey{Cluster: "default", Name: "web"})
	return ok && s.Steady
}

func (l *life) told() string {
	var b strings.Builder
	for _, e := range l.DB().Read().Events(state.ServiceKey{Cluster: "default", Name: "web"}).List {
		fmt.Fprintf(&b, "\n%s %s", e.CreatedAt.Format(time.TimeOnly), *e.Message)
	}
	return b.String()
}

// compare holds the containers that run against the tasks that are to run: none is lost, none is there twice.
func (l *life) compare() {
	want, got := map[runtime.Name]bool{}, map[runtime.Name]bool{}
	for t := range l.DB().Read().AllTasks() {
		if t.Alive() {
			want[lifecycle.Name(t.ID, "app")] = true
		}
	}
	list, err := l.containers.List(l.Context(), nil)
	l.must(err)
	for _, c := range list {
		if c.Phase == runtime.Running {
			got[c.Name] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.breaks("what runs is not what is to run (-to run +runs): %s", diff)
	}
	if len(want) != 1 {
		l.breaks("%d tasks run, and 1 is wanted", len(want))
	}
}
