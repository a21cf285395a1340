// Package state holds what the engine knows: clusters, container instances, services, deployments, tasks, load balancers.
//
// Everything is a Record. A record that was put is never changed again: whoever wants to change one puts a changed copy.
// So a Snapshot stays true for as long as it is held, and records can be handed out without copying.
// Time and identifiers come in as values; the room has neither a clock nor randomness.
package state

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
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
	known  atomic.Pointer[map[Kind]*records]
	write  sync.Mutex
	commit func([]Change) error // stores the changes before they become visible; may be nil

	mu       sync.Mutex
	watchers map[*Watcher]struct{}
}

// New returns an empty database. Before the changes of a write become visible, commit is called with them; when it fails,
// nothing changes and the write returns its error. commit may be nil.
func New(commit func([]Change) error) *DB {
	tables := map[Kind]*records{}
	for kind, schema := range schema() {
		tables[Kind(kind)] = newRecords(schema)
	}
	db := &DB{commit: commit, watchers: map[*Watcher]struct{}{}}
	db.known.Store(&tables)
	return db
}

// Load fills an empty database with stored records, without calling commit and without telling watchers.
func (db *DB) Load(records iter.Seq[Record]) error {
	db.write.Lock()
	defer db.write.Unlock()
	tx := db.begin()
	for r := range records {
		if tx.tables[r.Kind()] == nil {
			return fmt.Errorf("cannot load %s %s: there are no records of that kind", r.Kind(), r.Key())
		}
		tx.own(r.Kind()).put(r)
	}
	tx.followAll()
	db.known.Store(&tx.tables)
	return nil
}

// Read returns what is known now.
func (db *DB) Read() Snapshot { return Snapshot{tables: *db.known.Load()} }

// begin returns a write on what is known now. The lock is held.
func (db *DB) begin() *Tx {
	return &Tx{Snapshot{tables: maps.Clone(*db.known.Load()), write: &changes{at: map[changed]int{}}}}
}

// Write runs fn alone among writers. When fn returns nil, everything it put and deleted is stored, becomes visible at
// once, and is told to the watchers; when it returns an error nothing of it remains.
func (db *DB) Write(fn func(*Tx) error) error {
	db.write.Lock()
	defer db.write.Unlock()
	tx := db.begin()
	if err := fn(tx); err != nil {
		return err
	}
	changes := tx.write.all()
	if len(changes) == 0 {
		return nil
	}
	if db.commit != nil {
		if err := db.commit(changes); err != nil {
			return fmt.Errorf("cannot store the engine's state: %w", err)
		}
	}
	db.known.Store(&tx.tables)
	db.tell(changes)
	return nil
}

// Tx is one write: it reads what it has written itself.
type Tx struct{ Snapshot }

// Put stores a record, in the place of the one with its kind and key if there is one. The record must not be changed afterwards.
func (tx *Tx) Put(r Record) {
	before := tx.own(r.Kind()).put(r)
	tx.write.note(r.Kind(), r.Key(), before, r)
	if t, ok := r.(*Task); ok {
		was, _ := before.(*Task)
		tx.follow(was, t)
	}
}

// Delete removes the record of that kind and key, if there is one.
func (tx *Tx) Delete(r Record) {
	before := tx.own(r.Kind()).remove(r.Key())
	if before == nil {
		return
	}
	tx.write.note(r.Kind(), r.Key(), before, nil)
	if t, ok := before.(*Task); ok {
		tx.follow(t, nil)
	}
}

// own returns the records of a kind for this write to change.
func (tx *Tx) own(kind Kind) *records {
	if !slices.Contains(tx.write.owned, kind) {
		if tx.tables[kind] == nil {
			panic(fmt.Sprintf("state: the schema has no records of kind %s", kind))
		}
		tx.tables[kind] = tx.tables[kind].clone()
		tx.write.owned = append(tx.write.owned, kind)
	}
	return tx.tables[kind]
}

// Snapshot is what was known at one moment. It may be kept and read by several goroutines, except inside a Write.
type Snapshot struct {
	tables map[Kind]*records
	write  *changes // nil outside a Write
}

// get returns the record of kind K with that key.
func get[R Record](s Snapshot, kind Kind, key string) (R, bool) {
	r, ok := s.tables[kind].get(key).(R)
	return r, ok
}

// all returns the records whose index has that value, in the order of their keys within it. An empty index name means
// every record of the kind; no value, every record that the index has.
func all[R Record](s Snapshot, kind Kind, index string, value ...string) iter.Seq[R] {
	t := s.tables[kind]
	switch {
	case index == "":
		return only[R](s, t.each)
	case len(value) == 0:
		return only[R](s, func(yield func(Record) bool) { t.eachIndexed(index, yield) })
	default:
		return after[R](s, kind, index, value[0], "")
	}
}

// after returns those of the records whose index has that value that come after a key.
func after[R Record](s Snapshot, kind Kind, index, value, key string) iter.Seq[R] {
	t := s.tables[kind]
	return only[R](s, func(yield func(Record) bool) { t.eachOf(index, value, key, yield) })
}

// only gives records their type.
func only[R Record](s Snapshot, each iter.Seq[Record]) iter.Seq[R] {
	return func(yield func(R) bool) {
		if s.write != nil {
			each = slices.Values(slices.Collect(each)) // whoever writes may change what is gone through
		}
		for r := range each {
			if of, ok := r.(R); !ok || !yield(of) {
				return
			}
		}
	}
}
