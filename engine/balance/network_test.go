package balance_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// newTCPGroup makes a target group of a network load balancer.
func newTCPGroup(arn string, attributes map[string]string) *state.TargetGroup {
	return newGroup(arn, func(g *state.TargetGroup) {
		g.Doc.Protocol, g.Doc.HealthCheckProtocol = v2.ProtocolEnumTcp, v2.ProtocolEnumTcp
		maps.Copy(g.Attributes, attributes)
	})
}

// pair makes a network load balancer before two programs that answer lines with their names, "i-0" and "i-1".
func (w *world) pair(name string, attributes map[string]string) (lb application, targets [2]*state.Target) {
	w.Helper()
	g := newTCPGroup("arn:tg/"+name, attributes)
	lb = w.addApplication(v2.ProtocolEnumTcp, forwardTo(g.ARN), g)
	for i, at := range w.instances(2, serveLines) {
		targets[i] = w.register(g.ARN, at)
		w.awaitHealth(targets[i], v2.TargetHealthStateEnumHealthy)
	}
	w.awaitEcho(lb.address)
	return lb, targets
}

// connected opens a connection that leads to the program with that name.
func (w *world) connected(address, name string) *net.TCPConn {
	w.Helper()
	for i := range 100 {
		c, got := w.speak(address, i)
		if got == name {
			w.Cleanup(func() { c.Close() })
			return c
		}
		c.Close()
	}
	w.Fatalf("no connection to %s leads to %s", address, name)
	return nil
}

// alive reports whether the program at the other end still answers.
func alive(c net.Conn) bool {
	fmt.Fprintln(c, "still there?")
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && line != ""
}

func TestConnectionsOutliveDeregistrationUnlessTheyAreToBeTerminated(t *testing.T) {
	t.Parallel()
	for name, terminated := range map[string]bool{"false": false, "true": true} {
		t.Run("connection_termination="+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			lb, targets := w.pair("lasting-"+name, map[string]string{
				"deregistration_delay.timeout_seconds": "100", "deregistration_delay.connection_termination.enabled": name,
			})
			c := w.connected(lb.address, "i-0")
			w.deregister(targets[0])
			w.awaitHealth(targets[0], v2.TargetHealthStateEnumDraining)
			if !alive(c) {
				t.Fatal("the connection was cut off before the delay was over")
			}
			for i := range 5 {
				other, name := w.speak(lb.address, i)
				other.Close()
				if name != "i-1" {
					t.Errorf("a new connection went to %s", name)
				}
			}
			w.awaitGone(targets[0])
			if terminated {
				if rest, _ := io.ReadAll(c); len(rest) > 0 {
					t.Errorf("got %q after the delay", rest)
				}
			} else if !alive(c) {
				t.Error("the connection was cut off when the delay was over")
			}
		})
	}
}

func TestConnectionsToUnhealthyTargetsAreCutOffUnlessTheyAreNotToBe(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]bool{"true": true, "false": false} {
		t.Run("unhealthy.connection_termination="+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var ill atomic.Bool
			health := w.addServer(func(rw http.ResponseWriter, _ *http.Request) {
				if ill.Load() {
					rw.WriteHeader(http.StatusServiceUnavailable)
				}
			})
			g := newTCPGroup("arn:tg/ill-"+name, map[string]string{"target_health_state.unhealthy.connection_termination.enabled": name})
			g.Doc.HealthCheckProtocol, g.Doc.HealthCheckPort = v2.ProtocolEnumHttp, aws.String(fmt.Sprint(health.address.Port()))
			lb := w.addApplication(v2.ProtocolEnumTcp, forwardTo(g.ARN), g)
			at := w.lines(health.address.Addr())
			target := w.register(g.ARN, at)
			w.awaitHealth(target, v2.TargetHealthStateEnumHealthy)
			c := w.connected(lb.address, "one")
			ill.Store(true)
			w.awaitHealth(target, v2.TargetHealthStateEnumUnhealthy)
			if cut {
				if rest, _ := io.ReadAll(c); len(rest) > 0 {
					t.Errorf("got %q from an unhealthy target", rest)
				}
			} else if !alive(c) {
				t.Error("the connection was cut off")
			}
		})
	}
}

// lines starts a program at the address that answers lines with its name, "one".
func (w *world) lines(at netip.Addr) netip.AddrPort {
	w.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for in := bufio.NewScanner(c); in.Scan(); {
					fmt.Fprintf(c, "one: %s\n", in.Text())
				}
			}()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestWeightsOfANetworkLoadBalancerShiftConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	blue, green := newTCPGroup("arn:tg/blue", nil), newTCPGroup("arn:tg/green", nil)
	weigh := func(b, g int32) []v2.Action {
		return []v2.Action{{Type: v2.ActionTypeEnumForward, ForwardConfig: &v2.ForwardActionConfig{TargetGroups: []v2.TargetGroupTuple{
			{TargetGroupArn: &blue.ARN, Weight: &b}, {TargetGroupArn: &green.ARN, Weight: &g},
		}}}}
	}
	lb := w.addApplication(v2.ProtocolEnumTcp, weigh(100, 0), blue, green)
	at := w.instances(2, serveLines)
	w.awaitHealth(w.register(blue.ARN, at[0]), v2.TargetHealthStateEnumHealthy)
	w.awaitHealth(w.register(green.ARN, at[1]), v2.TargetHealthStateEnumHealthy)
	count := func() map[string]int {
		names := map[string]int{}
		for i := range 100 {
			c, name := w.speak(lb.address, i)
			c.Close()
			names[name]++
		}
		return names
	}
	if got := count(); got["i-1"] != 0 {
		t.Errorf("weights 100 and 0: %v", got)
	}
	for _, step := range []struct {
		blue, green int32
		want        int // of 100 connections to green
	}{{90, 10, 10}, {0, 100, 100}} {
		shifted := *lb.listener
		shifted.Doc.DefaultActions = weigh(step.blue, step.green)
		w.put(&shifted)
		for deadline := time.Now().Add(patience); ; { // the new weights are followed in a moment
			got := count()
			if got["i-1"] >= step.want-2 && got["i-1"] <= step.want+2 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("weights %d and %d: %v", step.blue, step.green, got)
			}
		}
	}
}

func TestTheSameClientIsSentToTheSameTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, targets := w.pairOfOne("source", map[string]string{"stickiness.enabled": "true", "stickiness.type": "source_ip"})
	c, first := w.speak(lb.address, 0)
	c.Close()
	for i := range 20 {
		c, name := w.speak(lb.address, i)
		c.Close()
		if name != first {
			t.Fatalf("connection %d went to %s, the one before to %s", i, name, first)
		}
	}
	i := int(first[2] - '0')
	w.deregister(targets[i])
	w.awaitHealth(targets[i], v2.TargetHealthStateEnumDraining)
	c, name := w.speak(lb.address, 0)
	c.Close()
	if name == first {
		t.Error("a new connection went to a target that drains")
	}
}

// pairOfOne is a pair of which one client sees only one.
func (w *world) pairOfOne(name string, attributes map[string]string) (lb application, targets [2]*state.Target) {
	w.Helper()
	g := newTCPGroup("arn:tg/"+name, attributes)
	lb = w.addApplication(v2.ProtocolEnumTcp, forwardTo(g.ARN), g)
	for i, at := range w.instances(2, serveLines) {
		targets[i] = w.register(g.ARN, at)
		w.awaitHealth(targets[i], v2.TargetHealthStateEnumHealthy)
	}
	w.awaitSteady(lb.address)
	return lb, targets
}

// awaitSteady waits until connections are answered.
func (w *world) awaitSteady(address string) {
	w.Helper()
	for {
		c, err := net.Dial("tcp", address)
		if err != nil {
			w.Fatal(err)
		}
		fmt.Fprintln(c, "ready?")
		_, err = bufio.NewReader(c).ReadString('\n')
		c.Close()
		if err == nil {
			return
		}
	}
}

func TestTargetsAreToldTheClientsAddressByTheProxyProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	heads := make(chan []byte, 100)
	at := w.addRaw(func(c net.Conn) {
		head := make([]byte, 28)
		if _, err := io.ReadFull(c, head); err == nil { // a health check sends nothing
			heads <- head
			_, _ = io.Copy(c, c)
		}
	})
	g := newTCPGroup("arn:tg/announced", map[string]string{"proxy_protocol_v2.enabled": "true"})
	lb := w.addApplication(v2.ProtocolEnumTcp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, at), v2.TargetHealthStateEnumHealthy)
	w.awaitSteady(lb.address)
	for len(heads) > 0 {
		<-heads
	}
	c, err := net.Dial("tcp", lb.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client := netip.MustParseAddrPort(c.LocalAddr().String())
	want := append([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"), client.Addr().AsSlice()...)
	want = append(want, lb.lb.Address.AsSlice()...)
	want = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(want, client.Port()), 8000)
	if got := <-heads; !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
