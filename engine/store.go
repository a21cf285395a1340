package engine

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// store keeps the records in a file: a bucket per kind, key → encoded record. The newest changes are in journals beside
// it, which it takes over one by one.
//
// It does not wait for the disk. What was written is safe when the process is killed at any point, which is what the
// engine promises, but not when the machine loses power. [bbolt DB.NoSync]
type store struct {
	db     *bbolt.DB
	dir    string
	limit  int64 // bytes after which a journal is full
	moving sync.WaitGroup

	writing sync.Mutex // held by commit and close
	next    int        // number of the next journal
	over    error      // not nil once nothing can be stored any more

	mu   sync.Mutex
	now  *journal   // that changes are added to; nil until the first
	full []*journal // oldest first, until the database has what they say
	busy bool       // somebody moves them
}

const (
	journalSize  = 16 << 20 // bytes
	mostJournals = 4        // full ones; a write waits when there are more
)

var metaBucket = []byte("meta")

var errClosed = errors.New("the store is closed")

// openStore opens the file, and by that locks the directory against another engine.
func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Invalid, "cannot make the engine's directory: %w", err)
	}
	path := filepath.Join(dir, "state.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: time.Millisecond, // of waiting for the lock
		NoSync:  true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fault.New(fault.Conflict, "the engine's directory %s is in use by another engine", dir).
			WithHint("stop that engine, or give this one a directory of its own")
	}
	if err != nil {
		return nil, fault.New(fault.Corrupt, "cannot open the engine's state %s: %w", path, err)
	}
	s := &store{db: db, dir: dir, limit: journalSize}
	err = s.check(path)
	if err == nil {
		s.full, s.next, err = openJournals(dir)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *store) check(path string) error {
	found, err := s.meta("format", func() string { return format })
	if err == nil && found == formatBefore { // it is the same, but without journals
		return s.setMeta("format", format)
	}
	if err == nil && found != format {
		return fault.New(fault.Invalid, "the engine's state %s has format %s, and this engine reads format %s", path, found, format).
			WithHint("use the slipway that wrote it, or another directory")
	}
	return err
}

// meta returns a fact about the directory, which is made the first time it is asked for.
func (s *store) meta(name string, initial func() string) (value string, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(metaBucket)
		if err != nil {
			return err
		}
		if value = string(b.Get([]byte(name))); value != "" {
			return nil
		}
		value = initial()
		return b.Put([]byte(name), []byte(value))
	})
	return value, err
}

func (s *store) setMeta(name, value string) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put([]byte(name), []byte(value)) })
}

// commit stores the changes of one write, all of them or none.
func (s *store) commit(changes []state.Change) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.over != nil {
		return s.over
	}
	entries := make([]entry, len(changes))
	for i, c := range changes {
		entries[i].stored = stored{c.Kind, c.Key}
		if c.After == nil {
			continue
		}
		var err error
		if entries[i].data, err = encode(c.After); err != nil {
			return fmt.Errorf("%s %s: %w", c.Kind, c.Key, err)
		}
	}
	if err := s.open(); err != nil {
		return err
	}
	err := s.now.add(entries)
	if errors.Is(err, errTorn) {
		s.over = err // whatever came after it would not be found again
	}
	return err
}

// open sees to it that there is a journal, and as far as possible one that is not full.
func (s *store) open() error {
	if s.now != nil && s.now.size < s.limit {
		return nil
	}
	fresh, err := newJournal(s.dir, s.next)
	switch {
	case err != nil && s.now != nil:
		return nil // the full one does as well
	case err != nil:
		return err
	}
	s.next++
	s.mu.Lock()
	if s.now != nil {
		s.full = append(s.full, s.now)
	}
	s.now = fresh
	many := len(s.full) > mostJournals
	s.mu.Unlock()
	s.move()
	if many {
		s.moving.Wait()
	}
	return nil
}

// move has the database take over the journals that are full. One that it cannot take over stays, and is tried again with
// the next.
func (s *store) move() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy || len(s.full) == 0 {
		return
	}
	s.busy = true
	s.moving.Go(func() {
		for s.moveOne() {
		}
	})
}

// moveOne moves the oldest journal; it reports whether there may be another one.
func (s *store) moveOne() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.full) == 0 {
		s.busy = false
		return false
	}
	oldest := s.full[0]
	s.mu.Unlock()
	err := s.take(oldest)
	s.mu.Lock()
	if err != nil {
		s.busy = false
		return false
	}
	s.full = s.full[1:]
	return true
}

// take has the database take over what a journal says, all of it or nothing.
func (s *store) take(j *journal) error {
	names := slices.SortedFunc(maps.Keys(j.last), func(a, b stored) int { // neighbours are quicker to put
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
	})
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range names {
			if err := take1(tx, name, j.last[name]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return j.remove()
}

func take1(tx *bbolt.Tx, name stored, data []byte) error {
	b, err := tx.CreateBucketIfNotExists([]byte(name.kind))
	switch {
	case err != nil:
		return err
	case data == nil:
		return b.Delete([]byte(name.key))
	default:
		return b.Put([]byte(name.key), data)
	}
}

// load returns everything that is stored.
func (s *store) load() (records []state.Record, err error) {
	defer s.move()
	newest := map[stored][]byte{}
	for _, j := range s.full {
		maps.Copy(newest, j.last)
	}
	err = s.db.View(func(tx *bbolt.Tx) error {
		all, err := entriesOf(tx, newest)
		if err != nil {
			return err
		}
		records, err = decodeAll(all)
		return err
	})
	return records, err
}

// entriesOf returns the records of the database, but for what is newer. They are valid for as long as the transaction.
func entriesOf(tx *bbolt.Tx, newest map[stored][]byte) (all []entry, err error) {
	for name, data := range newest {
		if data != nil {
			all = append(all, entry{name, data})
		}
	}
	err = tx.ForEach(func(kind []byte, b *bbolt.Bucket) error {
		if string(kind) == string(metaBucket) {
			return nil
		}
		return b.ForEach(func(key, data []byte) error {
			name := stored{state.Kind(kind), string(key)}
			if _, ok := newest[name]; !ok {
				all = append(all, entry{name, data})
			}
			return nil
		})
	})
	return all, err
}

// decodeAll reads the records, on all processors.
func decodeAll(all []entry) ([]state.Record, error) {
	records := make([]state.Record, len(all))
	workers := goruntime.GOMAXPROCS(0)
	errs := make([]error, workers)
	var work sync.WaitGroup
	for n := range workers {
		work.Go(func() {
			for i := n; i < len(all) && errs[n] == nil; i += workers {
				var err error
				if records[i], err = decode(all[i].kind, all[i].data); err != nil {
					errs[n] = fault.New(fault.Corrupt, "cannot read %s %s of the engine's state: %w", all[i].kind, all[i].key, err)
				}
			}
		})
	}
	work.Wait()
	return records, cmp.Or(errs...)
}

// close has the database take everything over and closes it. What it cannot take stays in journals for the next engine.
func (s *store) close() error {
	s.rest()
	s.mu.Lock()
	if s.now != nil {
		s.full, s.now = append(s.full, s.now), nil
	}
	s.mu.Unlock()
	for s.moveOne() {
	}
	return s.release()
}

// rest has nothing stored any more, and waits until nothing is moved any more.
func (s *store) rest() {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.over == nil {
		s.over = errClosed
	}
	s.moving.Wait()
}

// release lets go of all files as they are.
func (s *store) release() error {
	for _, j := range append(s.full, s.now) {
		if j != nil && j.file != nil {
			_ = j.file.Close()
		}
	}
	return s.db.Close()
}
