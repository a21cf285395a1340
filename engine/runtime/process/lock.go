//go:build linux

package process

import (
	"context"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-cd/slipway/fault"
)

// The lock of a container is an open file description's: it is handed to the supervisor with the file, and the kernel
// lets go of it when the supervisor ends, in whatever way. [fcntl(2), "Open file description locks"]

// supervised tells whether somebody holds the lock.
func (c *container) supervised() bool {
	f, err := os.OpenFile(c.file(lockFile), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	l := unix.Flock_t{Type: unix.F_WRLCK}
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l)
	return err == nil && l.Type != unix.F_UNLCK
}

// lock takes the lock. A supervisor that has just written down its container's end may hold it for a moment more.
func (c *container) lock(ctx context.Context) (*os.File, error) {
	f, err := os.OpenFile(c.file(lockFile), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	for began := time.Now(); ; {
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
		if err == nil {
			return f, nil
		}
		if time.Since(began) > 5*time.Second {
			f.Close()
			return nil, fault.New(fault.Conflict, "somebody else supervises it: %w", err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// shoot kills a supervisor that does not obey. The socket's other side is asked of the kernel, so it is no other process.
func (c *container) shoot() {
	conn, err := c.dial()
	if err != nil {
		return
	}
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil && cred.Pid > 1 {
			_ = syscall.Kill(int(cred.Pid), syscall.SIGKILL)
		}
	})
}
