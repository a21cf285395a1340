package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// store keeps the records in a file: a bucket per kind, key → encoded record.
//
// It does not wait for the disk. What was written is safe when the process is killed at any point, which is what the
// engine promises, but not when the machine loses power. [bbolt DB.NoSync]
type store struct{ db *bbolt.DB }

var metaBucket = []byte("meta")

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
	s := &store{db}
	if err := s.check(path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *store) check(path string) error {
	found, err := s.meta("format", func() string { return format })
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

// commit stores the changes of one write, all of them or none.
func (s *store) commit(changes []state.Change) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		for _, c := range changes {
			if err := store1(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func store1(tx *bbolt.Tx, c state.Change) error {
	b, err := tx.CreateBucketIfNotExists([]byte(c.Kind))
	if err != nil {
		return err
	}
	if c.After == nil {
		return b.Delete([]byte(c.Key))
	}
	data, err := encode(c.After)
	if err != nil {
		return fmt.Errorf("%s %s: %w", c.Kind, c.Key, err)
	}
	return b.Put([]byte(c.Key), data)
}

// load returns everything that is stored.
func (s *store) load() (records []state.Record, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			if string(name) == string(metaBucket) {
				return nil
			}
			return b.ForEach(func(key, data []byte) error {
				r, err := decode(state.Kind(name), data)
				if err != nil {
					return fault.New(fault.Corrupt, "cannot read %s %s of the engine's state: %w", name, key, err)
				}
				records = append(records, r)
				return nil
			})
		})
	})
	return records, err
}

func (s *store) close() error { return s.db.Close() }
