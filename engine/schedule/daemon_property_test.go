package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine/state"
)

// Whatever happens to the instances and the revisions: no instance ever has two tasks of a daemon, none that takes no tasks
// gets one, and in the end every instance has exactly one.
func TestADaemonIsNeverTwiceOnAnInstanceUnderRandomHistories(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "instances")
		w := newWorld(t).instances(n)
		for revision := range 10 {
			w.behaviour[revision] = rapid.Custom(drawBehaviour).Draw(t, "behaviour")
		}
		w.seen = func(plan Plan) { checkDaemons(t, w.db.Read(), plan) }
		create := []option{percent(rapid.Int32Range(0, 99).Draw(t, "min"), 100)}
		if rapid.Bool().Draw(t, "breaker") {
			create = append(create, breaker(rapid.Bool().Draw(t, "rollback")))
		}
		w.daemons(create...)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				w.deploy(rapid.IntRange(1, 9).Draw(t, "revision"))
			case 1:
				w.setStatus("1", rapid.SampledFrom([]string{"ACTIVE", "DRAINING"}).Draw(t, "status"))
			case 2:
				w.lose("1")
			case 3:
				w.changed("1", func(i *state.Instance) { i.Gone, i.Doc.Status = time.Time{}, aws.String("ACTIVE") })
			}
			w.run(time.Duration(rapid.IntRange(1, 60).Draw(t, "ticks")) * tick)
		}
		w.changed("1", func(i *state.Instance) { i.Gone, i.Doc.Status = time.Time{}, aws.String("ACTIVE") })
		w.behaviour[99] = behaviour{}
		w.change(func(s *state.Service) { s.Doc.DeploymentConfiguration.MinimumHealthyPercent = aws.Int32(0) })
		w.deploy(99)
		for range 60 {
			if w.run(30 * time.Second); w.steady() {
				break
			}
		}
		if got := w.count(w.number); got != n || w.desired() != n || !w.steady() {
			t.Fatalf("%d tasks on %d instances, %d wanted, steady %t", got, n, w.desired(), w.steady())
		}
	})
}

func checkDaemons(t *rapid.T, snap state.Snapshot, plan Plan) {
	busy := map[state.InstanceID]bool{}
	for task := range snap.AllTasks() {
		busy[task.Instance] = busy[task.Instance] || task.Alive()
	}
	for _, s := range plan.Start {
		i, ok := snap.Instance(s.Place.Instance)
		if !ok || *i.Doc.Status != statusActive || !i.Gone.IsZero() {
			t.Errorf("a task is started on %s, which takes none", s.Place.Instance)
		}
		if busy[s.Place.Instance] {
			t.Errorf("a second task is started on %s", s.Place.Instance)
		}
		busy[s.Place.Instance] = true
	}
}
