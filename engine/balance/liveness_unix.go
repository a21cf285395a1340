//go:build unix

package balance

import (
	"crypto/tls"
	"net"
	"syscall"
)

// liveness tells whether an idle connection was closed by the other side, without reading from it.
type liveness struct {
	raw       syscall.RawConn
	encrypted bool
	peek      func(fd uintptr) bool
	closed    *bool
}

func livenessOf(conn net.Conn) liveness {
	l := liveness{closed: new(bool)}
	if secure, ok := conn.(*tls.Conn); ok {
		conn, l.encrypted = secure.NetConn(), true
	}
	if c, ok := conn.(syscall.Conn); ok {
		l.raw, _ = c.SyscallConn()
	}
	var one [1]byte
	l.peek = func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case n > 0: // nobody asked; but over TLS, session tickets come unasked
			*l.closed = !l.encrypted
		default: // n == 0 without an error is the end of the stream
			*l.closed = err != syscall.EAGAIN && err != syscall.EWOULDBLOCK && err != syscall.EINTR
		}
		return true
	}
	return l
}

func (l liveness) alive() bool {
	if l.raw == nil {
		return true
	}
	return l.raw.Read(l.peek) == nil && !*l.closed
}

// awaitEnd waits until the other side has closed the connection, which it returns true for, or has sent something, or the
// deadline for reading has passed.
func (l liveness) awaitEnd() bool {
	if l.raw == nil {
		return false
	}
	ended := false
	var one [1]byte
	err := l.raw.Read(func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if n <= 0 && (err == syscall.EAGAIN || err == syscall.EWOULDBLOCK || err == syscall.EINTR) {
			return false
		}
		ended = n <= 0
		return true
	})
	return err == nil && ended
}
