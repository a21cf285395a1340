//go:build linux

package process

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// stopSignal is the signal that an image wants to be stopped with: "SIGQUIT", "QUIT" or "3"; SIGTERM unless it says so.
func stopSignal(name string) syscall.Signal {
	if n := unix.SignalNum(name); n != 0 {
		return n
	}
	if n := unix.SignalNum("SIG" + name); n != 0 {
		return n
	}
	return numbered(name)
}

// numbered reads a signal's number; what is none is SIGTERM.
func numbered(text string) syscall.Signal {
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n <= 64 {
		return syscall.Signal(n)
	}
	return syscall.SIGTERM
}
