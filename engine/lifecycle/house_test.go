package lifecycle

import (
	"context"
	"iter"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/state"
)

// house is a keeper at work, with one task definition.
type house struct {
	t       *testing.T
	db      *state.DB
	runtime *fake
	logs    *logs.Store
	stop    func()
}

const theTask = state.TaskID("0123456789abcdef0123456789abcdef")

// container describes a container in a few words; change may be nil.
func container(name string, change func(*types.ContainerDefinition)) types.ContainerDefinition {
	d := types.ContainerDefinition{Name: &name, Image: aws.String("registry/" + name + ":1"), Essential: aws.Bool(true)}
	if change != nil {
		change(&d)
	}
	return d
}

func dependsOn(condition types.ContainerCondition, on ...string) func(*types.ContainerDefinition) {
	return func(d *types.ContainerDefinition) {
		for _, name := range on {
			d.DependsOn = append(d.DependsOn, types.ContainerDependency{ContainerName: &name, Condition: condition})
		}
	}
}

func optional(d *types.ContainerDefinition) { d.Essential = aws.Bool(false) }

func both(changes ...func(*types.ContainerDefinition)) func(*types.ContainerDefinition) {
	return func(d *types.ContainerDefinition) {
		for _, change := range changes {
			change(d)
		}
	}
}

// newHouse opens a house whose tasks have these containers.
func newHouse(t *testing.T, f *fake, containers ...types.ContainerDefinition) *house {
	t.Helper()
	store, err := logs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: state.New(nil), runtime: f, logs: store}
	h.write(func(tx *state.Tx) {
		tx.Put(&state.TaskDefinition{
			TaskDefinitionID: state.TaskDefinitionID{Family: "web", Revision: 1},
			Doc:              types.TaskDefinition{ContainerDefinitions: containers},
		})
	})
	h.open()
	return h
}

// open starts a keeper on the state as it is; kill ends it without letting anything come to an end.
func (h *house) open() {
	k := New(Config{
		DB: h.db, Runtime: h.runtime, Logs: h.logs, Engine: "e", Object: h.runtime.object, Files: "/files", Speed: 1, Logger: slog.New(slog.DiscardHandler),
		ARN: func(service, resource string) string { return "arn:aws:" + service + ":::" + resource },
	})
	if err := k.Recover(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.Run(ctx)
	}()
	h.stop = func() {
		cancel()
		<-done
	}
}

func (h *house) write(fn func(*state.Tx)) {
	h.t.Helper()
	if err := h.db.Write(func(tx *state.Tx) error { fn(tx); return nil }); err != nil {
		h.t.Fatal(err)
	}
}

// run puts the task.
func (h *house) run(change ...func(*state.Task)) {
	h.t.Helper()
	h.runAs(theTask, change...)
}

func (h *house) runAs(id state.TaskID, change ...func(*state.Task)) {
	h.t.Helper()
	h.write(func(tx *state.Tx) {
		d, _ := tx.TaskDefinition(state.TaskDefinitionID{Family: "web", Revision: 1})
		t := &state.Task{
			ID: id, ARN: "arn:task", Cluster: "c", TaskDefinition: d.TaskDefinitionID, Last: state.Provisioning,
			Desired: state.Running, Version: 1, CreatedAt: time.Now(), Address: netip.MustParseAddr("127.0.0.9"),
			Health: types.HealthStatusUnknown,
		}
		for _, c := range d.Doc.ContainerDefinitions {
			t.Containers = append(t.Containers, state.Container{
				Name: *c.Name, Image: *c.Image, Essential: aws.ToBool(c.Essential), Last: state.Pending, Health: types.HealthStatusUnknown,
			})
		}
		for _, c := range change {
			c(t)
		}
		tx.Put(t)
	})
}

func (h *house) end(reason string) {
	h.t.Helper()
	h.write(func(tx *state.Tx) {
		t, _ := tx.Task(theTask)
		c := *t
		c.Desired, c.StopCode, c.StoppedReason, c.StoppingAt = state.Stopped, types.TaskStopCodeUserInitiated, reason, time.Now()
		tx.Put(&c)
	})
}

// task returns the task when everything has come to rest.
func (h *house) task() *state.Task {
	h.t.Helper()
	synctest.Wait()
	t, ok := h.db.Read().Task(theTask)
	if !ok {
		h.t.Fatal("the task is gone")
	}
	return t
}

func (h *house) container(name string) state.Container {
	h.t.Helper()
	c, _ := h.task().Container(name)
	return c
}

// stations returns the statuses that the task has passed, watched from now on.
func (h *house) stations() func() []state.TaskStatus {
	w := h.db.Watch()
	return func() []state.TaskStatus {
		defer w.Close()
		synctest.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		changes, _ := w.Next(ctx)
		var list []state.TaskStatus
		for _, c := range changes {
			if t, ok := c.After.(*state.Task); ok && (len(list) == 0 || list[len(list)-1] != t.Last) {
				list = append(list, t.Last)
			}
		}
		return list
	}
}

// everything yields the task definitions of a database, to fill another with.
func everything(db *state.DB) iter.Seq[state.Record] {
	return func(yield func(state.Record) bool) {
		for d := range db.Read().TaskDefinitions("") {
			if !yield(d) {
				return
			}
		}
	}
}

// waitFor lets virtual time pass until the task is where it should be.
func waitFor(t *testing.T, h *house, want state.TaskStatus) {
	t.Helper()
	for range 100 {
		if h.task().Last == want {
			return
		}
		pass(time.Second)
	}
	t.Errorf("the task is %s, not %s", h.task().Last, want)
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }
