// Package logs keeps what containers print, a directory of files per stream, bounded in size.
//
// Which groups and streams exist is the engine's state; here are only their lines.
package logs

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// What a stream may take up: the oldest file goes when there would be one more.
const (
	fileSize = 1 << 20
	maxFiles = 16
)

// Store is the lines of all streams. It may be used by several goroutines.
type Store struct {
	dir string

	mu      sync.Mutex
	streams map[string]*stream
	closed  bool
}

// Open returns the store in that directory, which need not exist.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Invalid, "cannot make the directory for logs: %w", err)
	}
	return &Store{dir: dir, streams: map[string]*stream{}}, nil
}

// Close ends the store's use; what was put is in files already.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// Put appends lines to a stream, which begins with them if it has none.
func (s *Store) Put(group, name string, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	st, err := s.stream(group, name)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.append(events)
}

// Info tells how far a stream goes.
type Info struct {
	First, Last, Ingested time.Time // zero when it has no lines
	AtLast                int       // how many lines bear the last time
	Bytes                 int64
}

// Info returns how far a stream goes. An unknown stream has no lines.
func (s *Store) Info(group, name string) (Info, error) {
	st, err := s.stream(group, name)
	if err != nil {
		return Info{}, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := st.load(); err != nil {
		return Info{}, err
	}
	return st.info, nil
}

// Delete removes the lines of a stream.
func (s *Store) Delete(group, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, key(group, name))
	return remove(s.path(group, name))
}

// Expire removes lines of a stream that were printed before a time, as far as whole files consist of them. The newest file
// stays whatever its age: it tells how far the container's output has been stored.
func (s *Store) Expire(group, name string, before time.Time) error {
	st, err := s.stream(group, name)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.expire(before)
}

// DeleteGroup removes the lines of all streams of a group.
func (s *Store) DeleteGroup(group string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.streams {
		if strings.HasPrefix(k, group+"\x00") {
			delete(s.streams, k)
		}
	}
	return remove(filepath.Join(s.dir, directory(group)))
}

func remove(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return fault.New(fault.Internal, "cannot delete logs: %w", err)
	}
	return nil
}

func (s *Store) stream(group, name string) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fault.New(fault.Unavailable, "the logs are closed")
	}
	k := key(group, name)
	st, ok := s.streams[k]
	if !ok {
		st = &stream{dir: s.path(group, name)}
		s.streams[k] = st
	}
	return st, nil
}

func key(group, name string) string { return group + "\x00" + name }

func (s *Store) path(group, name string) string {
	return filepath.Join(s.dir, directory(group), directory(name))
}

// directory returns a name of one path element that no other text has.
func directory(name string) string {
	escaped := strings.ReplaceAll(url.PathEscape(name), ".", "%2E")
	if len(escaped) <= 200 {
		return cmp.Or(escaped, "%")
	}
	return fmt.Sprintf("%s~%x", escaped[:150], sum(name))
}
