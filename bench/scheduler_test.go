package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"go.etcd.io/bbolt"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

const (
	services = 1000
	each     = 10
	fast     = 20 // speed of the engine
)

// scheduler measures how long the engine takes to bring 1,000 services of ten scripted tasks up, against storing as many
// tasks once; and one pass of the service scheduler over all of them, against reading and copying the same records.
func (h *house) scheduler(b *testing.B) {
	for b.Loop() {
		e := crowded(b)
		h.bringUp(b, e)
		h.passes(b, e)
		if err := e.Stop(context.WithoutCancel(b.Context())); err != nil {
			b.Fatal(err)
		}
	}
}

// crowded returns a running engine with a cluster in which 10,000 tasks find room.
func crowded(b *testing.B) *engine.Engine {
	b.Helper()
	e, err := engine.Open(b.Context(), engine.Options{
		Dir: b.TempDir(), Runtime: scripted.New(fast), Speed: fast, Addresses: netip.MustParsePrefix("127.66.1.0/24"),
		Instances: 20, InstanceCPU: 1 << 20, InstanceMemory: 1 << 20,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := e.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	put(b, e, func(tx *state.Tx) error {
		tx.Put(&state.Cluster{Name: "c", Created: e.Now(), Doc: types.Cluster{
			ClusterName: aws.String("c"), ClusterArn: aws.String(e.Identity().ClusterARN("c")), Status: aws.String("ACTIVE"),
		}})
		return e.NewInstances(tx, "c")
	})
	return e
}

func put(b *testing.B, e *engine.Engine, fn func(*state.Tx) error) {
	b.Helper()
	if err := e.DB().Write(fn); err != nil {
		b.Fatal(err)
	}
}

// wish has the engine run a service, as CreateService does.
func wish(tx *state.Tx, e *engine.Engine, name string) {
	id := state.TaskDefinitionID{Family: name, Revision: 1}
	arn, now, key := aws.String(e.Identity().TaskDefinitionARN(id)), e.Now(), state.ServiceKey{Cluster: "c", Name: name}
	d := &state.TaskDefinition{TaskDefinitionID: id, Doc: types.TaskDefinition{
		Family: aws.String(name), Revision: 1, TaskDefinitionArn: arn,
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String("web:1"), Essential: aws.Bool(true), Memory: aws.Int32(64),
		}},
	}}
	s := &state.Service{ID: key, Changed: now, Doc: types.Service{
		ServiceName: aws.String(name), ServiceArn: aws.String(e.Identity().ServiceARN(key)), Status: aws.String("ACTIVE"),
		ClusterArn: aws.String(e.Identity().ClusterARN("c")), CreatedAt: &now, DesiredCount: each, TaskDefinition: arn,
		SchedulingStrategy: types.SchedulingStrategyReplica,
		DeploymentConfiguration: &types.DeploymentConfiguration{
			MaximumPercent: aws.Int32(200), MinimumHealthyPercent: aws.Int32(50),
			DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true},
		},
	}}
	tx.Put(d)
	tx.Put(s)
	e.NewDeployment(tx, s, d, types.ServiceRevision{})
}

// bringUp tells the time from the first wish until all tasks run, and until all services are steady.
func (h *house) bringUp(b *testing.B, e *engine.Engine) {
	b.Helper()
	begun := time.Now()
	for n := range services {
		put(b, e, func(tx *state.Tx) error {
			wish(tx, e, fmt.Sprintf("web-%d", n))
			return nil
		})
	}
	placed := until(b, e, begun, func(s state.Snapshot) bool { return with(s, func(*state.Task) bool { return true }) == services*each })
	up := until(b, e, begun, func(s state.Snapshot) bool { return with(s, runs) == services*each })
	steady := until(b, e, begun, allSteady)
	plain := store(b, e.DB().Read())
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(services*each/up.Seconds(), "tasks/s-to-RUNNING")
	b.ReportMetric(ratio(up, plain), "×storing-once")
	h.table.section("engine: 1,000 services of 10 scripted tasks, speed 20, against storing the tasks once in the same kind of file")
	rate := services * each / placed.Seconds()
	b.ReportMetric(rate, "placements/s")
	h.atLeast("tasks placed a second", fmt.Sprintf("%.0f /s", rate), fmt.Sprintf("%d /s", placePromise), rate/placePromise)
	h.table.add("until all tasks are placed", seconds(placed), "storing "+seconds(plain), ratio(placed, plain))
	h.table.add("until all tasks are RUNNING", seconds(up), "storing "+seconds(plain), ratio(up, plain))
	h.table.add("until all services are steady", seconds(steady), "storing "+seconds(plain), ratio(steady, plain))
}

// until waits for something to be so; counting, which costs, is done ten times a second at most.
func until(b *testing.B, e *engine.Engine, begun time.Time, so func(state.Snapshot) bool) time.Duration {
	b.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !so(e.DB().Read()) {
		select {
		case <-b.Context().Done():
			b.Fatal(b.Context().Err())
		case <-tick.C:
		}
	}
	return time.Since(begun)
}

func runs(t *state.Task) bool { return t.Last == state.Running }

// with counts the tasks of which that is so.
func with(s state.Snapshot, so func(*state.Task) bool) int {
	n := 0
	for t := range s.AllTasks() {
		if so(t) {
			n++
		}
	}
	return n
}

func allSteady(s state.Snapshot) bool {
	n := 0
	for svc := range s.AllServices() {
		if svc.Steady {
			n++
		}
	}
	return n == services
}

// store puts every task once into a file such as the engine's, ten in a write, and tells how long it took.
func store(b *testing.B, s state.Snapshot) time.Duration {
	b.Helper()
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "plain.db"), 0o600, &bbolt.Options{
		NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	begun := time.Now()
	for svc := range s.AllServices() {
		if err := db.Update(func(tx *bbolt.Tx) error { return storeTasks(tx, s, svc.ID) }); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begun)
}

func storeTasks(tx *bbolt.Tx, s state.Snapshot, key state.ServiceKey) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte(state.KindTask))
	if err != nil {
		return err
	}
	for t := range s.TasksOfService(key) {
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if err := bucket.Put([]byte(t.Key()), data); err != nil {
			return err
		}
	}
	return nil
}

// passes has the scheduler look at every service again and again, in turn with reading and copying what it looks at.
func (h *house) passes(b *testing.B, e *engine.Engine) {
	b.Helper()
	const rounds = 15
	var looks, copies []time.Duration
	snap, now := e.DB().Read(), e.Now()
	for range rounds {
		begun := time.Now()
		for svc := range snap.AllServices() {
			if plan := schedule.Service(snap, svc.ID, now, e.Pace()); len(plan.Start)+len(plan.Stop) > 0 {
				b.Fatalf("%s is not steady: %+v", svc.ID, plan)
			}
		}
		looks = append(looks, time.Since(begun))
		begun = time.Now()
		if n := copyAll(snap); n != services*each {
			b.Fatalf("%d tasks", n)
		}
		copies = append(copies, time.Since(begun))
	}
	look, plain := median(looks), median(copies)
	b.ReportMetric(services/look.Seconds(), "passes/s")
	b.ReportMetric(ratio(look, plain), "×reading")
	h.table.section("service scheduler: a pass over the same services, median of %d, against reading and copying their records", rounds)
	h.table.add(fmt.Sprintf("all 1,000 services (%.0f passes/s)", services/look.Seconds()), millis(look), "reading "+millis(plain), ratio(look, plain))
}

// copyAll reads every service with its deployments and tasks and copies them: the least that looking at them takes.
func copyAll(snap state.Snapshot) int {
	n := 0
	for svc := range snap.AllServices() {
		s := *svc
		var deployments []state.Deployment
		for d := range snap.Deployments(s.ID) {
			deployments = append(deployments, *d)
		}
		var tasks []state.Task
		for t := range snap.UnsettledTasksOfService(s.ID) {
			tasks = append(tasks, *t)
		}
		n += len(deployments) * len(tasks)
	}
	return n
}
