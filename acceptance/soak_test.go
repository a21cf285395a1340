//go:build soak

package acceptance

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/deploy"
)

// soakDeployments is how many deployments each runtime has to go through.
const soakDeployments = 60

// TestSoak deploys versions that are well and versions that are not, in random order, under traffic, and kills the engine
// in the middle of some. No request may be lost but while there is no engine to serve it. The seed of a failed run is in
// its log.
func TestSoak(t *testing.T) {
	for _, runtime := range runtimes {
		t.Run(string(runtime), func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			s := &soak{house: newHouse(t, runtime, houseSpeed), random: rand.New(rand.NewPCG(seed, 0))}
			s.project()
			s.withLogs()
			s.classic()
			s.deliver("1.0.0.RELEASE")
			s.load = startLoad(t, s.balancer, getRate, shortStream)
			for n := range soakDeployments {
				s.one(fmt.Sprintf("1.%d.0.RELEASE", n+1))
			}
			s.load.wantNoneLost(t)
			t.Logf("%d deployments: %v; the engine was killed %d times", soakDeployments, s.kinds, s.kills)
		})
	}
}

// soak is a house that goes through a long row of deployments.
type soak struct {
	*house
	random *rand.Rand
	load   *load
	kinds  map[string]int
	kills  int
}

// one deploys a version of some kind; in one deployment of eight the engine is killed at some moment.
func (s *soak) one(version string) {
	s.Helper()
	kind := []string{"good", "good", "good", "bad health", "crash", "missing image"}[s.random.IntN(6)]
	if s.kinds == nil {
		s.kinds = map[string]int{}
	}
	s.kinds[kind]++
	switch kind {
	case "good":
		s.push(version)
	case "bad health":
		s.push(version, "HID_FAIL_HEALTH=503")
	case "crash":
		s.push(version, "HID_CRASH=3")
	}
	s.publish(version)
	kill := s.random.IntN(8) == 0
	if kill {
		s.load.wantNoneLost(s.T) // what follows is sent to nobody
	}
	u := s.begin(version)
	if kill {
		s.killAtRandom(u)
	}
	i := <-u.done
	if kind == "good" {
		s.wantExit(i, 0, deploy.Proven)
	} else {
		s.wantExit(i, 4, deploy.RolledBack)
	}
	s.wantWhole(i)
}

// killAtRandom kills the engine within the first seconds of an installation, and starts it again.
func (s *soak) killAtRandom(u *unfolding) {
	s.Helper()
	at := time.NewTimer(time.Duration(s.random.Int64N(int64(4 * time.Second))))
	defer at.Stop()
	select {
	case <-at.C:
	case i := <-u.done:
		u.done <- i // it was quicker
	}
	s.kill()
	s.kills++
	s.start()
	s.load = s.servesAgain()
}

// wantWhole holds what the engine knows against what runs, after a deployment of any kind.
func (s *soak) wantWhole(i *installation) {
	s.Helper()
	service := s.service()
	if len(service.Deployments) != 1 || service.RunningCount != service.DesiredCount || service.PendingCount != 0 {
		s.Errorf("%d deployments, %d tasks running, %d pending\n%s", len(service.Deployments), service.RunningCount, service.PendingCount, i)
	}
	running := len(s.tasks(types.DesiredStatusRunning))
	if programs := s.programs(); len(programs) != running {
		s.Errorf("%d tasks are known, these run: %v\n%s", running, programs, i)
	}
	if s.runtime == app.Docker && len(s.containers()) != running {
		s.Errorf("%d tasks are known, Docker runs %v\n%s", running, s.containers(), i)
	}
}
