//go:build linux

package process

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// excerpt is how much of a command's output is kept.
const excerpt = 4 << 10

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
			if json.NewDecoder(conn).Decode(&q) == nil {
				s.answer(conn, q)
			}
		}()
	}
}

func (s *supervisor) answer(conn net.Conn, q request) {
	switch q.Op {
	case opSignal:
		_ = syscall.Kill(s.pid, q.Signal)
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
	case opExec:
		code, output := s.exec(q.Argv, closed(conn))
		_ = json.NewEncoder(conn).Encode(response{Code: code, Output: output})
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

// exec runs a command and kills it when nobody waits for it any more.
func (s *supervisor) exec(argv []string, gone <-chan struct{}) (int, string) {
	out, in, err := os.Pipe()
	if err != nil {
		return 126, err.Error()
	}
	defer out.Close()
	var pid int
	var died <-chan syscall.WaitStatus
	err = s.cgroup.within(func() (err error) {
		pid, died, err = s.family.start(s.program, argv, in, in)
		return err
	})
	_ = in.Close()
	if err != nil {
		return unrunnable(err), err.Error()
	}
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(io.LimitReader(out, excerpt))
		_, _ = io.Copy(io.Discard, out)
		read <- string(text)
	}()
	var how syscall.WaitStatus
	select {
	case how = <-died:
	case <-gone:
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		how = <-died
	}
	_ = syscall.Kill(-pid, syscall.SIGKILL)              // what it left behind
	_ = out.SetReadDeadline(time.Now().Add(time.Second)) // and what hid from that
	text := <-read
	if how.Signaled() {
		return 128 + int(how.Signal()), text
	}
	return how.ExitStatus(), text
}

// unrunnable is the code with which a shell says that it could not run a command.
func unrunnable(err error) int {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return 127
	}
	return 126
}
