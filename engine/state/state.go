// Package state holds what the engine knows: clusters, container instances, services, deployments, tasks, load balancers.
//
// Everything is a Record. A record that was put is never changed again: whoever wants to change one puts a changed copy.
// So a Snapshot stays true for as long as it is held, and records can be handed out without copying.
// Time and identifiers come in as values; the room has neither a clock nor randomness.
package state

import (
	"fmt"
	"iter"
	"sync"

	"github.com/hashicorp/go-memdb"
)

// Kind names a kind of record; it is the name of its table and, in the engine's directory, of its bucket.
type Kind string

// A Record is one thing that the engine knows, under a key that is unique among its kind.
type Record interface {
	Kind() Kind
	Key() string
}

// A Change is one record before and after a write. Before is nil for a new record, After for a deleted one.
type Change struct {
	Kind          Kind
	Key           string
	Before, After Record
}

// DB is the set of all records. Readers never wait; writers take turns.
type DB struct {
	mem    *memdb.MemDB
	write  sync.Mutex
	commit func([]Change) error // stores the changes before they become visible; may be nil

	mu       sync.Mutex
	watchers map[*Watcher]struct{}
}

// New returns an empty database. Before the changes of a write become visible, commit is called with them; when it fails,
// nothing changes and the write returns its error. commit may be nil.
func New(commit func([]Change) error) *DB {
	mem, err := memdb.NewMemDB(schema())
	if err != nil {
		panic(err) // the schema is a constant of this package
	}
	return &DB{mem: mem, commit: commit, watchers: map[*Watcher]struct{}{}}
}

// Load fills an empty database with stored records, without calling commit and without telling watchers.
func (db *DB) Load(records iter.Seq[Record]) error {
	db.write.Lock()
	defer db.write.Unlock()
	txn := db.mem.Txn(true)
	defer txn.Abort()
	for r := range records {
		if err := txn.Insert(string(r.Kind()), r); err != nil {
			return fmt.Errorf("cannot load %s %s: %w", r.Kind(), r.Key(), err)
		}
	}
	(&Tx{Snapshot{txn}}).followAll()
	txn.Commit()
	return nil
}

// Read returns what is known now.
func (db *DB) Read() Snapshot { return Snapshot{db.mem.Txn(false)} }

// Write runs fn alone among writers. When fn returns nil, everything it put and deleted is stored, becomes visible at
// once, and is told to the watchers; when it returns an error nothing of it remains.
func (db *DB) Write(fn func(*Tx) error) error {
	db.write.Lock()
	defer db.write.Unlock()
	txn := db.mem.Txn(true)
	txn.TrackChanges()
	defer txn.Abort()
	if err := fn(&Tx{Snapshot{txn}}); err != nil {
		return err
	}
	changes := changesOf(txn.Changes())
	if len(changes) == 0 {
		return nil
	}
	if db.commit != nil {
		if err := db.commit(changes); err != nil {
			return fmt.Errorf("cannot store the engine's state: %w", err)
		}
	}
	txn.Commit()
	db.tell(changes)
	return nil
}

func changesOf(raw memdb.Changes) []Change {
	changes := make([]Change, 0, len(raw))
	for _, c := range raw {
		before, _ := c.Before.(Record)
		after, _ := c.After.(Record)
		some := after
		if some == nil {
			some = before
		}
		if some == nil || some.Kind() == kindUsage { // put and deleted within one write, or derived
			continue
		}
		changes = append(changes, Change{Kind: some.Kind(), Key: some.Key(), Before: before, After: after})
	}
	return changes
}

// Tx is one write: it reads what it has written itself.
type Tx struct{ Snapshot }

// Put stores a record, in the place of the one with its kind and key if there is one. The record must not be changed afterwards.
func (tx *Tx) Put(r Record) {
	if t, ok := r.(*Task); ok {
		before, _ := tx.Task(t.ID)
		tx.follow(before, t)
	}
	if err := tx.txn.Insert(string(r.Kind()), r); err != nil {
		panic(fmt.Sprintf("state: %s %s does not fit the schema: %v", r.Kind(), r.Key(), err))
	}
}

// Delete removes the record of that kind and key, if there is one.
func (tx *Tx) Delete(r Record) {
	if t, ok := r.(*Task); ok {
		before, _ := tx.Task(t.ID)
		tx.follow(before, nil)
	}
	if _, err := tx.txn.DeleteAll(string(r.Kind()), "id", r.Key()); err != nil {
		panic(fmt.Sprintf("state: %s %s: %v", r.Kind(), r.Key(), err))
	}
}

// Snapshot is what was known at one moment. It may be kept and read by several goroutines, except inside a Write.
type Snapshot struct{ txn *memdb.Txn }

// get returns the record of kind K with that key.
func get[R Record](s Snapshot, kind Kind, key string) (R, bool) {
	raw, err := s.txn.First(string(kind), "id", key)
	if err != nil || raw == nil {
		var none R
		return none, false
	}
	r, ok := raw.(R)
	return r, ok
}

// all returns the records whose index has that value, in the order of their keys within it. An empty index name means
// every record of the kind.
func all[R Record](s Snapshot, kind Kind, index string, value ...any) iter.Seq[R] {
	return func(yield func(R) bool) {
		if index == "" {
			index = "id"
		}
		it, err := s.txn.Get(string(kind), index, value...)
		if err != nil {
			return
		}
		for raw := it.Next(); raw != nil; raw = it.Next() {
			if r, ok := raw.(R); !ok || !yield(r) {
				return
			}
		}
	}
}
