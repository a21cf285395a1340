//go:build linux

package process

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openTerminal opens a terminal: of the container, or of the machine where containers have no namespaces. What is written
// to the master is typed, what is read from it was printed. [pts(4), TIOCGPTPEER(2const)]
func openTerminal() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("the kernel gives this container no terminal: %w", err)
	}
	master = os.NewFile(uintptr(fd), "terminal")
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		_ = master.Close()
		return nil, nil, fmt.Errorf("cannot unlock a terminal: %w", err)
	}
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY)
	if errno != 0 {
		_ = master.Close()
		return nil, nil, fmt.Errorf("cannot open a terminal: %w", errno)
	}
	return master, os.NewFile(peer, "terminal"), nil
}

func setSize(terminal *os.File, columns, rows uint16) {
	raw, err := terminal.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows})
	})
}
