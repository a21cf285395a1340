//go:build linux

package process

import (
	"fmt"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// family is the processes under a supervisor. Whatever loses its parent becomes the supervisor's child.
type family struct {
	mu     sync.Mutex // held from a process's birth until its death can be told
	deaths map[int]chan syscall.WaitStatus
	born   chan struct{}
	none   chan struct{} // has a value when there was no child
	thread chan func()   // runs on one thread that never ends: children die with the thread that bore them [prctl(2)]
}

func newFamily() *family {
	f := &family{
		deaths: map[int]chan syscall.WaitStatus{}, born: make(chan struct{}, 1), none: make(chan struct{}, 1),
		thread: make(chan func()),
	}
	go func() {
		goruntime.LockOSThread()
		for run := range f.thread {
			run()
		}
	}()
	return f
}

// on runs a function on the thread that bears children.
func (f *family) on(run func()) {
	done := make(chan struct{})
	f.thread <- func() { defer close(done); run() }
	<-done
}

// start starts a command as the program says, and returns its process id and a channel that tells of its death.
func (f *family) start(p program, argv []string, s streams) (pid int, died <-chan syscall.WaitStatus, err error) {
	path, err := p.lookup(argv)
	if err != nil {
		return 0, nil, err
	}
	c := make(chan syscall.WaitStatus, 1)
	f.on(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		restore := p.restrict()
		defer restore()
		pid, err = syscall.ForkExec(path, argv, p.attributes(s))
		if err == nil {
			f.deaths[pid] = c
		}
	})
	if err != nil {
		return 0, nil, p.invalid(argv[0], err)
	}
	select {
	case f.born <- struct{}{}:
	default:
	}
	return pid, c, nil
}

// reap takes leave of every child that dies.
func (f *family) reap() {
	for {
		var how syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &how, 0, nil)
		if err == syscall.ECHILD {
			select {
			case f.none <- struct{}{}:
			default:
			}
			<-f.born
			continue
		}
		if err != nil {
			continue
		}
		f.mu.Lock()
		if c := f.deaths[pid]; c != nil {
			c <- how
			delete(f.deaths, pid)
		}
		f.mu.Unlock()
	}
}

// killAll kills whatever is left, until nothing is, or for ten seconds at most: what hangs in the kernel cannot be
// killed. In a process namespace of its own, everything goes with the supervisor anyway.
func (f *family) killAll(program int, namespaced bool) {
	select {
	case <-f.none: // of some time before
	default:
	}
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		if namespaced {
			_ = syscall.Kill(-1, syscall.SIGKILL) // all but the first process
		} else {
			_ = syscall.Kill(-program, syscall.SIGKILL)
			for _, pid := range descendants(os.Getpid()) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		select {
		case f.born <- struct{}{}: // has the reaper look
		default:
		}
		select {
		case <-f.none:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// descendants lists the processes below one. [proc_pid_task(5), children]
func descendants(pid int) []int {
	var all []int
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range threads {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
				all = append(all, descendants(child)...)
			}
		}
	}
	return all
}
