package balance_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// awaitRefused waits until nothing listens there any more.
func (w *world) awaitRefused(address string) {
	w.Helper()
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(deadline) {
			w.Fatalf("%s still listens", address)
		}
	}
}

func TestAListenerThatCannotBeOpenedIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := newAddress()
	taken, err := net.Listen("tcp", fmt.Sprintf("%s:8000", address))
	if err != nil {
		t.Fatal(err)
	}
	lb := &state.Balancer{ARN: "arn:lb/taken", Address: address}
	w.put(lb, &state.Listener{ARN: "arn:lb/taken/1", Balancer: lb.ARN, Doc: v2.Listener{Port: aws.Int32(8000), Protocol: v2.ProtocolEnumHttp}})
	inState := func(code v2.LoadBalancerStateEnum) {
		t.Helper()
		w.await(func(s state.Snapshot) bool {
			now, ok := s.Balancer(lb.ARN)
			return ok && now.Doc.State != nil && now.Doc.State.Code == code
		})
	}
	inState(v2.LoadBalancerStateEnumFailed)
	problems := w.balance.Problems()
	if len(problems) != 1 || !strings.Contains(problems[0].Err.Error(), "address already in use") || problems[0].Balancer != lb.ARN {
		t.Errorf("got %v", problems)
	}
	taken.Close()
	inState(v2.LoadBalancerStateEnumActive)
	if problems := w.balance.Problems(); len(problems) > 0 {
		t.Errorf("got %v", problems)
	}
}

func TestAnUnknownProtocolIsAProblem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb := &state.Balancer{ARN: "arn:lb/udp", Address: newAddress()}
	w.put(lb, &state.Listener{ARN: "arn:lb/udp/1", Balancer: lb.ARN, Doc: v2.Listener{Port: aws.Int32(53), Protocol: v2.ProtocolEnumUdp}})
	w.await(func(s state.Snapshot) bool {
		now, _ := s.Balancer(lb.ARN)
		return now != nil && now.Doc.State != nil && now.Doc.State.Code == v2.LoadBalancerStateEnumFailed &&
			strings.Contains(aws.ToString(now.Doc.State.Reason), `protocol "UDP" is not served by the engine`)
	})
}

func TestListenersComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := newGroup("arn:tg/go", nil)
	lb := w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	w.awaitHealth(w.register(g.ARN, w.addServer(ok("here")).address), v2.TargetHealthStateEnumHealthy)
	second := *lb.listener
	second.ARN, second.Doc.Port = lb.listener.ARN+"2", aws.Int32(8001)
	w.put(&second)
	w.awaitListening(strings.Replace(lb.address, "8000", "8001", 1))
	w.eventually(strings.Replace(lb.url, "8000", "8001", 1), 200)
	w.change(func(tx *state.Tx) { tx.Delete(lb.listener) })
	w.client.CloseIdleConnections()
	w.awaitRefused(lb.address)
	w.eventually(strings.Replace(lb.url, "8000", "8001", 1), 200)
}

func TestStartingTwiceIsRefusedAndStoppingWithoutStartIsNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.balance.Start(t.Context()); err == nil {
		t.Error("it started twice")
	}
	if err := w.balance.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}
