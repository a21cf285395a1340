package logs

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// stream is the files of one stream, numbered from 1; lines are appended to the last.
type stream struct {
	mu     sync.Mutex
	dir    string
	loaded bool
	files  []int // numbers, ascending
	size   int64 // of the last file
	info   Info
}

func sum(text string) []byte {
	s := sha256.Sum256([]byte(text))
	return s[:12]
}

func (s *stream) file(number int) string {
	return filepath.Join(s.dir, fmt.Sprintf("%010d.log", number))
}

// load finds out what is on disk, once, and cuts off a line that was not written to its end.
func (s *stream) load() error {
	if s.loaded {
		return nil
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Internal, "cannot read logs: %w", err)
	}
	for _, e := range entries {
		digits, ok := strings.CutSuffix(e.Name(), ".log")
		if n, err := strconv.Atoi(digits); ok && err == nil {
			s.files = append(s.files, n)
		}
	}
	slices.Sort(s.files)
	for i, n := range s.files {
		if err := s.loadFile(n, i == len(s.files)-1); err != nil {
			return err
		}
	}
	s.loaded = true
	return nil
}

func (s *stream) loadFile(number int, last bool) error {
	data, err := os.ReadFile(s.file(number))
	if err != nil {
		return fault.New(fault.Internal, "cannot read logs: %w", err)
	}
	whole := int64(bytes.LastIndexByte(data, '\n') + 1)
	if last && whole < int64(len(data)) {
		if err := os.Truncate(s.file(number), whole); err != nil {
			return fault.New(fault.Internal, "cannot mend logs: %w", err)
		}
	}
	for _, e := range parse(data[:whole]) {
		s.count(e.Event)
	}
	s.info.Bytes += whole
	s.size = whole
	return nil
}

func (s *stream) count(e Event) {
	if s.info.First.IsZero() || e.Time.Before(s.info.First) {
		s.info.First = e.Time
	}
	switch {
	case e.Time.After(s.info.Last):
		s.info.Last, s.info.AtLast = e.Time, 1
	case e.Time.Equal(s.info.Last):
		s.info.AtLast++
	}
	if e.Ingested.After(s.info.Ingested) {
		s.info.Ingested = e.Ingested
	}
}

// append writes the lines with one call, so that they are in the file as soon as it returns, whatever becomes of the
// process.
func (s *stream) append(events []Event) error {
	if err := s.load(); err != nil {
		return err
	}
	var buffer []byte
	for len(events) > 0 {
		buffer = buffer[:0]
		n := 0
		for n < len(events) && (n == 0 || s.size+int64(len(buffer)) < fileSize) {
			buffer = appendLine(buffer, events[n])
			n++
		}
		if err := s.write(buffer); err != nil {
			return err
		}
		for _, e := range events[:n] {
			s.count(e)
		}
		events = events[n:]
	}
	return nil
}

func (s *stream) write(lines []byte) error {
	if err := s.rotate(); err != nil {
		return err
	}
	f, err := os.OpenFile(s.file(s.files[len(s.files)-1]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.New(fault.Internal, "cannot write logs: %w", err)
	}
	_, err = f.Write(lines)
	if err := errors.Join(err, f.Close()); err != nil {
		return fault.New(fault.Internal, "cannot write logs: %w", err)
	}
	s.size += int64(len(lines))
	s.info.Bytes += int64(len(lines))
	return nil
}

// rotate begins another file when the last is full, and lets go of the oldest when there are too many.
func (s *stream) rotate() error {
	if len(s.files) > 0 && s.size < fileSize {
		return nil
	}
	next := 1
	if len(s.files) > 0 {
		next = s.files[len(s.files)-1] + 1
	} else if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fault.New(fault.Internal, "cannot write logs: %w", err)
	}
	s.files, s.size = append(s.files, next), 0
	for len(s.files) > maxFiles {
		if stat, err := os.Stat(s.file(s.files[0])); err == nil {
			s.info.Bytes -= stat.Size()
		}
		if err := os.Remove(s.file(s.files[0])); err != nil {
			return fault.New(fault.Internal, "cannot make room for logs: %w", err)
		}
		s.files = s.files[1:]
	}
	return nil
}

// expire removes the oldest files, up to the first one with a line that was printed at the time or after it.
func (s *stream) expire(before time.Time) error {
	if err := s.load(); err != nil {
		return err
	}
	if len(s.files) < 2 || !s.info.First.Before(before) {
		return nil
	}
	removed := 0
	for _, n := range s.files[:len(s.files)-1] {
		data, err := os.ReadFile(s.file(n))
		if err != nil {
			return fault.New(fault.Internal, "cannot read logs: %w", err)
		}
		if slices.ContainsFunc(parse(data), func(e placed) bool { return !e.Time.Before(before) }) {
			break
		}
		if err := os.Remove(s.file(n)); err != nil {
			return fault.New(fault.Internal, "cannot expire logs: %w", err)
		}
		removed++
	}
	if removed == 0 {
		return nil
	}
	s.loaded, s.files, s.info = false, nil, Info{}
	return s.load()
}
