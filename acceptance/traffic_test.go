package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/deploy"
)

const (
	deployments = 10 // in a row, under traffic
	houseSpeed  = 40
	getRate     = 200 // a second
)

// runtimes are those whose containers really serve.
var runtimes = []app.RuntimeName{app.Docker, app.Process}

// TestTenDeploymentsLoseNoRequest takes the user's own templates through ten deployments in a row. It has the machine to
// itself: 200 requests a second under the race detector are about what two cores can do.
func TestTenDeploymentsLoseNoRequest(t *testing.T) {
	for _, runtime := range runtimes {
		for _, desired := range []int{2, 4} {
			t.Run(fmt.Sprintf("%s/desired count %d", runtime, desired), func(t *testing.T) {
				h := newHouse(t, runtime, houseSpeed)
				h.project(fmt.Sprintf("desiredCount=%d", desired))
				h.classic()
				h.deliver("1.0.0.RELEASE")
				load := startLoad(t, h.balancer, getRate, shortStream)
				for n := 1; n <= deployments; n++ {
					h.deliverWatched(fmt.Sprintf("1.0.%d.RELEASE", n), desired)
				}
				r := load.wantNoneLost(t)
				for n := range deployments + 1 {
					if v := fmt.Sprintf("1.0.%d.RELEASE", n); r.Versions[v] == 0 {
						t.Errorf("no answer came from %s: %v", v, r.Versions)
					}
				}
			})
		}
	}
}

// deliverWatched delivers a version; meanwhile the service must keep to its own deployment configuration, 200/25.
func (h *house) deliverWatched(version string, desired int) {
	h.Helper()
	before := time.Now()
	w := h.watch(houseService)
	i := h.deliver(version)
	least, most := w.end()
	if floor := (desired*25 + 99) / 100; least < floor {
		h.Errorf("%s: only %d instances were healthy, the floor is %d\n%s", version, least, floor, i)
	}
	if ceiling := min(desired*2, 4); most > ceiling { // four instances have room for four tasks with a fixed port
		h.Errorf("%s: %d tasks ran or were pending, the ceiling is %d\n%s", version, most, ceiling, i)
	}
	h.wantOrder(before, desired, i)
}

// wantOrder holds the service's events against what has to come first: where every instance's port is taken, old tasks
// make room for new ones; where there is room, new ones start before old ones stop.
func (h *house) wantOrder(since time.Time, desired int, i *installation) {
	h.Helper()
	started, stopped, drained, last := -1, -1, -1, ""
	for n, e := range h.messages(since) {
		last = aws.ToString(e.Message)
		switch {
		case strings.Contains(last, "has started") && started < 0:
			started = n
		case strings.Contains(last, "has stopped") && stopped < 0:
			stopped = n
		case strings.Contains(last, "has begun draining connections") && drained < 0:
			drained = n
		}
	}
	full := desired == 4
	if started < 0 || stopped < 0 || drained < stopped || (stopped < started) != full || !strings.HasSuffix(last, "has reached a steady state.") {
		h.Errorf("%s: started %d, stopped %d, drained %d, last %q\n%s", i.version, started, stopped, drained, last, i)
	}
}

// watch is how many healthy instances and how many tasks a service has had while it was watched.
type watch struct {
	stop        context.CancelFunc
	done        sync.WaitGroup
	mu          sync.Mutex
	least, most int
	looks       int
	err         error
}

// watch begins to look at the service and its classic load balancer all the time.
func (h *house) watch(balancer string) *watch {
	ctx, cancel := context.WithCancel(h.Context())
	w := &watch{stop: cancel, least: 1 << 20}
	w.done.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			healthy, tasks, err := h.look(context.WithoutCancel(ctx), balancer)
			w.mu.Lock()
			w.least, w.most, w.looks, w.err = min(w.least, healthy), max(w.most, tasks), w.looks+1, errors.Join(w.err, err)
			w.mu.Unlock()
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	h.Cleanup(func() { w.end() })
	return w
}

func (w *watch) end() (least, most int) {
	w.stop()
	w.done.Wait()
	return w.least, w.most
}

// look counts the healthy instances of the load balancer, and the service's tasks that run or are pending.
func (h *house) look(ctx context.Context, balancer string) (healthy, tasks int, err error) {
	states, err := h.elb.DescribeInstanceHealth(ctx, &elb.DescribeInstanceHealthInput{LoadBalancerName: aws.String(balancer)})
	if err != nil {
		return 0, 0, err
	}
	for _, s := range states.InstanceStates {
		if aws.ToString(s.State) == "InService" {
			healthy++
		}
	}
	out, err := h.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(houseCluster), Services: []string{houseService}})
	if err != nil {
		return healthy, 0, err
	}
	for _, d := range out.Services[0].Deployments {
		tasks += int(d.RunningCount + d.PendingCount)
	}
	return healthy, tasks, nil
}

// TestStreamsAndPostsOutliveTheTasksThatServeThem deploys behind an application load balancer, to host ports that are
// chosen when tasks are placed, with answers under way that take longer than the new tasks need to take over.
func TestStreamsAndPostsOutliveTheTasksThatServeThem(t *testing.T) {
	t.Parallel()
	for _, runtime := range runtimes {
		t.Run(string(runtime), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, runtime, 20)
			h.project()
			h.application()
			h.deliver("1.0.0.RELEASE")
			load := startLoad(t, h.balancer, getRate, longStream)
			for n := 1; n <= 3; n++ {
				h.deliver(fmt.Sprintf("1.0.%d.RELEASE", n))
			}
			load.wantNoneLost(t)
			if again := h.install("1.0.3.RELEASE"); again.result.Outcome != deploy.Unchanged {
				t.Errorf("installing the same version again: %s", again)
			}
		})
	}
}
