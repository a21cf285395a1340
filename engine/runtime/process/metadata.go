//go:build linux

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// metadataSocket is where the engine answers the supervisors, in whose networks there is no way to it.
const metadataSocket = "metadata"

// ListenMetadata returns the listener that connections to port 80 of runtime.MetadataAddress come to, from containers with
// networks of their own whose Spec says so. They come to whoever has called it last.
func (r *Runtime) ListenMetadata() (net.Listener, error) {
	if err := os.Remove(r.path(metadataSocket)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Internal, "cannot listen for containers that ask for metadata: %w", err)
	}
	dir, err := os.Open(r.dir)
	if err != nil {
		return nil, fault.New(fault.Internal, "cannot listen for containers that ask for metadata: %w", err)
	}
	defer dir.Close()
	l, err := net.ListenUnix("unix", metadataAt(dir))
	if err != nil {
		return nil, fault.New(fault.Internal, "cannot listen for containers that ask for metadata: %w", err)
	}
	l.SetUnlinkOnClose(false)
	return l, nil
}

// metadataAt is the socket in an open directory: by a detour that is shorter than the 108 bytes that a socket's path may have.
func metadataAt(dir *os.File) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), metadataSocket)}
}

// serveMetadata takes connections to the metadata's address in the container's network to the engine, whichever there is.
func (s *supervisor) serveMetadata() error {
	if !s.order.Plan.Spec.Metadata {
		return nil
	}
	if err := addAddress("lo:1", runtime.MetadataAddress.As4()); err != nil {
		return fmt.Errorf("cannot add the address %s: %w", runtime.MetadataAddress, err)
	}
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: runtime.MetadataAddress.AsSlice(), Port: 80})
	if err != nil {
		return fmt.Errorf("cannot listen for metadata: %w", err)
	}
	s.proxies = append(s.proxies, l)
	go func() {
		for {
			conn, err := l.AcceptTCP()
			if err != nil {
				return
			}
			go passToEngine(conn, s.engine)
		}
	}()
	return nil
}

func passToEngine(from *net.TCPConn, engine *os.File) {
	defer from.Close()
	to, err := net.DialUnix("unix", nil, metadataAt(engine))
	if err != nil {
		_ = from.SetLinger(0) // there is no engine now
		return
	}
	defer to.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = from.ReadFrom(to)
		_ = from.CloseWrite()
	}()
	_, _ = from.WriteTo(to)
	_ = to.CloseWrite()
	<-done
}

// addAddress gives an interface one more address. [netdevice(7), SIOCSIFADDR]
func addAddress(alias string, address [4]byte) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(alias)
	if err != nil {
		return err
	}
	if err := request.SetInet4Addr(address[:]); err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, unix.SIOCSIFADDR, request)
}
