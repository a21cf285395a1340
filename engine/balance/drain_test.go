package balance_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/coder/websocket"

	"github.com/slipway-cd/slipway/engine/state"
)

// draining returns a load balancer in front of two targets, one of which says "old" and can be made to stream.
func (w *world) draining(seconds string) (lb application, old *state.Target, release chan struct{}) {
	w.Helper()
	g := newGroup("arn:tg/draining", func(g *state.TargetGroup) {
		g.Attributes["deregistration_delay.timeout_seconds"] = seconds
	})
	lb = w.addApplication(v2.ProtocolEnumHttp, forwardTo(g.ARN), g)
	release = make(chan struct{})
	s := w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ws":
			echoWebSocket(rw, r)
		case "/stream":
			fmt.Fprintln(rw, "begun")
			_ = http.NewResponseController(rw).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
			fmt.Fprintln(rw, "done")
		default:
			_, _ = io.WriteString(rw, "old")
		}
	})
	old = w.register(g.ARN, s.address)
	w.awaitHealth(old, v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url, "old")
	return lb, old, release
}

// replace registers a new target and drains the old one, and returns when new requests go to the new one alone.
func (w *world) replace(lb application, old *state.Target) {
	w.Helper()
	w.awaitHealth(w.register(old.Group, w.addServer(ok("new")).address), v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url, "old", "new")
	w.deregister(old)
	got := w.awaitHealth(old, v2.TargetHealthStateEnumDraining)
	if got.Reason != v2.TargetHealthReasonEnumDeregistrationInProgress || got.Description != "Target deregistration is in progress" {
		w.Errorf("got %s %q", got.Reason, got.Description)
	}
	for range 20 {
		if _, body := w.get(lb.url); body != "new" {
			w.Fatalf("a draining target was sent a request: %q", body)
		}
	}
}

// began returns when a target was deregistered.
func (w *world) began(t *state.Target) time.Time {
	w.Helper()
	now, ok := w.db.Read().Target(t.Key())
	if !ok {
		w.Fatalf("target %s is gone already", t.Key())
	}
	return now.Draining
}

func TestWhatIsInFlightGoesOnWhileDraining(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, old, release := w.draining("3000") // 30 s at this speed
	resp, err := w.client.Get(lb.url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	if line, err := in.ReadString('\n'); line != "begun\n" {
		t.Fatal(line, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, lb.url+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()

	w.replace(lb, old)
	if err := ws.Write(ctx, websocket.MessageText, []byte("still there?")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := ws.Read(ctx); string(got) != "still there?" {
		t.Fatal(string(got), err)
	}
	close(release)
	if line, err := in.ReadString('\n'); line != "done\n" {
		t.Error(line, err)
	}
	if now, ok := w.db.Read().Target(old.Key()); !ok || now.Health != v2.TargetHealthStateEnumDraining {
		t.Error("the target is not shown as draining until its delay has passed")
	}
}

func TestWhatIsLeftIsCutOffWhenTheDelayHasPassed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, old, _ := w.draining("100") // one second at this speed, but five in which requests may come to their end
	resp, err := w.client.Get(lb.url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, lb.url+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()

	w.replace(lb, old)
	began := w.began(old)
	w.awaitGone(old)
	if took := time.Since(began); took < 4*time.Second || took > 15*time.Second {
		t.Errorf("it was drained for %s", took)
	}
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the stream came to its end: %q", body)
	}
	if _, _, err := ws.Read(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the WebSocket was not closed: %v", err)
	}
	w.settled(lb.url, "new")
}

func TestADrainEndsWithItsDelayWhenNothingIsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, old, _ := w.draining("100")
	w.replace(lb, old)
	began := w.began(old)
	w.awaitGone(old)
	if took := time.Since(began); took < 990*time.Millisecond || took > 4*time.Second {
		t.Errorf("it was drained for %s, not for a second", took)
	}
}

func TestADrainCanBeTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, old, _ := w.draining("3000")
	w.replace(lb, old)
	again := *old
	again.Health, again.Draining = v2.TargetHealthStateEnumInitial, time.Time{}
	w.put(&again)
	w.awaitHealth(old, v2.TargetHealthStateEnumHealthy)
	w.settled(lb.url, "old", "new")
}

// A drain that a stopped engine began goes on where it was: its end is counted from the deregistration.
func TestADrainOutlivesTheEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, old, _ := w.draining("3000")
	if err := w.balance.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	past := *old
	past.Draining = time.Now().Add(-time.Hour)
	w.put(&past)
	restarted := newWorld(t)
	restarted.put(func() (all []state.Record) {
		for g := range w.db.Read().TargetGroups() {
			all = append(all, g)
		}
		return append(all, &past)
	}()...)
	restarted.awaitGone(old)
}

func TestStopWaitsForWhatIsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, _, release := w.draining("10")
	resp, err := w.client.Get(lb.url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ws, _, err := websocket.Dial(t.Context(), lb.url+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	stopped := make(chan error)
	go func() { stopped <- w.balance.Stop(t.Context()) }()
	w.awaitRefused(lb.address)
	select {
	case err := <-stopped:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	close(release)
	if body, err := io.ReadAll(resp.Body); !strings.HasSuffix(string(body), "done\n") {
		t.Errorf("%q, %v", body, err)
	}
	if err := ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestStopCutsOffWhenItsTimeIsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, _, _ := w.draining("10")
	resp, err := w.client.Get(lb.url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ws, _, err := websocket.Dial(t.Context(), lb.url+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.balance.Stop(ctx); err == nil {
		t.Error("it says that nothing was cut off")
	}
	if _, _, err := ws.Read(t.Context()); err == nil {
		t.Error("the WebSocket was not closed")
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the stream came to its end")
	}
}
