package balance

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// accept passes connections on to targets, until the listener is closed.
func (s *socket) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			select { // out of file descriptors, most likely: some may be free again soon
			case <-s.ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		s.conns.add()
		go func() {
			defer s.conns.done()
			defer conn.Close()
			s.pass(conn)
		}()
	}
}

// pass connects a client with a target until either of them has enough, or the target is drained. Without a target the
// client's connection is closed.
func (s *socket) pass(client net.Conn) {
	f := s.table.Load().forwarded()
	if f == nil {
		return
	}
	var chosen *target
	var server net.Conn
	v := &visit{source: remote(client).Addr()}
	err := f.try(v, func(t *target) (err error) {
		if server, err = t.connect(s.ctx); err != nil {
			return err
		}
		if t.settings.Announce {
			if _, err := server.Write(announcement(remote(client), s.settings.At)); err != nil {
				server.Close()
				return err
			}
		}
		if t.settings.Protocol.encrypted() {
			server = tls.Client(server, unverified)
		}
		chosen = t
		return t.track(server)
	})
	if err != nil {
		return
	}
	defer chosen.forget(server)
	defer server.Close()
	defer context.AfterFunc(s.ctx, func() { server.Close(); client.Close() })()

	link := &link{idle: f.idle, ends: [2]net.Conn{client, server}}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		link.pump(server, client)
	}()
	link.pump(client, server)
	<-finished
}

// remote is the client's address.
func remote(client net.Conn) netip.AddrPort {
	at, err := netip.ParseAddrPort(client.RemoteAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// announcement tells a target whose connection it is given, before anything else is sent.
// [The PROXY protocol, versions 1 & 2, 2.2 Binary header format]
func announcement(from, to netip.AddrPort) []byte {
	b := []byte("\r\n\r\n\x00\r\nQUIT\n\x21") // version 2, PROXY
	family, length := byte(0x11), uint16(12)  // TCP over IPv4
	if from.Addr().Is6() {
		family, length = 0x21, 36
	}
	b = binary.BigEndian.AppendUint16(append(b, family), length)
	b = append(append(b, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, from.Port()), to.Port())
}

// link is two connections with the time a byte last moved over either.
type link struct {
	idle  time.Duration
	ends  [2]net.Conn
	touch atomic.Int64
}

// pump copies until the source ends, which it tells the other side, or until something fails, which ends both.
func (l *link) pump(to, from net.Conn) {
	_, err := io.Copy(struct{ io.Writer }{to}, linkReader{from, l})
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		err = half.CloseWrite()
	}
	if err != nil {
		to.Close()
		from.Close()
	}
}

type linkReader struct {
	net.Conn
	link *link
}

// Read reads, and moves the deadlines of both sides now and then.
func (r linkReader) Read(p []byte) (int, error) {
	now := time.Now()
	slack := r.link.idle / 32
	if now.UnixNano()-r.link.touch.Load() > int64(slack) {
		r.link.touch.Store(now.UnixNano())
		for _, end := range r.link.ends {
			_ = end.SetDeadline(now.Add(r.link.idle + slack)) // fails on a closed connection, which the read tells
		}
	}
	return r.Conn.Read(p)
}
