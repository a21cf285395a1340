//go:build linux

package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// A network that containers share is kept by a supervisor without a program. It starts the supervisors of those that join:
// only its own children are born into its network, whoever the user is. [network_namespaces(7), user_namespaces(7)]

// keep makes the network, and begins to answer.
func (s *supervisor) keep(listeners []*os.File) error {
	if err := raiseLoopback(); err != nil {
		return fmt.Errorf("cannot raise the loopback interface: %w", err)
	}
	if err := s.serveMetadata(); err != nil {
		return err
	}
	over := make(chan syscall.WaitStatus, 1)
	s.died, s.over = over, over
	return s.run(listeners)
}

// answerIdle does what can be asked of a container without a program.
func (s *supervisor) answerIdle(conn net.Conn, q request, files []*os.File) {
	switch q.Op {
	case opSignal, opKill:
		if q.Op == opKill {
			q.Signal = syscall.SIGKILL
		}
		select {
		case s.over <- syscall.WaitStatus(q.Signal):
		default: // it ends already
		}
		<-s.ended
	case opWatch, opFollow:
		select {
		case <-s.ended:
		case <-closed(conn):
		}
	case opJoin:
		o := outcome{}
		if err := s.bear(q, files); err != nil {
			o = outcome{Kind: fault.Internal, Message: err.Error()}
		}
		_ = json.NewEncoder(conn).Encode(o) // an engine that was killed meanwhile reads the status file
	case opAttach:
		a := &attached{to: &frames{to: conn}}
		a.exit(unrunnable(os.ErrNotExist), os.ErrNotExist)
	case opSignalAll: // there are no processes
	}
}

// bear starts the supervisor of a container that joins. The files are its input, its output, and its descriptors 3, 4.
func (s *supervisor) bear(q request, files []*os.File) error {
	const least = 2
	if len(files) < least {
		return fmt.Errorf("cannot join: %d files were handed over", len(files))
	}
	cmd := reexec("supervise", q.Dir)
	cmd.Args[0] = supervisorName(q.Name)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[1]
	cmd.ExtraFiles = files[least:]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: joined}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start its supervisor: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	return nil
}

// join has the supervisor of another container, which keeps a network, start that of this one.
func (r *Runtime) join(ctx context.Context, c *container, other runtime.Name, files []*os.File) error {
	keeper, err := r.find(other)
	if err != nil {
		return err
	}
	if !keeper.plan.Spec.Idle || !keeper.running() {
		return fault.New(fault.Conflict, "cannot join the network of container %q: it is not running, or doesn't keep one", other)
	}
	conn, release, err := keeper.request(ctx, request{Op: opJoin, Dir: c.dir, Name: c.name}, files...)
	if err != nil {
		return err
	}
	defer release()
	answer, err := io.ReadAll(conn)
	var o outcome
	if err != nil || json.Unmarshal(answer, &o) != nil {
		return fault.New(fault.Unavailable, "the supervisor of container %q went away", other)
	}
	if o.Kind != "" {
		return fault.New(o.Kind, "%s", o.Message)
	}
	return nil
}

// send writes a request, and hands over files with it.
func send(conn *net.UnixConn, q request, files []*os.File) error {
	line, err := json.Marshal(q)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if len(files) == 0 {
		_, err = conn.Write(line)
		return err
	}
	descriptors := make([]int, len(files))
	for i, f := range files {
		descriptors[i] = int(f.Fd())
	}
	n, _, err := conn.WriteMsgUnix(line, unix.UnixRights(descriptors...), nil)
	if err == nil && n < len(line) {
		_, err = conn.Write(line[n:])
	}
	return err
}

// handed reads from a connection, and keeps the files that are handed over with what it reads.
type handed struct {
	conn  *net.UnixConn
	files []*os.File
}

const mostHanded = 16 // files with one request

func (h *handed) Read(p []byte) (int, error) {
	control := make([]byte, unix.CmsgSpace(4*mostHanded))
	n, size, _, _, err := h.conn.ReadMsgUnix(p, control)
	switch {
	case err != nil:
		return 0, err
	case n == 0 && len(p) > 0:
		err = io.EOF
	}
	messages, _ := unix.ParseSocketControlMessage(control[:size])
	for _, m := range messages {
		descriptors, _ := unix.ParseUnixRights(&m)
		for _, d := range descriptors {
			h.files = append(h.files, os.NewFile(uintptr(d), "handed over")) //nolint:gosec // the kernel gave it
		}
	}
	return n, err
}

func (h *handed) close() { closeAll(h.files) }
