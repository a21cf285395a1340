package balance_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	classic "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"go.uber.org/goleak"

	"github.com/slipway-cd/slipway/engine/balance"
	"github.com/slipway-cd/slipway/engine/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // for what should take milliseconds, on a machine with other things to do

var addresses atomic.Uint32

// newAddress returns a loopback address that no other load balancer of these tests has.
func newAddress() netip.Addr {
	n := addresses.Add(1)
	pid := os.Getpid()
	return netip.AddrFrom4([4]byte{127, byte(64 + pid%64), byte(pid / 64), byte(n)})
}

// world is a state with load balancers that follow it.
type world struct {
	testing.TB
	db      *state.DB
	balance *balance.Balance
	client  *http.Client
}

type option func(*balance.Options)

func newWorld(t testing.TB, options ...option) *world {
	t.Helper()
	w := &world{TB: t, db: state.New(nil)}
	o := balance.Options{DB: w.db, Speed: 100, Logger: slog.New(slog.NewTextHandler(testLog{t}, nil))}
	for _, set := range options {
		set(&o)
	}
	w.balance = balance.New(o)
	if err := w.balance.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		MaxIdleConnsPerHost: 100, DisableCompression: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	w.client = &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := w.balance.Stop(ctx); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return w
}

type testLog struct{ testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.Logf("%s", p)
	return len(p), nil
}

func (w *world) put(records ...state.Record) {
	w.Helper()
	err := w.db.Write(func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(r)
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// newGroup makes a target group in short, for tests; mutate changes what AWS would describe.
func newGroup(arn string, mutate func(*state.TargetGroup)) *state.TargetGroup {
	g := &state.TargetGroup{
		ARN: arn,
		Doc: v2.TargetGroup{
			TargetGroupArn: &arn, Protocol: v2.ProtocolEnumHttp, HealthCheckIntervalSeconds: aws.Int32(1),
			HealthCheckTimeoutSeconds: aws.Int32(5), HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
		},
		Attributes: map[string]string{"deregistration_delay.timeout_seconds": "10"},
	}
	if mutate != nil {
		mutate(g)
	}
	return g
}

func forwardTo(arns ...string) []v2.Action {
	var tuples []v2.TargetGroupTuple
	for _, arn := range arns {
		tuples = append(tuples, v2.TargetGroupTuple{TargetGroupArn: &arn, Weight: aws.Int32(1)})
	}
	return []v2.Action{{Type: v2.ActionTypeEnumForward, ForwardConfig: &v2.ForwardActionConfig{TargetGroups: tuples}}}
}

// application is an application load balancer with one listener.
type application struct {
	lb       *state.Balancer
	listener *state.Listener
	url      string
	address  string
}

// addApplication makes one whose listener does what actions say, on a free port, and waits until it listens.
func (w *world) addApplication(protocol v2.ProtocolEnum, actions []v2.Action, more ...state.Record) application {
	w.Helper()
	address := newAddress()
	arn := "arn:lb/" + address.String()
	port := int32(8000)
	a := application{
		lb: &state.Balancer{ARN: arn, Address: address, Doc: v2.LoadBalancer{LoadBalancerArn: &arn}},
		listener: &state.Listener{ARN: arn + "/listener", Balancer: arn, Doc: v2.Listener{
			Port: &port, Protocol: protocol, DefaultActions: actions,
		}},
		address: fmt.Sprintf("%s:%d", address, port),
	}
	a.url = "http://" + a.address
	if protocol == v2.ProtocolEnumHttps {
		a.url = "https://" + a.address
	}
	w.put(append(more, a.lb, a.listener)...)
	w.await(func(s state.Snapshot) bool {
		lb, ok := s.Balancer(arn)
		return ok && lb.Doc.State != nil && lb.Doc.State.Code == v2.LoadBalancerStateEnumActive
	})
	return a
}

// server is a program behind a load balancer.
type server struct {
	*httptest.Server
	address netip.AddrPort
}

func (w *world) addServer(h http.HandlerFunc) server {
	s := httptest.NewServer(h)
	w.Cleanup(s.Close)
	return server{s, netip.MustParseAddrPort(s.Listener.Addr().String())}
}

// ok answers everything with its own name.
func ok(name string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(rw, name)
	}
}

// register adds a target that listens at the address.
func (w *world) register(group string, at netip.AddrPort) *state.Target {
	w.Helper()
	t := &state.Target{
		Group: group, ID: at.Addr().String(), Port: int(at.Port()), Address: at, Registered: time.Now(),
		Health: v2.TargetHealthStateEnumInitial, Reason: v2.TargetHealthReasonEnumRegistrationInProgress,
	}
	w.put(t)
	return t
}

// deregister begins to drain a target.
func (w *world) deregister(t *state.Target) {
	w.Helper()
	err := w.db.Write(func(tx *state.Tx) error {
		now, ok := tx.Target(t.Key())
		if !ok {
			return fmt.Errorf("target %s is gone", t.Key())
		}
		changed := *now
		changed.Draining = time.Now()
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// await waits until the state is as wanted, woken by its changes.
func (w *world) await(wanted func(state.Snapshot) bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	changes := w.db.Watch()
	defer changes.Close()
	for !wanted(w.db.Read()) {
		if _, err := changes.Next(ctx); err != nil {
			for t := range w.db.Read().AllTargets() {
				w.Logf("target %s: %s %s %q", t.Key(), t.Health, t.Reason, t.Description)
			}
			w.Fatalf("the state did not become as wanted: %v; problems: %v", err, w.balance.Problems())
		}
	}
}

func (w *world) awaitHealth(t *state.Target, want v2.TargetHealthStateEnum) *state.Target {
	w.Helper()
	var found *state.Target
	w.await(func(s state.Snapshot) bool {
		now, ok := s.Target(t.Key())
		found = now
		return ok && now.Health == want
	})
	return found
}

func (w *world) awaitGone(t *state.Target) {
	w.Helper()
	w.await(func(s state.Snapshot) bool { _, ok := s.Target(t.Key()); return !ok })
}

// get returns the status and body of an answer.
func (w *world) get(url string) (int, string) {
	w.Helper()
	resp, err := w.client.Get(url)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// eventually repeats a request until the answer is as wanted: what the state says takes a moment to be followed.
func (w *world) eventually(url string, status int) string {
	w.Helper()
	deadline := time.Now().Add(patience)
	for {
		got, body := w.get(url)
		if got == status {
			return body
		}
		if time.Now().After(deadline) {
			w.Fatalf("GET %s: %d %q, want %d", url, got, body, status)
		}
	}
}

// newClassic makes a classic load balancer with one listener.
func newClassic(name string, port int, instance netip.AddrPort, protocol, check string, drainSeconds int32) *state.ClassicBalancer {
	return &state.ClassicBalancer{
		Name: name, Address: newAddress(),
		Doc: classic.LoadBalancerDescription{
			LoadBalancerName: &name,
			ListenerDescriptions: []classic.ListenerDescription{{Listener: &classic.Listener{
				LoadBalancerPort: int32(port), InstancePort: aws.Int32(int32(instance.Port())), Protocol: &protocol, InstanceProtocol: &protocol,
			}}},
			HealthCheck: &classic.HealthCheck{
				Target: &check, Interval: aws.Int32(1), Timeout: aws.Int32(5), HealthyThreshold: aws.Int32(2), UnhealthyThreshold: aws.Int32(2),
			},
		},
		Attributes: classic.LoadBalancerAttributes{
			ConnectionDraining: &classic.ConnectionDraining{Enabled: drainSeconds > 0, Timeout: &drainSeconds},
		},
	}
}

// awaitListening waits until something listens there.
func (w *world) awaitListening(address string) {
	w.Helper()
	deadline := time.Now().Add(patience)
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			w.Fatalf("nothing listens at %s: %v", address, err)
		}
	}
}

// addTLS adds a program that speaks HTTPS with a certificate that nobody knows.
func (w *world) addTLS(h http.HandlerFunc) server {
	s := httptest.NewTLSServer(h)
	w.Cleanup(s.Close)
	return server{s, netip.MustParseAddrPort(s.Listener.Addr().String())}
}
