//go:build linux

package process

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// attached is a command that somebody is attached to, as the supervisor sees it.
type attached struct {
	to      *frames
	input   *os.File   // what is typed goes there; nil: nothing can be typed
	outputs []*os.File // what it prints comes from there: the first is stdout, or the terminal
	tty     bool
}

// attach runs a command, and kills it when nobody is attached to it any more.
func (s *supervisor) attach(conn net.Conn, from io.Reader, q request) {
	a := &attached{to: &frames{to: conn}, tty: q.TTY}
	ends, err := a.open(q)
	if err != nil {
		a.exit(126, err)
		return
	}
	defer a.close()
	var pid int
	var died <-chan syscall.WaitStatus
	err = s.cgroup.within(func() (err error) {
		pid, died, err = s.family.start(s.program, q.Argv, ends)
		return err
	})
	ends.close()
	if err != nil {
		a.exit(unrunnable(err), err)
		return
	}
	var printing sync.WaitGroup
	for i, f := range a.outputs {
		printing.Go(func() { _ = a.to.copy([]frame{frameStdout, frameStderr}[i], f) })
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		a.obey(from)
	}()
	var how syscall.WaitStatus
	select {
	case how = <-died:
	case <-gone:
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		how = <-died
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL) // what it left behind
	for _, f := range a.outputs {
		_ = f.SetReadDeadline(time.Now().Add(time.Second)) // and what hid from that
	}
	printing.Wait()
	code := how.ExitStatus()
	if how.Signaled() {
		code = 128 + int(how.Signal())
	}
	a.exit(code, nil)
}

// open makes the command's ends of its streams, and keeps the others.
func (a *attached) open(q request) (ends streams, err error) {
	if q.TTY {
		master, slave, err := openTerminal()
		if err != nil {
			return ends, err
		}
		a.outputs = []*os.File{master}
		if q.Stdin {
			a.input = master
		}
		return streams{in: slave, out: slave, err: slave, tty: true}, nil
	}
	for _, end := range []**os.File{&ends.out, &ends.err} {
		out, in, err := os.Pipe()
		if err != nil {
			return ends, err
		}
		*end = in
		a.outputs = append(a.outputs, out)
	}
	if q.Stdin {
		ends.in, a.input, err = os.Pipe()
	}
	return ends, err
}

func (a *attached) close() {
	for _, f := range append(a.outputs, a.input) {
		if f != nil {
			_ = f.Close()
		}
	}
}

// unread is how many frames may be typed ahead of what the command reads.
const unread = 16

// obey does what the frames say until there are no more: whoever was attached has gone.
func (a *attached) obey(from io.Reader) {
	typed := make(chan []byte, unread) // so that a command that doesn't read doesn't hide that somebody has gone
	defer close(typed)
	go a.feed(typed)
	for {
		kind, payload, err := receive(from)
		if err != nil {
			return
		}
		switch kind {
		case frameStdin:
			typed <- payload
		case frameEOF:
			typed <- nil
		case frameSize:
			if a.tty && len(payload) == 4 {
				setSize(a.outputs[0], binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:]))
			}
		}
	}
}

const endOfTransmission = 4 // what Ctrl-D types

// feed hands over what was typed; nothing at all is the end of it.
func (a *attached) feed(typed <-chan []byte) {
	for text := range typed {
		switch {
		case a.input == nil:
		case text == nil:
			a.endOfInput()
		default:
			_, _ = a.input.Write(text) // a command that has ended reads no more
		}
	}
}

func (a *attached) endOfInput() {
	if a.tty {
		_, _ = a.input.Write([]byte{endOfTransmission})
		return
	}
	_ = a.input.Close()
}

// exit tells how the command ended, and why it could not begin.
func (a *attached) exit(code int, why error) {
	if why != nil {
		end := "\n"
		if a.tty {
			end = "\r\n"
		}
		_ = a.to.send(frameStderr, []byte(why.Error()+end))
	}
	_ = a.to.send(frameExit, binary.BigEndian.AppendUint32(nil, uint32(int32(code)))) //nolint:gosec // an exit code
}
