package images

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// sessions are the uploads that this process knows of. An upload that it doesn't know may still be on disk, from before
// a restart: then it goes on from there.
type sessions struct {
	mu    sync.Mutex
	known map[UploadID]*session
}

// session is one upload: a file that grows, and the digest of what it holds. Both always cover the same bytes.
type session struct {
	name Name
	path string
	busy chan struct{} // holds a token while a request works on the upload
	sum  hash.Hash     // nil until the file was read again after a restart
	size int64
}

// StartUpload begins the upload of a blob and creates the repository where the owner allows it.
func (s *Store) StartUpload(name Name) (UploadID, error) {
	if _, err := s.ensure(name); err != nil {
		return "", err
	}
	if err := os.MkdirAll(s.uploadDir(name), 0o755); err != nil {
		return "", refuse(unknown, "cannot start an upload: %w", err)
	}
	id := UploadID(newID())
	f, err := os.OpenFile(s.uploadPath(name, id), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return "", refuse(unknown, "cannot start an upload: %w", err)
	}
	s.uploads.add(id, &session{name: name, path: f.Name(), busy: make(chan struct{}, 1), sum: sha256.New()})
	return id, f.Close()
}

// UploadSize returns how many bytes of an upload have arrived.
func (s *Store) UploadSize(ctx context.Context, name Name, id UploadID) (int64, error) {
	up, done, err := s.enter(ctx, name, id)
	if err != nil {
		return 0, err
	}
	defer done()
	return up.size, nil
}

// Append adds the reader's bytes to an upload and returns its size. Unless start is negative it must be the size that
// the upload has; else the error is of kind Conflict. When the reader fails, what it gave until then stays, and the
// client may go on from there. When the store's disk takes no more, the upload is gone and the error is of kind Internal.
func (s *Store) Append(ctx context.Context, name Name, id UploadID, start int64, content io.Reader) (int64, error) {
	up, done, err := s.enter(ctx, name, id)
	if err != nil {
		return 0, err
	}
	defer done()
	if start >= 0 && start != up.size {
		return up.size, refuse(rangeWrong, "the upload has %d bytes, the next chunk starts at %d", up.size, start)
	}
	return up.size, s.grow(up, id, content)
}

// grow appends to an upload. One that cannot be stored is dropped: where the disk is full, nothing would be gained by
// keeping the beginning of it until Sweep comes.
func (s *Store) grow(up *session, id UploadID, content io.Reader) error {
	err := up.append(content)
	if codeOf(err) == notStored {
		s.uploads.remove(id)
		err = errors.Join(err, ignoreMissing(os.Remove(up.path)))
	}
	return err
}

// Finish adds the reader's bytes to an upload and makes it a blob, if it has the digest; if not, the upload is gone and
// the error is of kind Invalid.
func (s *Store) Finish(ctx context.Context, name Name, id UploadID, start int64, content io.Reader, want Digest) error {
	up, done, err := s.enter(ctx, name, id)
	if err != nil {
		return err
	}
	defer done()
	if start >= 0 && start != up.size {
		return refuse(rangeWrong, "the upload has %d bytes, the last chunk starts at %d", up.size, start)
	}
	if err := s.grow(up, id, content); err != nil {
		return err
	}
	s.uploads.remove(id)
	if got := up.digest(); got != want {
		return errors.Join(refuse(digestInvalid, "the uploaded content has the digest %s, not %s", got, want), os.Remove(up.path))
	}
	return s.keep(up, want)
}

// keep moves a complete upload to its place in the repository.
func (s *Store) keep(up *session, d Digest) error {
	r, err := s.repository(up.name)
	if err != nil {
		return err
	}
	unlock, err := r.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := os.Rename(up.path, r.blobPath(d)); err != nil {
		return refuse(unknown, "cannot store blob %s: %w", d, err)
	}
	return nil
}

// CancelUpload forgets an upload and what arrived of it.
func (s *Store) CancelUpload(ctx context.Context, name Name, id UploadID) error {
	up, done, err := s.enter(ctx, name, id)
	if err != nil {
		return err
	}
	defer done()
	s.uploads.remove(id)
	return os.Remove(up.path)
}

// enter waits until no other request works on the upload, and returns it ready to be appended to.
func (s *Store) enter(ctx context.Context, name Name, id UploadID) (up *session, done func(), err error) {
	if !uploadGrammar().MatchString(string(id)) {
		return nil, nil, noUpload(name, id)
	}
	if _, err := s.repository(name); err != nil {
		return nil, nil, err
	}
	up = s.uploads.get(id, func() *session {
		return &session{name: name, path: s.uploadPath(name, id), busy: make(chan struct{}, 1)}
	})
	select {
	case up.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	done = func() { <-up.busy }
	if _, ok := exists(up.path); !ok || up.name != name {
		done()
		s.uploads.forget(id, up, name)
		return nil, nil, noUpload(name, id)
	}
	if err := up.catchUp(); err != nil {
		done()
		return nil, nil, refuse(unknown, "cannot read upload %s: %w", id, err)
	}
	return up, done, nil
}

// catchUp reads a file that another process began, for its digest and size.
func (up *session) catchUp() error {
	if up.sum != nil {
		return nil
	}
	f, err := os.Open(up.path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	up.sum, up.size = sum, size
	return nil
}

// append writes to the file, and to the digest what the file took. The file is on disk when it returns.
func (up *session) append(content io.Reader) error {
	f, err := os.OpenFile(up.path, os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return noUpload(up.name, UploadID(filepath.Base(up.path)))
	}
	if err != nil {
		return refuse(unknown, "cannot write to upload: %w", err)
	}
	grow := &growing{up: up, file: f}
	// A buffer of its own: io.Copy's 32 KiB would mean a system call and a digest round for each of them.
	_, err = io.CopyBuffer(grow, content, make([]byte, copyBuffer))
	if failed := errors.Join(grow.failed, f.Sync(), f.Close()); failed != nil {
		return refuse(notStored, "the upload cannot be stored, after %d bytes: %w", up.size, failed)
	}
	if err != nil {
		return refuse(uploadInvalid, "the upload broke off after %d bytes: %w", up.size, err)
	}
	return nil
}

// copyBuffer is the memory in bytes that one upload takes, whatever its size.
const copyBuffer = 256 << 10

// growing is the writer that keeps a session's file, digest and size in step.
type growing struct {
	up     *session
	file   *os.File
	failed error // of the file, not of whoever sends
}

func (g *growing) Write(p []byte) (int, error) {
	n, err := g.file.Write(p)
	g.up.sum.Write(p[:n])
	g.up.size += int64(n)
	g.failed = err
	return n, err
}

func (up *session) digest() Digest { return Digest("sha256:" + hex.EncodeToString(up.sum.Sum(nil))) }

func (ss *sessions) add(id UploadID, up *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.known == nil {
		ss.known = map[UploadID]*session{}
	}
	ss.known[id] = up
}

// get returns the session, or makes it.
func (ss *sessions) get(id UploadID, newSession func() *session) *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if up, ok := ss.known[id]; ok {
		return up
	}
	if ss.known == nil {
		ss.known = map[UploadID]*session{}
	}
	up := newSession()
	ss.known[id] = up
	return up
}

func (ss *sessions) remove(id UploadID) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.known, id)
}

// forget removes a session that turned out to be no upload of its repository.
func (ss *sessions) forget(id UploadID, up *session, asked Name) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.known[id] == up && up.name == asked {
		delete(ss.known, id)
	}
}

func (s *Store) uploadDir(name Name) string { return filepath.Join(s.uploadsDir(), name.directory()) }

func (s *Store) uploadPath(name Name, id UploadID) string {
	return filepath.Join(s.uploadDir(name), string(id))
}

func noUpload(name Name, id UploadID) error {
	return refuse(uploadUnknown, "repository %q has no upload %s", name, id)
}

// newID returns 128 random bits as 32 hexadecimal digits.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b[:])
}
