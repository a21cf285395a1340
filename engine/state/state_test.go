package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func put(t *testing.T, db *DB, records ...Record) {
	t.Helper()
	err := db.Write(func(tx *Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func names(clusters func(func(*Cluster) bool)) []string {
	var all []string
	for c := range clusters {
		all = append(all, string(c.Name))
	}
	return all
}

func TestWriteIsSeenByLaterReadersOnly(t *testing.T) {
	t.Parallel()
	db := New(nil)
	put(t, db, &Cluster{Name: "b"})
	before := db.Read()
	put(t, db, &Cluster{Name: "a"}, &Cluster{Name: "c"})
	if diff := cmp.Diff([]string{"b"}, names(before.Clusters())); diff != "" {
		t.Errorf("an old snapshot changed:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, names(db.Read().Clusters())); diff != "" {
		t.Error(diff)
	}
}

func TestWriterReadsWhatItWrote(t *testing.T) {
	t.Parallel()
	db := New(nil)
	err := db.Write(func(tx *Tx) error {
		tx.Put(&Cluster{Name: "a"})
		if _, ok := tx.Cluster("a"); !ok {
			t.Error("the cluster is not there")
		}
		tx.Delete(&Cluster{Name: "a"})
		if _, ok := tx.Cluster("a"); ok {
			t.Error("the cluster is still there")
		}
		tx.Delete(&Cluster{Name: "never was"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWriteMayChangeWhatItIterates(t *testing.T) {
	t.Parallel()
	db := New(nil)
	for i := range 100 {
		put(t, db, &Task{ID: TaskID(fmt.Sprintf("t%03d", i)), Cluster: "a", Last: Running})
	}
	n := 0
	err := db.Write(func(tx *Tx) error {
		for task := range tx.Tasks("a") {
			c := *task
			c.Last = Stopped
			tx.Put(&c)
			n++
		}
		return nil
	})
	if err != nil || n != 100 {
		t.Errorf("%d tasks were seen, error %v", n, err)
	}
}

func TestNothingRemainsOfAWriteThatFails(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for name, tc := range map[string]struct{ commit, fn error }{
		"by its function": {nil, refused},
		"by the store":    {refused, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored := 0
			db := New(func([]Change) error { stored++; return tc.commit })
			w := db.Watch()
			defer w.Close()
			err := db.Write(func(tx *Tx) error {
				tx.Put(&Cluster{Name: "a"})
				return tc.fn
			})
			if !errors.Is(err, refused) {
				t.Errorf("error %v", err)
			}
			if _, ok := db.Read().Cluster("a"); ok || len(w.take()) > 0 {
				t.Error("something remained")
			}
			if tc.fn != nil && stored > 0 {
				t.Error("a failed write was stored")
			}
		})
	}
}

func TestAWriteThatPanicsLeavesTheDatabaseUsable(t *testing.T) {
	t.Parallel()
	db := New(nil)
	func() {
		defer func() { _ = recover() }()
		_ = db.Write(func(tx *Tx) error { tx.Put(&Cluster{Name: "a"}); panic("bug") })
	}()
	put(t, db, &Cluster{Name: "b"})
	if diff := cmp.Diff([]string{"b"}, names(db.Read().Clusters())); diff != "" {
		t.Error(diff)
	}
}

func TestCommitGetsTheChangesBeforeTheyAreSeen(t *testing.T) {
	t.Parallel()
	var db *DB
	var got []Change
	db = New(func(changes []Change) error {
		if _, ok := db.Read().Task("t"); ok {
			t.Error("the change is visible before it is stored")
		}
		got = changes
		return nil
	})
	task := &Task{ID: "t", Instance: "i", Last: Running}
	put(t, db, task)
	want := []Change{{Kind: KindTask, Key: "t", After: task}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("changes %+v, want %+v: derived records are not stored", got, want)
	}
	if err := db.Write(func(*Tx) error { got = nil; return nil }); err != nil || got != nil {
		t.Errorf("a write without changes is stored: %v %v", got, err)
	}
}

func TestWatcherGetsEveryChangeInOrder(t *testing.T) {
	t.Parallel()
	db := New(nil)
	first := &Cluster{Name: "a"}
	put(t, db, &Cluster{Name: "before"})
	w := db.Watch()
	second := &Cluster{Name: "a", Created: time.Unix(1, 0)}
	put(t, db, first)
	put(t, db, second)
	if err := db.Write(func(tx *Tx) error { tx.Delete(second); return nil }); err != nil {
		t.Fatal(err)
	}
	changes, err := w.Next(t.Context())
	want := []Change{
		{Kind: KindCluster, Key: "a", After: first},
		{Kind: KindCluster, Key: "a", Before: first, After: second},
		{Kind: KindCluster, Key: "a", Before: second},
	}
	if err != nil || !reflect.DeepEqual(changes, want) {
		t.Errorf("changes %+v, error %v", changes, err)
	}
	w.Close()
	put(t, db, first)
	if got := w.take(); len(got) > 0 {
		t.Errorf("a closed watcher got %+v", got)
	}
}

func TestWatcherWaitsForAChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := New(nil)
		w := db.Watch()
		got := make(chan []Change, 1)
		go func() {
			changes, _ := w.Next(t.Context())
			got <- changes
		}()
		synctest.Wait()
		put(t, db, &Cluster{Name: "a"})
		if changes := <-got; len(changes) != 1 {
			t.Errorf("changes %+v", changes)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestLoadTellsNobodyAndComputesWhatFollows(t *testing.T) {
	t.Parallel()
	db := New(func([]Change) error { t.Error("commit was called"); return nil })
	w := db.Watch()
	defer w.Close()
	records := []Record{
		&Task{ID: "t", Instance: "i", CPU: 10, Memory: 20, Last: Running, Ports: []HostPort{{40000, "tcp"}}},
		&Instance{ID: "i", Cluster: "a"},
	}
	if err := db.Load(slices.Values(records)); err != nil {
		t.Fatal(err)
	}
	want := &Usage{Instance: "i", CPU: 10, Memory: 20, Tasks: 1, Ports: []HostPort{{40000, "tcp"}}, LastPort: 40000}
	if diff := cmp.Diff(want, db.Read().Usage("i")); diff != "" {
		t.Error(diff)
	}
	if len(w.take()) > 0 {
		t.Error("a watcher was told")
	}
}

func TestEveryKindCanBeDecoded(t *testing.T) {
	t.Parallel()
	for kind := range schema() {
		if kind == string(kindUsage) {
			continue // derived, never stored
		}
		r, err := Decode(Kind(kind), func(into any) error { return json.Unmarshal([]byte("{}"), into) })
		if err != nil || string(r.Kind()) != kind {
			t.Errorf("%s: %v, %v", kind, r, err)
		}
	}
	if _, err := Decode("nonsense", func(any) error { return nil }); err == nil {
		t.Error("an unknown kind was decoded")
	}
}

func TestStationsComeInOrder(t *testing.T) {
	t.Parallel()
	order := []TaskStatus{Provisioning, Pending, Activating, Running, Deactivating, Stopping, Deprovisioning, Stopped}
	for i, a := range order {
		for j, b := range order {
			if a.Before(b) != (i < j) {
				t.Errorf("%s before %s: %t", a, b, a.Before(b))
			}
		}
	}
}

func TestEventsKeepTheNewest(t *testing.T) {
	t.Parallel()
	e := &Events{}
	for i := range EventLimit + 5 {
		e = e.Add(fmt.Sprint(i), "m", time.Unix(int64(i), 0))
	}
	if len(e.List) != EventLimit || *e.List[0].Id != fmt.Sprint(EventLimit+4) {
		t.Errorf("%d events, the newest is %s", len(e.List), *e.List[0].Id)
	}
}

func TestRevisionsAreListedByNumber(t *testing.T) {
	t.Parallel()
	db := New(nil)
	for _, n := range []int{10, 9, 100, 1} {
		put(t, db, &TaskDefinition{TaskDefinitionID: TaskDefinitionID{"web", n}}, &TaskDefinition{TaskDefinitionID: TaskDefinitionID{"webber", n}})
	}
	var got []int
	for d := range db.Read().TaskDefinitions("web") {
		got = append(got, d.Revision)
	}
	if diff := cmp.Diff([]int{1, 9, 10, 100}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAWatcherOfSomeKindsHearsOfNoOthers(t *testing.T) {
	t.Parallel()
	db := New(nil)
	w := db.Watch(KindAlarm)
	defer w.Close()
	put := func(records ...Record) {
		if err := db.Write(func(tx *Tx) error {
			for _, r := range records {
				tx.Put(r)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	put(&Cluster{Name: "c"})
	put(&Cluster{Name: "d"}, &Alarm{Name: "a"})
	changes, err := w.Next(t.Context())
	if err != nil || len(changes) != 1 || changes[0].Key != "a" {
		t.Errorf("%v, %v", changes, err)
	}
}
