package balance_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// instances starts a program on the same port of several loopback addresses, as tasks with a fixed host port have it.
func (w *world) instances(n int, serve func(name string, l net.Listener)) []netip.AddrPort {
	w.Helper()
	var all []netip.AddrPort
	for len(all) < n {
		port := uint16(0)
		if len(all) > 0 {
			port = all[0].Port()
		}
		l, err := net.Listen("tcp", netip.AddrPortFrom(newAddress(), port).String())
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { l.Close() })
		go serve(fmt.Sprintf("i-%d", len(all)), l)
		all = append(all, netip.MustParseAddrPort(l.Addr().String()))
	}
	return all
}

func serveHTTP(name string, l net.Listener) { _ = http.Serve(l, ok(name)) }

// serveLines answers every line with its name and the line.
func serveLines(name string, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			in := bufio.NewScanner(c)
			for in.Scan() {
				fmt.Fprintf(c, "%s: %s\n", name, in.Text())
			}
			fmt.Fprintln(c, "goodbye")
		}()
	}
}

func TestAClassicBalancerSendsToInstancesInService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.instances(3, serveHTTP)
	lb := newClassic("web", 8000, all[0], "HTTP", fmt.Sprintf("HTTP:%d/healthz", all[0].Port()), 3000)
	w.put(lb)
	url := fmt.Sprintf("http://%s:8000", lb.Address)
	w.awaitListening(lb.Address.String() + ":8000")
	if status, _ := w.get(url); status != 503 {
		t.Errorf("without instances: %d", status)
	}
	gone := netip.AddrPortFrom(newAddress(), all[0].Port())
	dead := w.register(state.ClassicGroup("web"), gone)
	got := w.awaitHealth(dead, v2.TargetHealthStateEnumUnhealthy)
	if want := "Instance has failed at least the UnhealthyThreshold number of health checks consecutively. Health checks failed"; got.Description != want {
		t.Errorf("got %q", got.Description)
	}
	if status, _ := w.get(url); status != 503 {
		t.Errorf("with no instance in service: %d, a classic load balancer doesn't fail open", status)
	}
	var targets []*state.Target
	for _, at := range all {
		target := w.register(state.ClassicGroup("web"), at)
		w.awaitHealth(target, v2.TargetHealthStateEnumHealthy)
		targets = append(targets, target)
	}
	w.settled(url, "i-0", "i-1", "i-2")
	w.deregister(targets[1])
	got = w.awaitHealth(targets[1], v2.TargetHealthStateEnumDraining)
	if want := "Instance deregistration currently in progress."; got.Description != want {
		t.Errorf("got %q", got.Description)
	}
	w.settled(url, "i-0", "i-2")
}

// A classic load balancer tries another instance when one refuses the connection, whatever the request.
func TestAClassicBalancerTriesAnotherInstanceWhenRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.instances(1, serveHTTP)
	lb := newClassic("retry", 8000, all[0], "HTTP", fmt.Sprintf("TCP:%d", all[0].Port()), 0)
	lb.Doc.HealthCheck.UnhealthyThreshold = new(int32)
	*lb.Doc.HealthCheck.UnhealthyThreshold = 10000 // it never finds out
	w.put(lb)
	w.awaitHealth(w.register(state.ClassicGroup("retry"), all[0]), v2.TargetHealthStateEnumHealthy)
	refusing := &state.Target{
		Group: state.ClassicGroup("retry"), ID: "i-dead", Port: int(all[0].Port()),
		Address: netip.AddrPortFrom(newAddress(), all[0].Port()), Health: v2.TargetHealthStateEnumHealthy,
	}
	w.put(refusing)
	url := fmt.Sprintf("http://%s:8000", lb.Address)
	w.awaitListening(lb.Address.String() + ":8000")
	w.settled(url, "i-0")
	for range 20 {
		resp, err := w.client.Post(url, "text/plain", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || string(body) != "i-0" {
			t.Fatalf("%d %s", resp.StatusCode, body)
		}
	}
}

func TestClassicTCP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.instances(2, serveLines)
	lb := newClassic("tcp", 7000, all[0], "TCP", fmt.Sprintf("TCP:%d", all[0].Port()), 100)
	w.put(lb)
	address := lb.Address.String() + ":7000"
	var targets []*state.Target
	for _, at := range all {
		target := w.register(state.ClassicGroup("tcp"), at)
		w.awaitHealth(target, v2.TargetHealthStateEnumHealthy)
		targets = append(targets, target)
	}
	w.awaitEcho(address)
	conns := map[string]*net.TCPConn{}
	for i := range 20 {
		c, name := w.speak(address, i)
		defer c.Close()
		conns[name] = c
	}
	if len(conns) != 2 {
		t.Fatalf("only %d instances were used", len(conns))
	}

	// The end of what a client sends is passed on, and what the instance says then still arrives.
	c, _ := w.speak(address, 0)
	defer c.Close()
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c); string(rest) != "goodbye\n" {
		t.Errorf("%q, %v", rest, err)
	}

	w.deregister(targets[0])
	w.awaitHealth(targets[0], v2.TargetHealthStateEnumDraining)
	fmt.Fprintln(conns["i-0"], "still there?")
	if line, err := bufio.NewReader(conns["i-0"]).ReadString('\n'); line != "i-0: still there?\n" {
		t.Errorf("%q, %v", line, err)
	}
	for i := range 5 {
		c, name := w.speak(address, i)
		c.Close()
		if name != "i-1" {
			t.Errorf("a new connection went to %s", name)
		}
	}
	w.awaitGone(targets[0])
	if rest, _ := io.ReadAll(conns["i-0"]); len(rest) > 0 {
		t.Errorf("got %q after the drain", rest)
	}
	conns["i-1"].Close()
}

// awaitEcho waits until both instances answer.
func (w *world) awaitEcho(address string) {
	w.Helper()
	names := map[string]bool{}
	for deadline := time.Now().Add(patience); len(names) < 2; {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			w.Fatal(err)
		}
		fmt.Fprintln(conn, "ready?")
		if name, _, ok := strings.Cut(first(bufio.NewReader(conn).ReadString('\n')), ":"); ok {
			names[name] = true
		}
		conn.Close()
		if time.Now().After(deadline) {
			w.Fatalf("only %v answer", names)
		}
	}
}

func first(s string, _ error) string { return s }

// speak opens a connection and returns the name of the instance at its other end.
func (w *world) speak(address string, i int) (*net.TCPConn, string) {
	w.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		w.Fatal(err)
	}
	fmt.Fprintf(conn, "hello %d\n", i)
	line, err := bufio.NewReader(conn).ReadString('\n')
	name := ""
	if _, scanErr := fmt.Sscanf(line, "%3s: hello", &name); scanErr != nil {
		w.Fatalf("%q: %v", line, err)
	}
	return conn.(*net.TCPConn), name
}
