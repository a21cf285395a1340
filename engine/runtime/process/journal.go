//go:build linux

package process

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
)

const (
	longest  = 256 << 10 // of a line; the rest of it is dropped
	rotation = 16 << 20  // bytes in the newest file before it becomes the older one
)

// journal keeps a program's output: two files at most, the newest lines.
type journal struct {
	mu        sync.Mutex
	dir       *os.Root
	file      *os.File
	size      int
	last      time.Time
	followers map[chan struct{}]struct{}
}

func openJournal(dir *os.Root) (*journal, error) {
	j := &journal{dir: dir, followers: map[chan struct{}]struct{}{}}
	return j, j.open()
}

func (j *journal) open() (err error) {
	j.file, err = j.dir.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := j.file.Stat()
	if err == nil {
		j.size = int(info.Size())
	}
	return err
}

// copy keeps every line of a stream until its end.
func (j *journal) copy(from io.Reader, stderr bool) {
	in := bufio.NewReaderSize(from, 64<<10)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		whole := err == nil
		if whole {
			part = part[:len(part)-1]
		}
		line = append(line, part[:min(len(part), longest-len(line))]...)
		ended := err != nil && !errors.Is(err, bufio.ErrBufferFull)
		if whole || ended && len(line) > 0 {
			j.keep(runtime.Line{Stderr: stderr, Text: string(bytes.TrimSuffix(line, []byte("\r")))}) // as a terminal ends it
			line = line[:0]
		}
		if ended {
			return
		}
	}
}

// keep writes a line. Each has a later time than the one before, so that a time tells lines apart. What the disk does
// not take is lost; the program goes on.
func (j *journal) keep(l runtime.Line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l.Time = time.Now().UTC().Round(0)
	if !l.Time.After(j.last) {
		l.Time = j.last.Add(1)
	}
	j.last = l.Time
	if j.size > rotation {
		_ = j.file.Close()
		_ = j.dir.Rename(logFile, olderFile)
		_ = j.open()
	}
	n, _ := j.file.Write(formatLine(l))
	j.size += n
	for f := range j.followers {
		select {
		case f <- struct{}{}:
		default:
		}
	}
}

// follow returns a channel that has a value whenever there is more, and how to end that.
func (j *journal) follow() (<-chan struct{}, func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := make(chan struct{}, 1)
	j.followers[f] = struct{}{}
	return f, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		delete(j.followers, f)
	}
}
