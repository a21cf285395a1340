package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// manyServices returns a world with that many steady services, a tenth of an instance each.
func manyServices(b *testing.B, services, tasks int) (*world, []state.ServiceKey) {
	b.Helper()
	w := newWorld(b).instances(200)
	for i := range w.db.Read().AllInstances() {
		c := *i
		c.CPU, c.Memory = 1<<20, 1<<20
		w.put(&c)
	}
	var keys []state.ServiceKey
	for i := range services {
		w.key = state.ServiceKey{Cluster: "qa", Name: fmt.Sprintf("s%d", i)}
		keys = append(keys, w.key)
		w.put(&state.Service{ID: w.key, Doc: types.Service{
			Status: aws.String("ACTIVE"), DesiredCount: int32(tasks), DeploymentConfiguration: &types.DeploymentConfiguration{},
		}})
		w.deploy(1)
		w.pass()
	}
	for range 4 {
		w.live()
	}
	w.now = w.now.Add(time.Minute)
	for _, w.key = range keys {
		w.pass()
	}
	return w, keys
}

// BenchmarkPassOverThousandSteadyServices is one look at each of 1,000 services of 10 tasks.
func BenchmarkPassOverThousandSteadyServices(b *testing.B) {
	w, keys := manyServices(b, 1000, 10)
	snap := w.db.Read()
	b.ReportAllocs()
	for b.Loop() {
		for _, key := range keys {
			if plan := Service(snap, key, w.now, w.pace); !plan.Empty() {
				b.Fatalf("%s is not steady: %+v", key, plan)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(keys))/b.Elapsed().Seconds(), "services/s")
}

// BenchmarkFirstPass is the first look at a service of 10 tasks, all of which are placed on 200 instances.
func BenchmarkFirstPass(b *testing.B) {
	w, keys := manyServices(b, 1000, 10)
	w.key = keys[0]
	w.deploy(2)
	snap := w.db.Read()
	for b.Loop() {
		if plan := Service(snap, keys[0], w.now, w.pace); len(plan.Start) != 10 {
			b.Fatalf("%d starts", len(plan.Start))
		}
	}
	b.ReportMetric(float64(b.N*10)/b.Elapsed().Seconds(), "placements/s")
}

// BenchmarkPlace places tasks one after the other from one snapshot, on 200 instances with 10,000 tasks.
func BenchmarkPlace(b *testing.B) {
	w, _ := manyServices(b, 1000, 10)
	snap := w.db.Read()
	definition, _ := snap.TaskDefinition(state.TaskDefinitionID{Family: "web", Revision: 1})
	for b.Loop() {
		fleet := NewFleet(snap, "qa")
		for range 10 {
			if _, failure := fleet.Place(Ask{Definition: definition, Group: "family:web"}); failure != nil {
				b.Fatal(failure)
			}
		}
	}
	b.ReportMetric(float64(b.N*10)/b.Elapsed().Seconds(), "placements/s")
}
