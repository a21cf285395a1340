package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"go.etcd.io/bbolt"

	"github.com/slipway-cd/slipway/engine/state"
)

// roomy makes an engine on which tasks never wait for room.
func roomy(o *Options) { o.Instances, o.InstanceCPU, o.InstanceMemory, o.Speed = 20, 1<<20, 1<<20, 20 }

// BenchmarkCommit stores a service's plan of ten new tasks: in the journal, as the engine does, and in the database.
func BenchmarkCommit(b *testing.B) {
	h := newHouse(b, roomy)
	defer h.close()
	var task *state.Task
	h.write(func(tx *state.Tx) {
		tasks, _, _ := h.RunTask(tx, "c", h.register(tx, "web:1", nil), &ecs.RunTaskInput{})
		task = tasks[0]
	})
	n := 0
	next := func() (changes []state.Change) {
		for range 10 {
			n++
			changes = append(changes, state.Change{Kind: state.KindTask, Key: fmt.Sprintf("%032x", uint32(n)*2654435761%100_000), After: task})
		}
		return changes
	}
	for name, do := range map[string]func([]state.Change) error{
		"journal": h.store.commit,
		"database": func(changes []state.Change) error {
			return h.store.db.Update(func(tx *bbolt.Tx) error {
				for _, c := range changes {
					data, err := encode(c.After)
					if err != nil {
						return err
					}
					if err := take1(tx, stored{c.Kind, c.Key}, data); err != nil {
						return err
					}
				}
				return nil
			})
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := do(next()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkStart brings 10,000 stand-alone tasks to RUNNING.
func BenchmarkStart(b *testing.B) {
	const count = 10000
	for b.Loop() {
		h := newHouse(b, roomy)
		begin := time.Now()
		var d *state.TaskDefinition
		h.write(func(tx *state.Tx) { d = h.register(tx, "web:1", nil) })
		for range count / 10 {
			h.write(func(tx *state.Tx) {
				if tasks, failures, err := h.RunTask(tx, "c", d, &ecs.RunTaskInput{Count: aws.Int32(10)}); len(tasks) != 10 {
					b.Fatal(failures, err)
				}
			})
		}
		wait(b, h, func(tasks map[string]int) bool { return tasks["web:1"] == count })
		b.ReportMetric(count/time.Since(begin).Seconds(), "tasks/s")
		h.close()
	}
}

// wait looks at real time until the running tasks are as they should be.
func wait(b *testing.B, h *house, so func(map[string]int) bool) {
	b.Helper()
	watch := h.DB().Watch()
	defer watch.Close()
	for !so(h.tasks()) {
		if _, err := watch.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
		pass(50 * time.Millisecond) // counting must not be what is measured
	}
}

// BenchmarkPass has the scheduler look at 1,000 steady services of ten tasks each, and store what it says.
func BenchmarkPass(b *testing.B) {
	const services, each = 1000, 10
	h := newHouse(b, roomy)
	defer h.close()
	var keys []state.ServiceKey
	begin := time.Now()
	for n := range services {
		k := state.ServiceKey{Cluster: "c", Name: fmt.Sprintf("web-%d", n)}
		keys = append(keys, k)
		h.deployTo(k, "web:1", each, nil)
	}
	wait(b, h, func(tasks map[string]int) bool { return tasks["web:1"] == services*each })
	b.Logf("%d services of %d tasks were up after %s", services, each, time.Since(begin))
	wait(b, h, func(map[string]int) bool {
		steady := 0
		for s := range h.DB().Read().AllServices() {
			if s.Steady {
				steady++
			}
		}
		return steady == services
	})
	b.Logf("and steady after %s", time.Since(begin))
	for b.Loop() {
		for _, k := range keys {
			h.write(func(tx *state.Tx) { h.pass(tx, k, h.Now()) })
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/services, "ns/service")
}
