package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/slipway-cd/slipway/app"
)

// The names of what every house has.
const (
	houseCluster = "qa"
	houseService = "hid-generator" // as slipway.yaml of the example names service, family, container and load balancer
	housePort    = 8080            // of the load balancer
	hostPort     = 1234            // that the user's task definition fixes
)

// slipwayProgram builds the program as users have it, once. This test program can play it as well (see TestMain), but
// under the race detector an engine needs several times the processor for the same traffic.
var slipwayProgram = sync.OnceValues(func() (string, error) {
	played, err := exec.LookPath("slipway") // in a directory that goes away with the tests
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(played), "slipway-built")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/slipway").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// house is an engine in a process of its own, so that it can be killed, and a project that is deployed to it.
type house struct {
	*testing.T
	runtime app.RuntimeName
	speed   int
	root    string // of everything that the house keeps
	addr    string // of the engine; the same after it was started again
	engine  *exec.Cmd

	ecs   *ecs.Client
	elb   *elb.Client
	elbv2 *elbv2.Client
	logs  *cloudwatchlogs.Client

	front    string   // the endpoint that commands are given, where it is not the engine's own
	balancer string   // host:port where the service is reached
	values   []string // NAME=VALUE for the project's templates
	awaited  chan error
}

// newHouse starts an engine with a cluster of four instances in two zones. It is cleared when the test ends.
func newHouse(t *testing.T, runtime app.RuntimeName, speed int) *house {
	t.Helper()
	h := &house{T: t, runtime: runtime, speed: speed, root: t.TempDir(), addr: "127.0.0.1:0"}
	t.Cleanup(h.close)
	h.start()
	cfg, err := app.AWSConfig(t.Context(), app.TargetOptions{Endpoint: h.endpoint()})
	h.must(err)
	h.ecs, h.elb, h.elbv2, h.logs = ecs.NewFromConfig(cfg), elb.NewFromConfig(cfg), elbv2.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg)
	out, err := h.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String(houseCluster)})
	h.must(err)
	if n := out.Cluster.RegisteredContainerInstancesCount; n != 4 {
		t.Fatalf("the cluster has %d instances, want 4", n)
	}
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) endpoint() string { return "http://" + h.addr }
func (h *house) data() string     { return filepath.Join(h.root, "engine") }
func (h *house) talk() string     { return filepath.Join(h.root, "engine.log") }

// start starts the engine, or starts it again where it was before it was killed.
func (h *house) start() {
	h.Helper()
	program, err := slipwayProgram()
	h.must(err)
	h.engine = exec.Command(program, "engine", "start", "--listen", h.addr, "--data", h.data(), "--runtime", string(h.runtime),
		"--speed", fmt.Sprint(h.speed))
	log, err := os.OpenFile(h.talk(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	h.must(err)
	defer log.Close()
	h.engine.Stderr = log
	out, err := h.engine.StdoutPipe()
	h.must(err)
	h.must(h.engine.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	h.awaited = make(chan error, 1)
	go func(engine *exec.Cmd, ended chan<- error) { ended <- engine.Wait() }(h.engine, h.awaited)
	if err != nil {
		h.engine = nil
		h.Fatalf("the engine did not start: %v\n%s", err, h.lastWords())
	}
	h.addr = strings.TrimPrefix(strings.TrimSpace(line), "http://")
}

// kill ends the engine as a power cut would.
func (h *house) kill() {
	h.Helper()
	h.must(h.engine.Process.Kill())
	if err := <-h.awaited; err == nil {
		h.Error("the engine was killed, but ended of itself")
	}
	h.engine = nil
}

// close removes everything that the house has made, and looks for what the engine complained of.
func (h *house) close() {
	if h.addr == "127.0.0.1:0" {
		return
	}
	if h.engine == nil { // it was killed, and the test failed before it was started again
		h.start()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.Context()), time.Minute)
	defer cancel()
	if _, err := app.StopEngine(ctx, h.endpoint(), true); err != nil {
		h.Errorf("%v\n%s", err, h.lastWords())
		_ = h.engine.Process.Kill()
	}
	if err := <-h.awaited; err != nil {
		h.Errorf("the engine ended with %v\n%s", err, h.lastWords())
	}
	for _, bad := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if words, _ := os.ReadFile(h.talk()); bytes.Contains(words, []byte(bad)) {
			h.Errorf("the engine's log tells of a %s\n%s", bad, words)
		}
	}
	if h.Failed() {
		h.Logf("the engine's last words:\n%s", h.lastWords())
	}
}

func (h *house) lastWords() string {
	words, _ := os.ReadFile(h.talk())
	const most = 6000
	return string(words[max(0, len(words)-most):])
}

// until looks again and again until what is looked for is there, and fails the test when patience is at an end.
func until[T any](t testing.TB, patience time.Duration, what string, look func() (T, bool)) T {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		found, ok := look()
		if ok {
			return found
		}
		select {
		case <-deadline.C:
			t.Fatalf("waited %v in vain until %s; last seen: %+v", patience, what, found)
		case <-tick.C:
		}
	}
}
