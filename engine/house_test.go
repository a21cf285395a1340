package engine

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"go.uber.org/goleak"

	"github.com/slipway-cd/slipway/engine/state"
)

// TestMain encodes a record of each kind before any bubble does: what the codec learns about a type it shares by a
// channel, which must not belong to a bubble.
func TestMain(m *testing.M) {
	x := aws.String("x")
	for _, r := range []state.Record{
		&state.Cluster{Doc: types.Cluster{ClusterName: x}},
		&state.Instance{Doc: types.ContainerInstance{Ec2InstanceId: x}},
		&state.TaskDefinition{Doc: types.TaskDefinition{Family: x}},
		&state.Service{Doc: types.Service{ServiceName: x}},
		&state.Events{List: []types.ServiceEvent{{Id: x}}},
		&state.ServiceDeployment{Doc: types.ServiceDeployment{ServiceArn: x}},
		&state.Revision{Doc: types.ServiceRevision{ServiceArn: x}},
		&state.Task{
			Overrides: &types.TaskOverride{Cpu: x}, Attachments: []types.Attachment{{Id: x}}, Tags: []types.Tag{{Key: x}},
			Containers: []state.Container{{Bindings: []types.NetworkBinding{{BindIP: x}}}},
		},
	} {
		if _, err := encode(r); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// house is an engine with one cluster, "c", and the API's part played by the test.
type house struct {
	testing.TB
	*Engine
	runtime *fake
	options Options
}

func options(tb testing.TB, f *fake) Options {
	tb.Helper()
	return Options{Dir: tb.TempDir(), Runtime: f, Addresses: netip.MustParsePrefix("127.66.1.0/24")}
}

func newHouse(tb testing.TB, change func(*Options)) *house {
	tb.Helper()
	f := newFake()
	o := options(tb, f)
	if change != nil {
		change(&o)
	}
	h := &house{TB: tb, runtime: f, options: o}
	h.open()
	h.write(func(tx *state.Tx) {
		tx.Put(&state.Cluster{Name: "c", Created: h.Now(), Doc: types.Cluster{
			ClusterName: aws.String("c"), ClusterArn: aws.String(h.Identity().ClusterARN("c")), Status: aws.String("ACTIVE"),
		}})
		if err := h.NewInstances(tx, "c"); err != nil {
			tb.Fatal(err)
		}
	})
	return h
}

func (h *house) open() {
	h.Helper()
	e, err := Open(context.Background(), h.options)
	if err != nil {
		h.Fatal(err)
	}
	if err := e.Start(context.Background()); err != nil {
		h.Fatal(err)
	}
	h.Engine = e
}

func (h *house) close() {
	h.Helper()
	if err := h.Stop(context.Background()); err != nil {
		h.Fatal(err)
	}
}

// kill ends the engine as kill -9 would: what is under way is neither finished nor written down.
func (h *house) kill() {
	h.Helper()
	h.store.kill() // from here on nothing can be stored
	h.stop()
	h.running.Wait()
}

func (h *house) write(fn func(*state.Tx)) {
	h.Helper()
	if err := h.DB().Write(func(tx *state.Tx) error { fn(tx); return nil }); err != nil {
		h.Fatal(err)
	}
}

var key = state.ServiceKey{Cluster: "c", Name: "web"}

// register registers the next revision of the family, which runs that image.
func (h *house) register(tx *state.Tx, image string, change func(*types.TaskDefinition)) *state.TaskDefinition {
	next := 1
	for d := range tx.TaskDefinitions("web") {
		next = d.Revision + 1
	}
	d := &state.TaskDefinition{TaskDefinitionID: state.TaskDefinitionID{Family: "web", Revision: next}}
	d.Doc = types.TaskDefinition{
		Family: aws.String("web"), Revision: int32(next), TaskDefinitionArn: aws.String(h.Identity().TaskDefinitionARN(d.TaskDefinitionID)),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(image), Essential: aws.Bool(true), Memory: aws.Int32(64),
		}},
	}
	if change != nil {
		change(&d.Doc)
	}
	tx.Put(d)
	return d
}

// deploy has the service run an image, as CreateService and UpdateService do.
func (h *house) deploy(image string, desired int32, change func(*state.Service, *types.TaskDefinition)) {
	h.Helper()
	h.deployTo(key, image, desired, change)
}

func (h *house) deployTo(key state.ServiceKey, image string, desired int32, change func(*state.Service, *types.TaskDefinition)) {
	h.Helper()
	h.write(func(tx *state.Tx) { h.deployIn(tx, key, image, desired, change) })
}

func (h *house) deployIn(tx *state.Tx, key state.ServiceKey, image string, desired int32, change func(*state.Service, *types.TaskDefinition)) {
	now := h.Now()
	s := &state.Service{ID: key, Changed: now, Doc: types.Service{
		ServiceName: aws.String(key.Name), ServiceArn: aws.String(h.Identity().ServiceARN(key)), Status: aws.String("ACTIVE"),
		ClusterArn: aws.String(h.Identity().ClusterARN(key.Cluster)), CreatedAt: &now, SchedulingStrategy: types.SchedulingStrategyReplica,
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MaximumPercent: aws.Int32(200), MinimumHealthyPercent: aws.Int32(50),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		},
	}}
	d := h.register(tx, image, func(d *types.TaskDefinition) {
		if change != nil {
			change(s, d)
		}
	})
	s.Doc.DesiredCount, s.Doc.TaskDefinition = desired, d.Doc.TaskDefinitionArn
	tx.Put(s)
	h.NewDeployment(tx, s, d, types.ServiceRevision{})
}

// tasks returns the tasks that run, by image.
func (h *house) tasks() map[string]int {
	count := map[string]int{}
	for t := range h.DB().Read().Tasks("c") {
		if t.Last == state.Running && t.Desired == state.Running {
			count[t.Containers[0].Image]++
		}
	}
	return count
}

func (h *house) primary() *state.Deployment {
	h.Helper()
	for d := range h.DB().Read().Deployments(key) {
		if d.Status == state.Primary {
			return d
		}
	}
	h.Fatal("there is no PRIMARY deployment")
	return nil
}

func (h *house) steady() bool {
	s, ok := h.DB().Read().Service(key)
	return ok && s.Steady
}

// until lets virtual time pass until something is so.
func (h *house) until(what string, limit time.Duration, so func() bool) time.Duration {
	h.Helper()
	begin := time.Now()
	for time.Since(begin) < limit {
		synctest.Wait()
		if so() {
			return time.Since(begin)
		}
		pass(100 * time.Millisecond)
	}
	for _, e := range h.DB().Read().Events(key).List {
		h.Log(*e.CreatedAt, *e.Message)
	}
	h.Fatalf("after %s it is not so that %s; running: %v", limit, what, h.tasks())
	return 0
}

// pass lets time pass: virtual time in a bubble, real time in a benchmark.
func pass(d time.Duration) { <-time.After(d) }
