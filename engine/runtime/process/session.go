//go:build linux

package process

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Frames go both ways over a supervisor's socket while somebody is attached to a command: a letter, the length of what
// follows in four bytes, and that.
type frame byte

const (
	frameStdin  frame = 'i' // bytes to read for the command
	frameEOF    frame = 'c' // it has read all
	frameSize   frame = 's' // of the terminal: columns and rows, two bytes each
	frameStdout frame = 'o'
	frameStderr frame = 'e'
	frameExit   frame = 'x' // the exit code, four bytes; the last frame
)

const largestFrame = 64 << 10

// frames writes frames to a connection, one at a time.
type frames struct {
	mu sync.Mutex
	to io.Writer
}

func (f *frames) send(kind frame, payload []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	head := binary.BigEndian.AppendUint32([]byte{byte(kind)}, uint32(len(payload))) //nolint:gosec // at most largestFrame
	if _, err := f.to.Write(append(head, payload...)); err != nil {
		return err
	}
	return nil
}

// copy sends what there is to read, to its end.
func (f *frames) copy(kind frame, from io.Reader) error {
	buf := make([]byte, largestFrame)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if err := f.send(kind, buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
	}
}

func receive(from io.Reader) (frame, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[1:])
	if size > largestFrame {
		return 0, nil, errors.New("a frame is too large")
	}
	payload := make([]byte, size)
	_, err := io.ReadFull(from, payload)
	return frame(head[0]), payload, err
}

// Exec runs a command beside the program: same files, same network, same user, same environment.
func (r *Runtime) Exec(ctx context.Context, name runtime.Name, argv []string) (int, string, error) {
	out := excerpt{most: 4 << 10}
	code, err := r.Attach(ctx, name, runtime.Session{Argv: argv, Stdout: &out, Stderr: &out})
	return code, string(out.kept), err
}

// excerpt keeps the beginning of what is written to it and takes the rest.
type excerpt struct {
	most int
	kept []byte
}

func (e *excerpt) Write(p []byte) (int, error) {
	e.kept = append(e.kept, p[:min(len(p), e.most-len(e.kept))]...)
	return len(p), nil
}

// Attach runs a command beside the program, with a session's streams.
func (r *Runtime) Attach(ctx context.Context, name runtime.Name, s runtime.Session) (int, error) {
	c, err := r.find(name)
	if err != nil {
		return 0, err
	}
	if !c.running() {
		return 0, fault.New(fault.Conflict, "cannot run a command in container %q: it is not running", name)
	}
	conn, release, err := c.request(ctx, request{Op: opAttach, Argv: s.Argv, TTY: s.TTY, Stdin: s.Stdin != nil})
	if err != nil {
		return 0, err
	}
	defer release()
	ended := make(chan struct{})
	defer close(ended)
	talk(&frames{to: conn}, s, ended)
	code, err := listenTo(conn, s)
	switch {
	case ctx.Err() != nil:
		return 0, fault.New(fault.Timeout, "a command in container %q did not end in time: %w", name, ctx.Err())
	case err != nil:
		return 0, fault.New(fault.Unavailable, "the supervisor of container %q went away: %w", name, err)
	}
	return code, nil
}

// talk sends what the session's owner types, and the sizes of the terminal, until the command has ended.
func talk(to *frames, s runtime.Session, ended <-chan struct{}) {
	if s.Stdin != nil {
		go func() {
			_ = to.copy(frameStdin, s.Stdin)
			_ = to.send(frameEOF, nil)
		}()
	}
	go func() {
		for {
			select {
			case size, ok := <-s.Resize:
				if !ok {
					return
				}
				_ = to.send(frameSize, binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, size.Columns), size.Rows))
			case <-ended:
				return
			}
		}
	}()
}

// listenTo passes on what the command prints, until it has ended.
func listenTo(conn net.Conn, s runtime.Session) (code int, err error) {
	for {
		kind, payload, err := receive(conn)
		if err != nil {
			return 0, err
		}
		to := s.Stdout
		switch kind {
		case frameExit:
			if len(payload) != 4 {
				return 0, errors.New("it sent no exit code")
			}
			return int(int32(binary.BigEndian.Uint32(payload))), nil //nolint:gosec // it is an int32 that was sent
		case frameStderr:
			to = s.Stderr
		case frameStdout:
		default:
			return 0, errors.New("it sent a frame of an unknown kind")
		}
		if to == nil {
			continue
		}
		if _, err := to.Write(payload); err != nil {
			return 0, err
		}
	}
}
