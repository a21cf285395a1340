//go:build linux

package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net"
	"os"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Logs yields what a container printed, as far as it is kept.
func (r *Runtime) Logs(ctx context.Context, name runtime.Name, since time.Time, follow bool) iter.Seq2[runtime.Line, error] {
	return func(yield func(runtime.Line, error) bool) {
		c, err := r.find(name)
		if err != nil {
			yield(runtime.Line{}, err)
			return
		}
		in := &reader{dir: c, yield: func(l runtime.Line) bool { return !l.Time.After(since) || yield(l, nil) }}
		defer in.close()
		if follow {
			if in.follow(ctx, c) && ctx.Err() == nil {
				if err := c.settled(ctx); err != nil && ctx.Err() == nil && fault.KindOf(err) != fault.NotFound {
					yield(runtime.Line{}, err)
				}
			}
			return
		}
		in.all()
	}
}

// reader reads a container's output, over the change from one file to the next.
type reader struct {
	dir     *container
	yield   func(runtime.Line) bool
	file    *os.File
	in      *bufio.Reader
	partial []byte // of a line that is just being written
}

// all reads the older file, then the newest to its end. It says whether more is wanted.
func (r *reader) all() bool {
	if r.file == nil {
		if f, err := os.Open(r.dir.file(olderFile)); err == nil {
			r.use(f)
			if !r.rest() {
				return false
			}
		}
	}
	for {
		if r.file != nil && !r.rest() {
			return false
		}
		next, err := os.Open(r.dir.file(logFile))
		if err != nil {
			return true // nothing was printed yet, or a new file is just being made
		}
		if r.file != nil && identical(r.file, next) {
			_ = next.Close()
			return true
		}
		if r.file != nil && !r.rest() { // what was written before the change
			_ = next.Close()
			return false
		}
		r.use(next)
	}
}

func identical(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

func (r *reader) use(f *os.File) {
	r.close()
	r.file, r.in, r.partial = f, bufio.NewReaderSize(f, 64<<10), nil
}

func (r *reader) close() {
	if r.file != nil {
		_ = r.file.Close()
	}
}

// rest reads what there is in the open file. It says whether more is wanted.
func (r *reader) rest() bool {
	for {
		text, err := r.in.ReadBytes('\n')
		r.partial = append(r.partial, text...)
		if err != nil {
			return errors.Is(err, io.EOF) || errors.Is(err, fs.ErrClosed)
		}
		line, ok := parseLine(r.partial)
		r.partial = nil
		if ok && !r.yield(line) {
			return false
		}
	}
}

// follow reads on until the container has ended. It says whether more was wanted to the last.
func (r *reader) follow(ctx context.Context, c *container) bool {
	conn, release, err := c.request(ctx, request{Op: opFollow})
	if err != nil {
		return r.all() // it does not run
	}
	defer release()
	for {
		if !r.all() {
			return false
		}
		if !more(conn) {
			return r.all()
		}
	}
}

// more waits until there is more output, or none to come.
func more(conn *net.UnixConn) bool {
	buf := make([]byte, 64)
	_, err := conn.Read(buf)
	return err == nil
}

// The form of a line in a log file is: time, "o" or "e", text.

func formatLine(l runtime.Line) []byte {
	stream := " o "
	if l.Stderr {
		stream = " e "
	}
	b := l.Time.AppendFormat(make([]byte, 0, len(l.Text)+40), time.RFC3339Nano)
	return append(append(append(b, stream...), l.Text...), '\n')
}

func parseLine(b []byte) (runtime.Line, bool) {
	stamp, rest, ok := bytes.Cut(b, []byte(" "))
	if !ok || len(rest) < 3 || rest[1] != ' ' {
		return runtime.Line{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return runtime.Line{}, false
	}
	return runtime.Line{Time: at, Stderr: rest[0] == 'e', Text: string(bytes.TrimSuffix(rest[2:], []byte("\n")))}, true
}
