package balance_test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine/state"
)

// program is a target that knows when it may be sent requests: not before it has answered a health check well, and not after
// it was told to be draining.
type program struct {
	name   string
	record *state.Target
	server server

	passes  atomic.Bool  // its health checks
	checked atomic.Bool  // it has answered one well since it was registered
	ended   atomic.Int64 // when it was seen draining, in Unix nanoseconds; 0 while it is not
}

// fleet is a load balancer with programs that come and go while clients ask.
type fleet struct {
	*world
	group *state.TargetGroup
	lb    application
	n     int

	lossless bool

	mu     sync.Mutex
	judged int
	broken []string
}

// start registers one more program, which passes its health checks or fails them from the first one on.
func (f *fleet) start(passes bool) *program {
	f.n++
	p := &program{name: fmt.Sprintf("p%d", f.n)}
	p.passes.Store(passes)
	p.server = f.addServer(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Forwarded-For") != "":
			f.judge(p, r)
			_, _ = io.WriteString(rw, p.name)
		case p.passes.Load():
			p.checked.Store(true)
		default:
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	p.record = f.register(f.group.ARN, p.server.address)
	return p
}

// judge notes a request that should not have come.
func (f *fleet) judge(p *program, r *http.Request) {
	var began int64
	if _, err := fmt.Sscan(r.Header.Get("X-Began"), &began); err != nil {
		return // not one of the clients' here
	}
	ended := p.ended.Load()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.judged++
	switch {
	case !p.checked.Load():
		f.broken = append(f.broken, p.name+" was sent a request before it had passed a health check")
	case ended != 0 && began > ended:
		f.broken = append(f.broken, p.name+" was sent a request that began after it was draining")
	}
}

// stop deregisters a program and stops it when it is drained.
func (f *fleet) stop(p *program) {
	f.deregister(p.record)
	f.await(func(s state.Snapshot) bool { // a drain without a delay is over before one looks
		now, ok := s.Target(p.record.Key())
		return !ok || now.Health == v2.TargetHealthStateEnumDraining
	})
	p.ended.Store(time.Now().UnixNano())
	f.awaitGone(p.record)
	p.server.Close()
}

// ask sends requests until it is told to stop. Every one must be answered well.
func (f *fleet) ask(client *http.Client, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		req, err := http.NewRequest(http.MethodPost, f.lb.url, http.NoBody) // not to be sent twice
		if err != nil {
			f.Error(err)
			return
		}
		req.Header.Set("X-Began", fmt.Sprint(time.Now().UnixNano()))
		resp, err := client.Do(req)
		if err != nil {
			f.Error(err)
			return
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if f.lossless && (err != nil || resp.StatusCode != http.StatusOK) {
			f.Errorf("%d %q, %v", resp.StatusCode, body, err)
		}
	}
}

// act is one thing that happens to the fleet.
type act struct {
	kind  string
	which int // of the programs that there are, but for the steady one; in a circle
}

// No request reaches a target that drains or has not been found healthy, whatever order programs come, go, fall ill and recover
// in, as long as one of them is healthy throughout. None is lost either, unless the deregistration delay is 0: then what is in
// flight is cut off.
func TestNoRequestReachesATargetThatDrainsOrIsNotYetHealthy(t *testing.T) {
	t.Parallel()
	acts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{rapid.SampledFrom([]string{"start", "start ill", "stop", "fall ill", "recover"}).Draw(t, "kind"), rapid.IntRange(0, 5).Draw(t, "which")}
	}), 8, 16)
	for seed := range 30 {
		history := acts.Example(seed)
		delay := []string{"0", "1", "20"}[seed%3]
		t.Run(fmt.Sprintf("delay %s %v", delay, history), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f := &fleet{world: w, lossless: delay != "0"}
			f.group = newGroup(fmt.Sprintf("arn:tg/fleet-%d", seed), func(g *state.TargetGroup) {
				g.Attributes["deregistration_delay.timeout_seconds"] = delay
			})
			f.lb = w.addApplication(v2.ProtocolEnumHttp, forwardTo(f.group.ARN), f.group)
			steady := f.start(true)
			w.awaitHealth(steady.record, v2.TargetHealthStateEnumHealthy)
			w.settled(f.lb.url, steady.name)

			done := make(chan struct{})
			var clients sync.WaitGroup
			defer clients.Wait()
			defer sync.OnceFunc(func() { close(done) })()
			for range 3 {
				clients.Go(func() { f.ask(w.client, done) })
			}
			var others []*program
			for _, a := range history {
				others = f.step(a, others)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, b := range f.broken {
				t.Error(b)
			}
			if f.judged == 0 {
				t.Error("no request was looked at")
			}
		})
	}
}

// step does one thing to the fleet, and waits until the load balancer has found it out.
func (f *fleet) step(a act, others []*program) []*program {
	if a.kind == "start" || a.kind == "start ill" || len(others) == 0 {
		p := f.start(a.kind != "start ill")
		f.awaitHealth(p.record, healthOf(a.kind != "start ill"))
		return append(others, p)
	}
	i := a.which % len(others)
	p := others[i]
	switch a.kind {
	case "stop":
		f.stop(p)
		return append(others[:i:i], others[i+1:]...)
	default:
		p.passes.Store(a.kind == "recover")
		f.awaitHealth(p.record, healthOf(a.kind == "recover"))
		return others
	}
}

func healthOf(passes bool) v2.TargetHealthStateEnum {
	if passes {
		return v2.TargetHealthStateEnumHealthy
	}
	return v2.TargetHealthStateEnumUnhealthy
}
