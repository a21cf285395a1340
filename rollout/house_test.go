package rollout

import (
	"time"

	"github.com/slipway-cd/slipway/descriptor"
)

// The house of these tests: a service web whose old deployment D0 runs revision web:1, and a new one, D1, that runs web:2.

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func wanted() Desired {
	return Desired{Version: "1.0.16.RELEASE", Ref: ServiceRef{
		Cluster: "qa", Service: "web", Family: "web", Wanted: Documents{
			descriptor.TaskDefinition:    []byte(`{"family":"web"}`),
			descriptor.ServiceDefinition: []byte(`{"serviceName":"web"}`),
			descriptor.ServiceUpdate:     []byte(`{"service":"web"}`),
		},
	}}
}

var differs = []Difference{{Document: descriptor.TaskDefinition, Path: "containerDefinitions[web].image"}}

// before is the service before anything was changed, as the first look sees it.
func before() Observed {
	return Observed{
		Ref: ServiceRef{Depth: Past}, At: noon, Status: Active, Raw: []byte(`{"serviceName":"web"}`),
		Deployments: []Deployment{{ID: "D0", Primary: true, State: Completed, Revision: "web:1", Desired: 2, Running: 2, Created: noon.Add(-time.Hour)}},
		Running:     &Revision{ID: "web:1", Differs: differs}, Newest: &Revision{ID: "web:1", Differs: differs},
		Proven: []Proof{{Deployment: "D0", Record: "rev/0"}},
	}
}

// begun is a rollout that has looked once and has started D1.
func begun(changes ...func(*Desired)) Desired {
	want := Remember(wanted(), before(), Policy{}, noon)
	want = After(want, Step{Kind: Register}, Receipt{Revision: "web:2"})
	want = After(want, Step{Kind: Update}, Receipt{Deployment: "D1"})
	for _, change := range changes {
		change(&want)
	}
	return Remember(want, during(1, 0), Policy{}, noon.Add(time.Second))
}

// during is the service while D1 replaces D0.
func during(old, running int) Observed {
	return Observed{
		Ref: ServiceRef{Depth: Tasks}, At: noon.Add(time.Minute), Status: Active,
		Deployments: []Deployment{
			{ID: "D1", Primary: true, State: InProgress, Revision: "web:2", Desired: 2, Running: running, Pending: 2 - running, Created: noon.Add(time.Second)},
			{ID: "D0", State: Completed, Revision: "web:1", Running: old, Created: noon.Add(-time.Hour)},
		},
	}
}

// done is the service when D1 has come to its end.
func done(changes ...func(*Observed)) Observed {
	seen := during(0, 2)
	seen.Deployments = seen.Deployments[:1]
	seen.Deployments[0].State = Completed
	for _, id := range []TaskID{"t1", "t2"} {
		seen.Tasks = append(seen.Tasks, Task{ID: id, Revision: "web:2", Deployment: "D1", Status: TaskRunning, Health: Healthy})
		seen.Targets = append(seen.Targets, TargetHealth{Task: id, Group: "web", ID: string(id), Port: 80, State: TargetHealthy})
	}
	for _, change := range changes {
		change(&seen)
	}
	return seen
}

// back is the service when D2 has restored what D0 ran.
func back() Observed {
	seen := done()
	seen.Deployments[0] = Deployment{ID: "D2", Primary: true, State: Completed, Revision: "web:1", Desired: 2, Running: 2, Created: noon.Add(time.Minute)}
	for i := range seen.Tasks {
		seen.Tasks[i].Revision = "web:1"
	}
	return seen
}

func stopped(task TaskID, cause Cause) Evidence {
	return Evidence{Kind: TaskStopped, New: true, Task: task, Points: cause, Text: "Essential container in task exited"}
}

func crash(task TaskID, code int) []Evidence {
	return []Evidence{
		stopped(task, ""),
		{Kind: ContainerExit, New: true, Task: task, Container: "web", Essential: true, ExitCode: &code, Points: Crash, Text: "Essential container in task exited"},
	}
}

func kinds(steps []Step) []StepKind {
	var all []StepKind
	for _, s := range steps {
		all = append(all, s.Kind)
	}
	return all
}
