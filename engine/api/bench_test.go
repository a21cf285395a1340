package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/engine/state"
)

// BenchmarkDescribeServices answers requests about ten of 1,000 services with five tasks each.
func BenchmarkDescribeServices(b *testing.B) {
	const services = 1000
	e, send := served(b)
	send("CreateCluster", `{"clusterName": "c"}`)
	send("RegisterTaskDefinition", `{"family": "web", "containerDefinitions": [{"name": "app", "image": "web:1", "memory": 8}]}`)
	for n := range services {
		send("CreateService", fmt.Sprintf(`{"cluster": "c", "serviceName": "web-%d", "taskDefinition": "web", "desiredCount": 5}`, n))
	}
	watch := e.DB().Watch(state.KindService)
	defer watch.Close()
	for !allSteady(e.DB().Read()) {
		if _, err := watch.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	bodies := make([]string, services)
	for n := range bodies {
		names := make([]string, 10)
		for i := range names {
			names[i] = fmt.Sprintf(`"web-%d"`, (n*7+i)%services)
		}
		bodies[n] = `{"cluster": "c", "services": [` + strings.Join(names, ",") + `]}`
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		send("DescribeServices", bodies[n%services])
	}
}

func allSteady(s state.Snapshot) bool {
	for svc := range s.AllServices() {
		if !svc.Steady {
			return false
		}
	}
	return true
}

// served returns an engine with room for many tasks, and what sends it requests of Amazon ECS that must succeed.
func served(b *testing.B) (*engine.Engine, func(operation, body string)) {
	b.Helper()
	e, err := engine.Open(b.Context(), engine.Options{
		Dir: b.TempDir(), Runtime: scripted.New(speed), Speed: speed, Addresses: netip.MustParsePrefix("127.66.2.0/24"),
		Instances: 20, InstanceCPU: 1 << 20, InstanceMemory: 1 << 20,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	store, err := images.Open(b.TempDir(), images.Options{})
	if err != nil {
		b.Fatal(err)
	}
	handler, err := api.Handler(api.Options{Engine: e, Images: store, Host: func() string { return "" }})
	if err != nil {
		b.Fatal(err)
	}
	if err := e.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	return e, func(operation, body string) {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("%s: %s", operation, w.Body)
		}
	}
}
