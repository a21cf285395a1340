package runtimetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

const containerPort = 8080

// server describes a container that answers HTTP with its name.
func (b *bench) server(name string, host netip.AddrPort) runtime.Spec {
	addr := ":8080"
	if b.suite.Told {
		addr = "$HOST:$PORT"
	}
	spec := b.spec("", "trap", "0", "serve", addr, "wait")
	spec.Env = []string{"NAME=" + name}
	spec.Ports = []runtime.Port{{Container: containerPort, Host: host, Protocol: types.TransportProtocolTcp}}
	return spec
}

// addresses returns n loopback addresses of the test's own, with one and the same free port.
func (b *bench) addresses(n int) []netip.AddrPort {
	b.Helper()
	var all []netip.AddrPort
	for range n {
		id := unique()
		var x, y, z byte
		_, err := fmt.Sscanf(id[:6], "%02x%02x%02x", &x, &y, &z)
		b.must(err)
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, x | 1, y, z | 1}), 18080))
	}
	return all
}

// client opens a connection for each request.
var client = http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func get(ctx context.Context, host netip.AddrPort) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host.String()+"/", nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (b *bench) answers(host netip.AddrPort, want string) {
	b.Helper()
	got, err := get(b.ctx, host)
	if err != nil || got != want {
		b.Errorf("%s answers %q, %v; want %q", host, got, err, want)
	}
}

var network = []rule{
	{"the same host port on two addresses is two ports", func(b *bench) {
		hosts := b.addresses(2)
		one, two := b.start(b.server("one", hosts[0])), b.start(b.server("two", hosts[1]))
		b.printed(one, "listening")
		b.printed(two, "listening")
		b.answers(hosts[0], "one")
		b.answers(hosts[1], "two")
	}},
	{"a host port can be had once, and is free again after the end", func(b *bench) {
		host := b.addresses(1)[0]
		one, two := b.start(b.server("one", host)), b.server("two", host)
		b.printed(one, "listening")
		b.must(b.Create(b.ctx, two))
		err := b.Start(b.ctx, two.Name)
		b.wantKind(err, fault.Conflict)
		if err == nil || !strings.Contains(err.Error(), "port is already allocated") || !strings.Contains(err.Error(), host.String()) {
			b.Errorf("got %v, want Docker's words with the address", err)
		}
		if s := b.status(two.Name); s.Phase != runtime.Created || s.Error == "" {
			b.Errorf("%+v", s)
		}
		b.must(b.Stop(b.ctx, one, patience))
		b.must(b.Start(b.ctx, two.Name))
		b.printed(two.Name, "listening")
		b.answers(host, "two")
	}},
	{"a port that nobody listens on yet refuses", func(b *bench) {
		host := b.addresses(1)[0]
		spec := b.server("late", host)
		spec.Definition.Command = append([]string{"print", "ready", "after", "1s"}, spec.Definition.Command...)
		name := b.start(spec)
		b.printed(name, "ready")
		ctx, cancel := context.WithTimeout(b.ctx, 500*time.Millisecond)
		defer cancel()
		if body, err := get(ctx, host); err == nil || ctx.Err() != nil {
			b.Errorf("answered %q, %v; want a quick refusal", body, err)
		}
		b.printed(name, "listening")
		b.answers(host, "late")
	}},
	{"a stopped container's port refuses", func(b *bench) {
		host := b.addresses(1)[0]
		name := b.start(b.server("gone", host))
		b.printed(name, "listening")
		b.must(b.Stop(b.ctx, name, patience))
		if body, err := get(b.ctx, host); err == nil {
			b.Errorf("answered %q", body)
		}
	}},
	{"much data goes through, and half-closed connections stay half open", func(b *bench) {
		host := b.addresses(1)[0]
		b.printed(b.start(b.server("big", host)), "listening")
		const size = 20 << 20
		conn, err := net.Dial("tcp", host.String())
		b.must(err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n", size)
		b.must(err)
		_, err = conn.Write(bytes.Repeat([]byte("x"), size))
		b.must(err)
		b.must(conn.(*net.TCPConn).CloseWrite())
		answer, err := io.ReadAll(conn)
		b.must(err)
		if !strings.HasSuffix(string(answer), fmt.Sprintf("%d bytes", size)) {
			b.Errorf("answered %q", answer)
		}
	}},
}

// unmodified are the rules for programs that know nothing of where they run.
var unmodified = []rule{
	{"programs listen on all of their own addresses, of either family, without meeting", func(b *bench) {
		hosts := b.addresses(3)
		for i, listen := range []string{"0.0.0.0:8080", "[::]:8080", ":8080"} {
			spec := b.server(listen, hosts[i])
			spec.Definition.Command = []string{"serve", listen, "wait"}
			b.printed(b.start(spec), "listening")
		}
		for i, want := range []string{"0.0.0.0:8080", "[::]:8080", ":8080"} {
			b.answers(hosts[i], want)
		}
	}},
	{"datagrams go both ways", func(b *bench) {
		host := b.addresses(1)[0]
		spec := b.server("udp", host)
		spec.Definition.Command = []string{"udp", ":8080", "wait"}
		spec.Ports[0].Protocol = types.TransportProtocolUdp
		b.printed(b.start(spec), "listening")
		conn, err := net.Dial("udp", host.String())
		b.must(err)
		defer conn.Close()
		b.must(conn.SetDeadline(time.Now().Add(patience / 2)))
		buf := make([]byte, 100)
		for _, text := range []string{"ping", "pong"} {
			_, err = conn.Write([]byte(text))
			b.must(err)
			n, err := conn.Read(buf)
			if err != nil || string(buf[:n]) != text {
				b.Errorf("%q came back as %q, %v", text, buf[:n], err)
			}
		}
	}},
}

var memory = []rule{
	{"a program that takes more memory than it may is killed, and the status says so", func(b *bench) {
		spec := b.spec("", "eat", "256", "wait")
		spec.Memory = 32
		if s := b.exited(b.start(spec)); !s.OutOfMem || s.ExitCode != 137 {
			b.Errorf("%+v", s)
		}
	}},
	{"a program within its memory lives", func(b *bench) {
		spec := b.spec("", "eat", "8", "exit", "0")
		spec.Memory = 128
		if s := b.exited(b.start(spec)); s.OutOfMem || s.ExitCode != 0 {
			b.Errorf("%+v", s)
		}
	}},
}
