package api_test

import (
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api"
	"github.com/slipway-cd/slipway/engine/api/ecrapi"
	"github.com/slipway-cd/slipway/engine/balance"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/emit"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/objects"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/engine/state"
)

// speed makes AWS's 40 seconds until a task is healthy 40 milliseconds.
const speed = 1000

// house is an engine with scripted containers, served to real AWS clients.
type house struct {
	*testing.T
	*engine.Engine
	server    *httptest.Server
	balancers *balance.Balance
	bus       *bus.Bus
	last      *recorder
	eventFile string

	ecs   *ecs.Client
	elb   *elb.Client
	elbv2 *elbv2.Client
	ecr   *ecr.Client
	logs  *cloudwatchlogs.Client
	sts   *sts.Client
}

// newHouse returns a house in which everything moves.
func newHouse(t *testing.T, change ...func(*engine.Options)) *house {
	t.Helper()
	h := newStillHouse(t, change...)
	if err := h.balancers.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.bus.Start()
	emitter := emit.New(h.Engine, h.bus, nil)
	emitter.Start(t.Context())
	t.Cleanup(emitter.Stop)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.balancers.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// newStillHouse returns a house whose engine only answers: nothing is started, and nothing that is stopping comes to its
// end.
func newStillHouse(t *testing.T, change ...func(*engine.Options)) *house {
	t.Helper()
	h := &house{T: t, server: httptest.NewUnstartedServer(nil), last: &recorder{}}
	at := netip.MustParseAddrPort(h.server.Listener.Addr().String())
	h.open(at, change)
	h.server.Start()
	t.Cleanup(h.server.Close)
	config := aws.Config{
		BaseEndpoint: aws.String(h.server.URL), Region: "us-east-1", HTTPClient: &http.Client{Transport: h.last},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), RetryMaxAttempts: 1,
	}
	h.ecs, h.elb, h.elbv2 = ecs.NewFromConfig(config), elb.NewFromConfig(config), elbv2.NewFromConfig(config)
	h.ecr, h.logs, h.sts = ecr.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config), sts.NewFromConfig(config)
	return h
}

func (h *house) open(at netip.AddrPort, change []func(*engine.Options)) {
	h.Helper()
	port := binary.BigEndian.AppendUint16(nil, at.Port())
	options := engine.Options{
		Dir: h.TempDir(), Runtime: scripted.New(speed), Speed: speed,
		Addresses: netip.PrefixFrom(netip.AddrFrom4([4]byte{127, port[0], port[1], 0}), 24),
	}
	for _, f := range change {
		f(&options)
	}
	e, err := engine.Open(h.Context(), options)
	if err != nil {
		h.Fatal(err)
	}
	h.Engine = e
	store, err := images.Open(h.TempDir(), images.Options{Immutable: func(name images.Name, tag images.Tag) bool {
		return ecrapi.Immutable(e.DB().Read(), string(name), string(tag))
	}})
	if err != nil {
		h.Fatal(err)
	}
	h.eventFile = filepath.Join(h.TempDir(), "events.jsonl")
	h.bus = bus.New(bus.Options{
		DB: e.DB(), Logs: e.Logs(), Targets: map[string]string{"file": "file:" + h.eventFile}, Account: e.Identity().Account,
		Region: e.Identity().Region, Speed: speed,
	})
	h.balancers = balance.New(balance.Options{DB: e.DB(), Speed: speed, Probe: alwaysWell})
	h.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			h.Error(err)
		}
	})
	h.Cleanup(func() {
		if err := h.bus.Stop(context.Background()); err != nil {
			h.Error(err)
		}
	})
	things, err := objects.Open(h.TempDir())
	if err != nil {
		h.Fatal(err)
	}
	handler, err := api.Handler(api.Options{Bus: h.bus, Engine: e, Images: store, Objects: things, Host: at.String})
	if err != nil {
		h.Fatal(err)
	}
	h.server.Config.Handler = handler
}

// alwaysWell answers health checks for scripted containers, which listen nowhere.
func alwaysWell(context.Context, *state.Target, balance.Check) balance.Outcome {
	return balance.Outcome{}
}

// recorder keeps the last answer as it came over the wire.
type recorder struct {
	mu   sync.Mutex
	body string
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.body = string(body)
	response.Body = io.NopCloser(strings.NewReader(r.body))
	return response, nil
}

func (r *recorder) answer() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.body
}

// must returns the answer of an operation that succeeds.
func must[Out any](h *house, out Out, err error) Out {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
	return out
}

// register registers a task definition of one container, and returns family:revision.
func (h *house) register(family string, change func(*ecs.RegisterTaskDefinitionInput)) string {
	h.Helper()
	in := &ecs.RegisterTaskDefinitionInput{Family: &family, ContainerDefinitions: []types.ContainerDefinition{{
		Name: aws.String("app"), Image: aws.String(family + ":1"), Memory: aws.Int32(64),
		PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(80)}},
	}}}
	if change != nil {
		change(in)
	}
	out, err := h.ecs.RegisterTaskDefinition(h.Context(), in)
	must(h, out, err)
	return state.TaskDefinitionID{Family: family, Revision: int(out.TaskDefinition.Revision)}.String()
}

// create creates a service in the cluster, which it creates too when it is not there.
func (h *house) create(cluster, name, definition string, change func(*ecs.CreateServiceInput)) *types.Service {
	h.Helper()
	_, err := h.ecs.CreateCluster(h.Context(), &ecs.CreateClusterInput{ClusterName: &cluster})
	must(h, 0, err)
	in := &ecs.CreateServiceInput{Cluster: &cluster, ServiceName: &name, TaskDefinition: &definition, DesiredCount: aws.Int32(2)}
	if change != nil {
		change(in)
	}
	out, err := h.ecs.CreateService(h.Context(), in)
	return must(h, out, err).Service
}

// stable waits as everybody does: with the SDK's own waiter.
func (h *house) stable(cluster string, services ...string) {
	h.Helper()
	waiter := ecs.NewServicesStableWaiter(h.ecs, func(o *ecs.ServicesStableWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick })
	if err := waiter.Wait(h.Context(), &ecs.DescribeServicesInput{Cluster: &cluster, Services: services}, time.Minute); err != nil {
		h.Fatalf("not stable: %v\n%s", err, h.last.answer())
	}
}

// completed waits until the newest deployment has come to its end, which the waiter of the SDK does not ask for.
func (h *house) completed(cluster, service string) {
	h.Helper()
	h.until("the deployment is completed", func(snap state.Snapshot) bool {
		for d := range snap.Deployments(state.ServiceKey{Cluster: state.ClusterName(cluster), Name: service}) {
			if d.Status == state.Primary && d.State == types.DeploymentRolloutStateCompleted {
				return true
			}
		}
		return false
	})
}

// until waits for a change of the state that makes something so.
func (h *house) until(what string, so func(state.Snapshot) bool) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	watch := h.DB().Watch()
	defer watch.Close()
	for !so(h.DB().Read()) {
		if _, err := watch.Next(ctx); err != nil {
			h.Fatalf("after a minute it is not so that %s", what)
		}
	}
}

const quick = 10 * time.Millisecond

// classic creates a classic load balancer that sends from port 8080 to an instance port.
func (h *house) classic(name string, instancePort int32) *elb.CreateLoadBalancerOutput {
	h.Helper()
	out, err := h.elb.CreateLoadBalancer(h.Context(), &elb.CreateLoadBalancerInput{LoadBalancerName: &name, Listeners: []elbtypes.Listener{{
		Protocol: aws.String("http"), LoadBalancerPort: 8080, InstancePort: &instancePort,
	}}})
	return must(h, out, err)
}

// untilEvent waits until an event of the service, in the default cluster, contains a text.
func (h *house) untilEvent(service, text string) {
	h.Helper()
	h.until("the service's events tell: "+text, func(snap state.Snapshot) bool {
		for _, e := range snap.Events(state.ServiceKey{Cluster: "default", Name: service}).List {
			if strings.Contains(aws.ToString(e.Message), text) {
				return true
			}
		}
		return false
	})
}
