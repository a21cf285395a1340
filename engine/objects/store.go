// Package objects keeps buckets and objects on disk and serves them as Amazon S3 does.
//
// A bucket is a directory, an object a file in it under the digest of its key: the content, and behind it what is known of
// the object. A file is written beside and renamed, so an object is there as a whole or not at all.
package objects

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"

	"github.com/slipway-cd/slipway/fault"
)

// Store keeps buckets in a directory, which one store at a time may use. What is in them is known without reading the
// disk: a few hundred bytes of memory for each object.
type Store struct {
	dir string

	mu      sync.RWMutex
	buckets map[string]*bucket
}

type bucket struct {
	created time.Time
	objects map[string]object // by key
}

// object is what is known of an object.
type object struct {
	Key      string
	Size     int64
	MD5      []byte
	Modified time.Time
	Headers  map[string]string // content type and the like, and x-amz-meta-*
}

const (
	objectsDir = "objects"
	uploadsDir = "uploads"
	partial    = ".new" // of a file that is being written
	lengthSize = 8      // bytes at the end of a file that tell how long the description before them is
	largestDoc = 1 << 20
)

// Open opens the store in a directory, which it makes if need be.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.New(fault.Invalid, "cannot keep objects in %s: %w", dir, err)
	}
	s := &Store{dir: dir, buckets: map[string]*bucket{}}
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot keep objects in %s: %w", dir, err)
	}
	for _, entry := range all {
		if !entry.IsDir() {
			continue
		}
		b, err := s.load(entry)
		if err != nil {
			return nil, fault.New(fault.Corrupt, "cannot read the bucket %q in %s: %w", entry.Name(), dir, err)
		}
		s.buckets[entry.Name()] = b
	}
	return s, nil
}

func (s *Store) load(entry fs.DirEntry) (*bucket, error) {
	info, err := entry.Info()
	if err != nil {
		return nil, err
	}
	b := &bucket{created: info.ModTime(), objects: map[string]object{}}
	dir := s.path(entry.Name(), objectsDir)
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // it was being made or deleted
		return nil, err
	}
	for _, f := range files {
		if filepath.Ext(f.Name()) == partial { // of a writer that was killed
			_ = os.Remove(filepath.Join(dir, f.Name()))
			continue
		}
		o, err := describe(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("object %s: %w", f.Name(), err)
		}
		b.objects[o.Key] = o
	}
	return b, nil
}

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// file is where an object is kept: keys may be longer than file names, and hold anything.
func (s *Store) file(bucket, key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.path(bucket, objectsDir, hex.EncodeToString(sum[:]))
}

// describe reads what is known of the object in a file.
func describe(path string) (object, error) {
	f, err := os.Open(path)
	if err != nil {
		return object{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return object{}, err
	}
	var length [lengthSize]byte
	if _, err := f.ReadAt(length[:], info.Size()-lengthSize); err != nil {
		return object{}, err
	}
	size := int64(binary.BigEndian.Uint64(length[:])) //nolint:gosec // checked below
	if size < 0 || size > largestDoc || size > info.Size()-lengthSize {
		return object{}, fault.New(fault.Corrupt, "its description is said to have %d bytes", size)
	}
	doc := make([]byte, size)
	if _, err := f.ReadAt(doc, info.Size()-lengthSize-size); err != nil {
		return object{}, err
	}
	var o object
	if err := json.Unmarshal(doc, &o); err != nil {
		return object{}, err
	}
	return o, nil
}

// write writes content and description, and gives the file its name when all of it is there. finish fills in what is
// known when the content has been read.
func write(path string, content io.Reader, finish func(written int64) (object, error)) (o object, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "*"+partial)
	if err != nil {
		return o, err
	}
	defer func() {
		_ = f.Close()
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	n, err := io.Copy(f, content)
	if err != nil {
		return o, err
	}
	if o, err = finish(n); err != nil {
		return o, err
	}
	doc, err := json.Marshal(o)
	if err != nil {
		return o, err
	}
	if _, err := f.Write(binary.BigEndian.AppendUint64(doc, uint64(len(doc)))); err != nil {
		return o, err
	}
	return o, errors.Join(f.Close(), os.Rename(f.Name(), path))
}

// section is the part of an open file that is asked for.
type section struct {
	io.Reader
	io.Closer
}

// open opens an object's content, from a place on.
func (s *Store) open(bucket, key string) (object, *os.File, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, ok := s.buckets[bucket]
	if !ok {
		return object{}, nil, gofakes3.BucketNotFound(bucket)
	}
	o, ok := b.objects[key]
	if !ok {
		return object{}, nil, gofakes3.KeyNotFound(key)
	}
	f, err := os.Open(s.file(bucket, key)) // under the lock: it is this version of the object
	return o, f, err
}

// Read returns the content of an object of at most limit bytes. It returns a fault: NotFound for a bucket or an object
// that isn't there, Invalid for one that is larger.
func (s *Store) Read(bucket, key string, limit int64) ([]byte, error) {
	o, f, err := s.open(bucket, key)
	if err != nil {
		return nil, fault.New(fault.NotFound, "cannot read s3://%s/%s: %w", bucket, key, err)
	}
	defer f.Close()
	if o.Size > limit {
		return nil, fault.New(fault.Invalid, "cannot read s3://%s/%s: it has %d bytes, at most %d are read", bucket, key, o.Size, limit)
	}
	content := make([]byte, o.Size)
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, fault.New(fault.Corrupt, "cannot read s3://%s/%s: %w", bucket, key, err)
	}
	return content, nil
}

// keys returns the keys of a bucket in their order. The lock is held.
func (b *bucket) keys() []string { return slices.Sorted(maps.Keys(b.objects)) }
