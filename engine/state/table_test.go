package state

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestASnapshotStaysTrueWhateverIsWrittenLater(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		db := New(nil)
		_ = db.Write(func(tx *Tx) error {
			for _, name := range someNames[:3] {
				tx.Put(&Instance{ID: InstanceID(name), Cluster: "c", Address: instanceAddress})
			}
			return nil
		})
		type moment struct {
			snap  Snapshot
			tasks []*Task
		}
		var moments []moment
		for range rapid.IntRange(1, 8).Draw(t, "writes") {
			_ = db.Write(func(tx *Tx) error {
				for range rapid.IntRange(1, 40).Draw(t, "changes") {
					if task := drawTask(t); rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
						tx.Delete(task)
					} else {
						tx.Put(task)
					}
				}
				return nil
			})
			moments = append(moments, moment{db.Read(), slices.Collect(db.Read().AllTasks())})
		}
		for _, m := range moments {
			if !slices.Equal(m.tasks, slices.Collect(m.snap.AllTasks())) {
				t.Fatal("a snapshot has other tasks than when it was taken")
			}
			compare(t, m.snap)
		}
	})
}

func TestWhatAWriteGoesThroughItMayChange(t *testing.T) {
	t.Parallel()
	db := New(nil)
	key := ServiceKey{Cluster: "c", Name: "web"}
	var all []Record
	for _, id := range []TaskID{"a", "b", "c"} {
		all = append(all, &Task{ID: id, Service: key})
	}
	put(t, db, all...)
	var seen []TaskID
	err := db.Write(func(tx *Tx) error {
		for task := range tx.TasksOfService(key) {
			seen = append(seen, task.ID)
			tx.Delete(task)
			tx.Put(&Task{ID: task.ID + "x", Service: key})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]TaskID{"a", "b", "c"}, seen); diff != "" {
		t.Errorf("gone through: %s", diff)
	}
	if diff := cmp.Diff([]TaskID{"ax", "bx", "cx"}, ids(db.Read().TasksOfService(key))); diff != "" {
		t.Error(diff)
	}
}
