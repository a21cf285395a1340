//go:build linux

package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os/exec"
	"syscall"
)

// serve answers the engine until the container has ended.
func (s *supervisor) serve() {
	for {
		conn, err := s.control.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var q request
			handed := &handed{conn: conn.(*net.UnixConn)}
			defer handed.close()
			from := bufio.NewReader(handed)
			if line, err := from.ReadBytes('\n'); err != nil || json.Unmarshal(line, &q) != nil {
				return
			}
			if s.order.Plan.Spec.Idle {
				s.answerIdle(conn, q, handed.files)
				return
			}
			s.answer(conn, from, q)
		}()
	}
}

func (s *supervisor) answer(conn net.Conn, from io.Reader, q request) {
	switch q.Op {
	case opSignal:
		_ = syscall.Kill(s.pid, q.Signal)
	case opSignalAll:
		s.family.signalAll(s.pid, s.order.Grant.Level != Bare, q.Signal)
	case opKill:
		_ = syscall.Kill(s.pid, syscall.SIGKILL)
		<-s.ended
	case opWatch:
		select {
		case <-s.ended:
		case <-closed(conn):
		}
	case opFollow:
		s.tell(conn)
	case opAttach:
		s.attach(conn, from, q)
	}
}

// closed returns a channel that is closed when the other side has closed the connection.
func closed(conn net.Conn) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		_, _ = io.Copy(io.Discard, conn)
	}()
	return c
}

// tell sends a byte whenever there is more output.
func (s *supervisor) tell(conn net.Conn) {
	more, leave := s.journal.follow()
	defer leave()
	gone := closed(conn)
	if _, err := conn.Write([]byte{'\n'}); err != nil { // for what came before this
		return
	}
	for {
		select {
		case <-more:
			if _, err := conn.Write([]byte{'\n'}); err != nil {
				return
			}
		case <-gone:
			return
		case <-s.ended:
			return
		}
	}
}

// unrunnable is the code with which a shell says that it could not run a command.
func unrunnable(err error) int {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return 127
	}
	return 126
}
