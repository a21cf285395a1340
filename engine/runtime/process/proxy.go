//go:build linux

package process

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// forward takes connections from a listener of the host's network to the program's port in this one.
func forward(listener *os.File, port runtime.Port) (interface{ Close() error }, error) {
	defer listener.Close()
	target := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port.Container))
	if isUDP(port) {
		conn, err := net.FilePacketConn(listener)
		if err != nil {
			return nil, err
		}
		go forwardPackets(conn, target)
		return conn, nil
	}
	l, err := net.FileListener(listener)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go pass(conn.(*net.TCPConn), target)
		}
	}()
	return l, nil
}

// pass carries a connection's bytes both ways, each way to its own end. Nobody listens yet: the connection is reset.
func pass(outer *net.TCPConn, target netip.AddrPort) {
	defer outer.Close()
	inner, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(target))
	if err != nil {
		_ = outer.SetLinger(0)
		return
	}
	defer inner.Close()
	var both sync.WaitGroup
	both.Go(func() { half(inner, outer) })
	both.Go(func() { half(outer, inner) })
	both.Wait()
}

// half carries one way: the kernel moves the bytes. [splice(2), by net.TCPConn.ReadFrom] An end is passed on as an end, an
// error as a reset.
func half(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		_ = to.SetLinger(0)
		_ = to.Close()
		_ = from.SetLinger(0)
		_ = from.Close()
		return
	}
	_ = to.CloseWrite()
}

// idle is how long the way back of a sender of datagrams is kept open without any.
const idle = time.Minute

// forwardPackets carries datagrams to the target, and its answers back to each sender.
func forwardPackets(outer net.PacketConn, target netip.AddrPort) {
	var mu sync.Mutex
	ways := map[string]*net.UDPConn{}
	buf := make([]byte, 64<<10)
	for {
		n, from, err := outer.ReadFrom(buf)
		if err != nil {
			return
		}
		mu.Lock()
		inner := ways[from.String()]
		if inner == nil {
			if inner, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(target)); err == nil {
				ways[from.String()] = inner
				go func() {
					back(outer, inner, from)
					mu.Lock()
					defer mu.Unlock()
					delete(ways, from.String())
				}()
			}
		}
		mu.Unlock()
		if inner != nil {
			_ = inner.SetReadDeadline(time.Now().Add(idle))
			_, _ = inner.Write(buf[:n])
		}
	}
}

func back(outer net.PacketConn, inner net.Conn, to net.Addr) {
	defer inner.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := inner.Read(buf)
		if err != nil {
			return
		}
		if _, err := outer.WriteTo(buf[:n], to); err != nil {
			return
		}
	}
}
