//go:build linux

package process

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sys/unix"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// supervisor is a container's supervisor: the first process in its namespaces.
type supervisor struct {
	order   launch
	dir     *os.Root // the container's directory, kept open: it is out of sight once the root is the program's
	journal *journal
	control net.Listener
	cgroup  *cgroup
	family  *family
	program program
	outputs sync.WaitGroup
	silence *os.File // the other end of what an interactive program reads
	engine  *os.File // the engine's directory, kept open as dir is
	status  runtime.Status
	pid     int
	died    <-chan syscall.WaitStatus
	over    chan<- syscall.WaitStatus // ends a supervisor without a program
	ended   chan struct{}             // closed when everything is over but for the answers
	proxies []interface{ Close() error }
}

// The descriptors that the engine hands over; the listeners follow.
const (
	lockDescriptor  = 3
	sayDescriptor   = 4
	firstDescriptor = 5
)

// supervise runs the container whose directory is the current one, from start to end.
func supervise() error {
	s := &supervisor{ended: make(chan struct{}), family: newFamily()}
	say := os.NewFile(sayDescriptor, "engine")
	err := s.start()
	o := outcome{}
	if err != nil {
		o = outcome{Kind: fault.KindOf(err), Message: err.Error()}
	}
	_ = json.NewEncoder(say).Encode(o) // an engine that was killed meanwhile will read the status file
	_ = say.Close()
	if err != nil {
		return err
	}
	return s.finish()
}

func (s *supervisor) start() error {
	if err := json.NewDecoder(os.Stdin).Decode(&s.order); err != nil {
		return err
	}
	listeners := make([]*os.File, len(s.order.Forward))
	for fd := lockDescriptor; fd < firstDescriptor+len(listeners); fd++ {
		unix.CloseOnExec(fd)
	}
	for i := range listeners {
		listeners[i] = os.NewFile(uintptr(firstDescriptor+i), s.order.Forward[i].Host.String())
	}
	if err := s.openFiles(); err != nil {
		return err
	}
	if s.order.Plan.Spec.Idle {
		return s.keep(listeners)
	}
	if err := enter(s.order); err != nil {
		return fault.New(fault.KindOf(err), "cannot make its root directory: %w", err)
	}
	var err error
	if s.program, err = describe(s.order); err != nil {
		return err
	}
	if s.order.Net && s.order.Plan.Spec.Join == "" {
		if err := s.serveMetadata(); err != nil {
			return err
		}
	}
	if err := s.launch(); err != nil {
		return err
	}
	return s.run(listeners)
}

// run writes down that the container runs, opens its ports to the host, and begins to answer the engine.
func (s *supervisor) run(listeners []*os.File) error {
	s.status = runtime.Status{Phase: runtime.Running, StartedAt: time.Now().UTC()}
	if err := writeJSON(s.dir, statusFile, s.status); err != nil {
		return err
	}
	for i, port := range s.order.Forward {
		proxy, err := forward(listeners[i], port)
		if err != nil {
			return err
		}
		s.proxies = append(s.proxies, proxy)
	}
	go s.serve()
	return nil
}

// openFiles opens what lies outside the program's root directory.
func (s *supervisor) openFiles() (err error) {
	if s.dir, err = os.OpenRoot("."); err != nil {
		return err
	}
	if s.engine, err = os.Open("../.."); err != nil {
		return err
	}
	if s.journal, err = openJournal(s.dir); err != nil {
		return err
	}
	if s.cgroup, err = openCgroup(s.order.Cgroup); err != nil {
		return err
	}
	_ = os.Remove(controlFile)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: controlFile})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false) // its path will mean something else by then
	s.control = l
	return nil
}

// launch starts the program, with its output going to the journal.
func (s *supervisor) launch() error {
	if s.order.Grant.Level == Bare {
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	go s.family.reap()
	ends, err := s.streams()
	if err != nil {
		return err
	}
	defer ends.close()
	return s.cgroup.within(func() (err error) {
		s.pid, s.died, err = s.family.start(s.program, s.program.argv, ends)
		return err
	})
}

// streams makes the program's ends of its streams. What it prints goes to the journal. An interactive one has something
// to read from that never ends, and never says anything.
func (s *supervisor) streams() (ends streams, err error) {
	def := s.order.Plan.Spec.Definition
	if aws.ToBool(def.PseudoTerminal) {
		master, slave, err := openTerminal()
		if err != nil {
			return ends, err
		}
		s.outputs.Go(func() { defer master.Close(); s.journal.copy(master, false) })
		return streams{in: slave, out: slave, err: slave, tty: true}, nil
	}
	for i, end := range []**os.File{&ends.out, &ends.err} {
		out, in, err := os.Pipe()
		if err != nil {
			return ends, err
		}
		*end = in
		s.outputs.Go(func() { defer out.Close(); s.journal.copy(out, i == 1) })
	}
	if aws.ToBool(def.Interactive) {
		if ends.in, s.silence, err = os.Pipe(); err != nil {
			return ends, err
		}
	}
	return ends, nil
}

func (s streams) close() {
	for _, f := range []*os.File{s.in, s.out, s.err} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// finish waits for the program's end, ends all that it left behind, and writes down how it went.
func (s *supervisor) finish() error {
	how := <-s.died
	if !s.order.Plan.Spec.Idle {
		s.family.killAll(s.pid, s.order.Grant.Level != Bare)
	}
	for _, p := range s.proxies {
		_ = p.Close()
	}
	s.outputs.Wait()
	s.status.Phase, s.status.EndedAt = runtime.Exited, time.Now().UTC()
	s.status.ExitCode = how.ExitStatus()
	if how.Signaled() {
		s.status.ExitCode = 128 + int(how.Signal())
		s.status.OutOfMem = how.Signal() == syscall.SIGKILL && s.cgroup.outOfMemory()
	}
	err := writeJSON(s.dir, statusFile, s.status)
	close(s.ended)
	return errors.Join(err, s.control.Close())
}
