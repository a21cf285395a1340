package state

import (
	"fmt"
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

func TestALongListIsThatOfAFullScan(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ mine, others int }{
		"none": {0, 500}, "few": {few, 0}, "most": {3 * few, 10}, "all": {2 * few, 0}, "a small part": {few + 20, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := New(nil)
			var all []Record
			for n := range tc.mine + tc.others {
				task := &Task{ID: TaskID(fmt.Sprintf("%x", n*2654435761%(1<<32))), Cluster: "others"}
				if n < tc.mine {
					task.Cluster = "mine"
				}
				all = append(all, task)
			}
			put(t, db, all...)
			snap := db.Read()
			want := scan(snap, func(t *Task) bool { return t.Cluster == "mine" })
			var got []TaskID // in the order that they come
			for task := range snap.Tasks("mine") {
				got = append(got, task.ID)
			}
			if diff := cmp.Diff(want, got); diff != "" || len(got) != tc.mine {
				t.Error(diff)
			}
			for stop := range min(tc.mine, 2*few) {
				n := 0
				for range snap.Tasks("mine") {
					if n++; n > stop {
						break
					}
				}
				if n != stop+1 {
					t.Fatalf("broke off at %d, came to %d", stop+1, n)
				}
			}
		})
	}
}
