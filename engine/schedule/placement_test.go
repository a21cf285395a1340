package schedule

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/engine/state"
)

func ask(options ...func(*Ask)) Ask {
	a := Ask{
		Definition: &state.TaskDefinition{TaskDefinitionID: state.TaskDefinitionID{Family: "job", Revision: 1}, Doc: *definition().doc()},
		Group:      "family:job",
	}
	for _, o := range options {
		o(&a)
	}
	return a
}

func sized(cpu, memory string) func(*Ask) {
	return func(a *Ask) { a.Definition.Doc.Cpu, a.Definition.Doc.Memory = &cpu, &memory }
}

func member(expression string) func(*Ask) {
	return func(a *Ask) {
		a.Constraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeMemberOf, Expression: &expression}}
	}
}

func distinct(a *Ask) {
	a.Constraints = []types.PlacementConstraint{{Type: types.PlacementConstraintTypeDistinctInstance}}
}

func strategy(kind types.PlacementStrategyType, field string) func(*Ask) {
	return func(a *Ask) { a.Strategies = append(a.Strategies, types.PlacementStrategy{Type: kind, Field: &field}) }
}

func hostPort1234(a *Ask) { fixedPort(nil, &a.Definition.Doc) }

// places places n tasks and returns their instances.
func places(t *testing.T, w *world, n int, a Ask) []state.InstanceID {
	t.Helper()
	fleet := NewFleet(w.db.Read(), "qa")
	var on []state.InstanceID
	for range n {
		place, failure := fleet.Place(a)
		if failure != nil {
			t.Fatalf("no place: %s", failure.Text())
		}
		on = append(on, place.Instance)
	}
	return on
}

func TestPlaceByStrategy(t *testing.T) {
	t.Parallel()
	spread, pack := types.PlacementStrategyTypeSpread, types.PlacementStrategyTypeBinpack
	for name, tc := range map[string]struct {
		ask  Ask
		want []state.InstanceID
	}{
		"default: zones, then instances": {ask(), []state.InstanceID{"i1", "i2", "i3", "i4"}},
		"spread over zones": {
			ask(strategy(spread, "attribute:ecs.availability-zone"), strategy(pack, "memory")), []state.InstanceID{"i1", "i2", "i1", "i2"},
		},
		"spread over instances": {ask(strategy(spread, "instanceId")), []state.InstanceID{"i1", "i2", "i3", "i4"}},
		"binpack":               {ask(strategy(pack, "memory")), []state.InstanceID{"i1", "i1", "i1", "i1"}},
		"binpack beyond room":   {ask(strategy(pack, "cpu"), sized("2048", "256")), []state.InstanceID{"i1", "i1", "i2", "i2"}},
		"distinct instances":    {ask(strategy(pack, "cpu"), distinct), []state.InstanceID{"i1", "i2", "i3", "i4"}},
		"member of a zone":      {ask(member("attribute:ecs.availability-zone == us-east-1b")), []state.InstanceID{"i2", "i4", "i2", "i4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(4)
			if diff := cmp.Diff(tc.want, places(t, w, 4, tc.ask)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlaceAtRandomIsDeterminedByItsSeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(8)
	seen := map[state.InstanceID]bool{}
	for seed := range uint64(50) {
		random := func(a *Ask) { a.Seed = seed }
		a := ask(strategy(types.PlacementStrategyTypeRandom, ""), random)
		first, second := places(t, w, 1, a)[0], places(t, w, 1, a)[0]
		if first != second {
			t.Fatalf("seed %d: %s, then %s", seed, first, second)
		}
		seen[first] = true
	}
	if len(seen) < 5 {
		t.Errorf("fifty seeds chose only %d of 8 instances", len(seen))
	}
}

func TestPlaceTellsWhyThereIsNoRoom(t *testing.T) {
	t.Parallel()
	change := func(f func(*state.Instance)) func(*world) {
		return func(w *world) {
			for i := range w.db.Read().AllInstances() {
				c := *i
				f(&c)
				w.put(&c)
			}
		}
	}
	closest := "The closest matching (container-instance i1) "
	for name, tc := range map[string]struct {
		instances    int
		prepare      func(*world)
		ask          Ask
		reason, text string
	}{
		"no instances": {0, nil, ask(), "EMPTY CLUSTER", "Reason: No Container Instances were found in your cluster."},
		"all draining": {
			1, change(func(i *state.Instance) { i.Doc.Status = aws.String("DRAINING") }), ask(), "EMPTY CLUSTER",
			"Reason: No Container Instances were found in your cluster.",
		},
		"cpu":    {1, nil, ask(sized("8192", "1")), "RESOURCE:CPU", closest + "has insufficient CPU units available."},
		"memory": {1, nil, ask(sized("1", "99999")), "RESOURCE:MEMORY", closest + "has insufficient memory available."},
		"ports": {
			1, change(func(i *state.Instance) { i.Ports = []state.HostPort{{Port: 1234, Protocol: "tcp"}} }), ask(hostPort1234),
			"RESOURCE:PORTS", closest + "is already using a port required by your task.",
		},
		"agent": {
			1, change(func(i *state.Instance) { i.Doc.ContainerInstanceArn = aws.String("arn") }), ask(), "AGENT",
			closest + `encountered error "AGENT".`,
		},
		"attribute": {1, nil, ask(func(a *Ask) {
			a.Definition.Doc.RequiresAttributes = []types.Attribute{
				{Name: aws.String("com.amazonaws.ecs.capability.docker-remote-api.1.18")}, {Name: aws.String("gpu")},
			}
		}), "ATTRIBUTE", closest + "is missing an attribute required by your task."},
		"member": {
			1, nil, ask(member("attribute:colour == red")), reasonMember,
			closest + `encountered error "MemberOf placement constraint unsatisfied.".`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(tc.instances)
			if tc.prepare != nil {
				tc.prepare(w)
			}
			_, failure := NewFleet(w.db.Read(), "qa").Place(tc.ask)
			if failure == nil {
				t.Fatal("there is a place")
			}
			if failure.Reason != tc.reason || failure.Text() != tc.text || aws.ToString(failure.Doc().Reason) != tc.reason {
				t.Errorf("%q %q, want %q %q", failure.Reason, failure.Text(), tc.reason, tc.text)
			}
		})
	}
}

func TestUnreadableConstraintIsExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(1)
	_, failure := NewFleet(w.db.Read(), "qa").Place(ask(member("colour ~ red")))
	if failure == nil || failure.Detail == "" {
		t.Errorf("failure %+v", failure)
	}
}

func TestDynamicPortsRestBeforeTheyAreUsedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(1).service(2)
	w.run(tick)
	ports := func() []int {
		var list []int
		for task := range w.db.Read().UnsettledTasksOfService(web) {
			list = append(list, task.Ports[0].Port)
		}
		return list
	}
	if diff := cmp.Diff([]int{32768, 32769}, ports()); diff != "" {
		t.Error(diff)
	}
	w.run(2 * time.Minute)
	w.deploy(2).run(4 * time.Minute)
	if diff := cmp.Diff([]int{32770, 32771}, ports()); diff != "" {
		t.Error(diff)
	}
}

func TestFargateTasksAreSpreadOverZonesAndTakeNoInstance(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		instances int
		want      []string
	}{
		"zones of the instances": {3, []string{"us-east-1a", "us-east-1b", "us-east-1a"}},
		"zones of the region":    {0, []string{"us-east-1a", "us-east-1b", "us-east-1a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t).instances(tc.instances)
			fleet := NewFleet(w.db.Read(), "qa")
			var zones []string
			for range 3 {
				place, failure := fleet.Place(ask(func(a *Ask) { a.Fargate = true }))
				if failure != nil || place.Instance != "" || place.Ports[0].Port != 8080 {
					t.Fatalf("%+v %+v", place, failure)
				}
				zones = append(zones, place.Zone)
			}
			if diff := cmp.Diff(tc.want, zones); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	two := types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{
		{Name: aws.String("a"), Cpu: 100, Memory: aws.Int32(300), MemoryReservation: aws.Int32(200)},
		{Name: aws.String("b"), Cpu: 50, Memory: aws.Int32(64)},
	}}
	sizes := two
	sizes.Cpu, sizes.Memory = aws.String("1024"), aws.String("2048")
	for name, tc := range map[string]struct {
		doc         types.TaskDefinition
		overrides   *types.TaskOverride
		cpu, memory int
	}{
		"containers":         {two, nil, 150, 264},
		"task":               {sizes, nil, 1024, 2048},
		"task override":      {sizes, &types.TaskOverride{Cpu: aws.String("512")}, 512, 2048},
		"container override": {two, &types.TaskOverride{ContainerOverrides: []types.ContainerOverride{{Name: aws.String("b"), Cpu: aws.Int32(1)}}}, 101, 264},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cpu, memory := Needs(&state.TaskDefinition{Doc: tc.doc}, tc.overrides)
			if cpu != tc.cpu || memory != tc.memory {
				t.Errorf("%d, %d; want %d, %d", cpu, memory, tc.cpu, tc.memory)
			}
		})
	}
}

func TestNothingIsPlacedTwiceNorBeyondWhatThereIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t).instances(rapid.IntRange(1, 4).Draw(t, "instances"))
		fleet := NewFleet(w.db.Read(), "qa")
		taken, cpu := map[state.InstanceID]map[int]bool{}, map[state.InstanceID]int{}
		for range rapid.IntRange(1, 60).Draw(t, "tasks") {
			a := ask(sized(rapid.SampledFrom([]string{"128", "1024"}).Draw(t, "cpu"), "64"))
			if rapid.Bool().Draw(t, "fixed") {
				hostPort1234(&a)
			}
			place, failure := fleet.Place(a)
			if failure != nil {
				continue
			}
			if taken[place.Instance] == nil {
				taken[place.Instance] = map[int]bool{}
			}
			for _, p := range place.Ports {
				if taken[place.Instance][p.Port] {
					t.Fatalf("port %d of %s is doubled", p.Port, place.Instance)
				}
				taken[place.Instance][p.Port] = true
			}
			if cpu[place.Instance] += place.CPU; cpu[place.Instance] > 4096 {
				t.Fatalf("%s gives %d CPU units", place.Instance, cpu[place.Instance])
			}
		}
	})
}

func strategyOf(pairs ...any) []types.CapacityProviderStrategyItem {
	var items []types.CapacityProviderStrategyItem
	for i := 0; i < len(pairs); i += 3 {
		items = append(items, types.CapacityProviderStrategyItem{
			CapacityProvider: aws.String(pairs[i].(string)), Base: int32(pairs[i+1].(int)), Weight: int32(pairs[i+2].(int)),
		})
	}
	return items
}

func TestTasksAreSharedAmongCapacityProvidersByBaseAndWeight(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		strategy []types.CapacityProviderStrategyItem
		want     []string
	}{
		"none":                     {nil, []string{"", ""}},
		"one":                      {strategyOf("a", 0, 1), []string{"a", "a"}},
		"by weight":                {strategyOf("a", 0, 1, "b", 0, 3), []string{"b", "b", "a", "b", "b", "b", "a", "b"}},
		"base first":               {strategyOf("a", 2, 0, "b", 0, 1), []string{"a", "a", "b", "b"}},
		"base, then by weight":     {strategyOf("a", 1, 1, "b", 0, 1), []string{"a", "a", "b", "a"}},
		"named by ARN":             {strategyOf("arn:aws:ecs:x:1:capacity-provider/a", 0, 1), []string{"a"}},
		"weight 0 has no share":    {strategyOf("a", 0, 0, "b", 0, 1), []string{"b", "b"}},
		"nobody has a share of it": {strategyOf("a", 0, 0), []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shares := NewShares(tc.strategy)
			var got []string
			for range tc.want {
				next := shares.Next()
				shares.Note(next)
				got = append(got, next)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// changed changes the instance with that number.
func (w *world) changed(number string, f func(*state.Instance)) {
	i, _ := w.db.Read().Instance(state.InstanceID("i" + number))
	c := *i
	f(&c)
	w.put(&c)
}

func TestACapacityProvidersTasksGoToItsInstances(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(3)
	w.changed("3", func(i *state.Instance) { i.Doc.CapacityProviderName = aws.String("spot") })
	fleet := NewFleet(w.db.Read(), "qa")
	for range 3 {
		place, failure := fleet.Place(ask(func(a *Ask) { a.Provider = "spot" }))
		if failure != nil || place.Instance != "i3" || place.Provider != "spot" {
			t.Fatalf("%+v %+v", place, failure)
		}
	}
	_, failure := fleet.Place(ask(func(a *Ask) { a.Provider = "other" }))
	if want := "Reason: No Container Instances were found in your capacity provider."; failure == nil || failure.Text() != want {
		t.Errorf("failure %+v, want %q", failure, want)
	}
}

func withGPUs(n string) func(*Ask) {
	return func(a *Ask) {
		a.Definition.Doc.ContainerDefinitions[0].ResourceRequirements = []types.ResourceRequirement{{Type: types.ResourceTypeGpu, Value: &n}}
	}
}

func TestEveryGPUIsGivenToOneTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.changed("2", func(i *state.Instance) { i.GPUs = []string{"GPU-a", "GPU-b", "GPU-c"} })
	fleet := NewFleet(w.db.Read(), "qa")
	first, _ := fleet.Place(ask(withGPUs("2")))
	if diff := cmp.Diff([]string{"GPU-a", "GPU-b"}, first.GPUs); diff != "" || first.Instance != "i2" {
		t.Errorf("first: on %s %s", first.Instance, diff)
	}
	_, failure := fleet.Place(ask(withGPUs("2")))
	if failure == nil || failure.Reason != "RESOURCE:GPU" || failure.Text() == "" {
		t.Errorf("two of one: %+v", failure)
	}
	// The record of the first task has them, until it has come to its end.
	task := &state.Task{ID: "t", Cluster: "qa", Instance: "i2", GPUs: first.GPUs, Last: state.Running}
	w.put(task)
	if place, _ := NewFleet(w.db.Read(), "qa").Place(ask(withGPUs("1"))); !cmp.Equal(place.GPUs, []string{"GPU-c"}) {
		t.Errorf("beside it: %v", place.GPUs)
	}
	ended := *task
	ended.Last = state.Stopped
	w.put(&ended)
	if place, _ := NewFleet(w.db.Read(), "qa").Place(ask(withGPUs("3"))); len(place.GPUs) != 3 {
		t.Errorf("after it: %v", place.GPUs)
	}
}

func TestATaskThatIsPutOnAnInstanceNeedsRoomThereAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t).instances(2)
	w.changed("2", func(i *state.Instance) { i.Doc.Status = aws.String("DRAINING") })
	fleet := NewFleet(w.db.Read(), "qa")
	for name, tc := range map[string]struct {
		ask    Ask
		on     state.InstanceID
		reason string
	}{
		"room":                    {ask(member("attribute:x == y")), "i1", ""},
		"too little CPU":          {ask(sized("8192", "1")), "i1", "RESOURCE:CPU"},
		"an instance that drains": {ask(), "i2", "AGENT"},
		"one that is not there":   {ask(), "i3", "MISSING"},
	} {
		place, failure := fleet.PlaceOn(tc.ask, tc.on)
		if tc.reason == "" && (failure != nil || place.Instance != tc.on) || tc.reason != "" && (failure == nil || failure.Reason != tc.reason) {
			t.Errorf("%s: %+v %+v", name, place, failure)
		}
	}
}
