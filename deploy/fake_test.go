package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// scheduler is a Target of a few lines: it brings two tasks of the wanted revision up in the time it is told to, or
// crashes them.
type scheduler struct {
	exists      bool
	running     rollout.RevisionID
	newest      rollout.RevisionID
	primary     rollout.DeploymentID
	since       time.Time // when the primary deployment was made
	takes       time.Duration
	crashes     map[rollout.RevisionID]bool
	breaker     time.Duration // after so long it goes back to the deployment before by itself; 0: never
	before      rollout.DeploymentID
	undoing     bool
	ids         int
	proven      []rollout.Proof
	performed   []rollout.StepKind
	looks       map[rollout.Depth]int
	evidence    int
	unavailable int  // so many calls in a row fail
	throttled   int  // so many calls in a row are asked to come again
	broken      bool // rolling back is refused
}

const wantedRevision = "web:2"

// newScheduler has run web:1 for an hour.
func newScheduler() *scheduler {
	return &scheduler{
		exists: true, running: "web:1", newest: "web:1", primary: "D0", since: time.Now().Add(-time.Hour), takes: 20 * time.Second,
		crashes: map[rollout.RevisionID]bool{}, proven: []rollout.Proof{{Deployment: "D0", Revision: "web:1"}}, looks: map[rollout.Depth]int{},
	}
}

func wanted() rollout.Desired {
	return rollout.Desired{Version: "1.0.16.RELEASE", Ref: rollout.ServiceRef{
		Cluster: "qa", Service: "web", Family: "web", Wanted: rollout.Documents{
			descriptor.TaskDefinition:    []byte(`{"family":"web"}`),
			descriptor.ServiceDefinition: []byte(`{"serviceName":"web"}`),
			descriptor.ServiceUpdate:     []byte(`{"service":"web"}`),
		},
	}}
}

func (s *scheduler) fails() error {
	if s.throttled > 0 {
		s.throttled--
		return fault.New(fault.Throttled, "cannot look at service %q: rate exceeded", "web")
	}
	if s.unavailable > 0 {
		s.unavailable--
		return fault.New(fault.Unavailable, "cannot look at service %q: busy", "web")
	}
	return nil
}

func (s *scheduler) Observe(_ context.Context, refs []rollout.ServiceRef) ([]rollout.Observed, error) {
	if err := s.fails(); err != nil {
		return nil, err
	}
	ref := refs[0]
	s.looks[ref.Depth]++
	seen := rollout.Observed{Ref: ref, At: time.Now(), Status: rollout.Missing}
	seen.Newest = s.revision(s.newest)
	if !s.exists {
		return []rollout.Observed{seen}, nil
	}
	if s.breaker > 0 && s.crashes[s.running] && time.Since(s.since) >= s.breaker {
		s.primary, s.running, s.since, s.undoing = s.before, "web:1", time.Now(), true
	}
	seen.Status, seen.Raw = rollout.Active, []byte(`{"serviceName":"web"}`)
	seen.Running = s.revision(s.running)
	up := 0
	switch age := time.Since(s.since); {
	case s.crashes[s.running]:
		seen.Trouble = int(age / (5 * time.Second))
	case age >= s.takes:
		up = 2
	case age >= s.takes/2:
		up = 1
	}
	d := rollout.Deployment{ID: s.primary, Primary: true, State: rollout.InProgress, Revision: s.running, Desired: 2, Running: up, Pending: 2 - up, Created: s.since, Undoes: s.undoing}
	seen.Deployments = []rollout.Deployment{d}
	if up == 2 {
		seen.Deployments[0].State = rollout.Completed
	} else {
		seen.Deployments = append(seen.Deployments, rollout.Deployment{ID: "old", State: rollout.Completed, Revision: "web:1", Running: 2 - up, Created: s.since.Add(-time.Minute)})
	}
	if rollout.Settled(seen) {
		seen.Ref.Depth = ref.Depth.Settle()
	}
	for i := range up {
		seen.Tasks = append(seen.Tasks, rollout.Task{ID: rollout.TaskID(fmt.Sprint("t", i)), Revision: s.running, Status: rollout.TaskRunning, Health: rollout.Unchecked, Started: s.since})
	}
	seen.Proven = s.proven
	seen.Addresses = []string{"balancer:8000"}
	return []rollout.Observed{seen}, nil
}

func (s *scheduler) revision(id rollout.RevisionID) *rollout.Revision {
	r := &rollout.Revision{ID: id}
	if id != wantedRevision {
		r.Differs = []rollout.Difference{{Path: "containerDefinitions[web].image"}}
	}
	return r
}

func (s *scheduler) Perform(_ context.Context, step rollout.Step) (rollout.Receipt, error) {
	if err := s.fails(); err != nil {
		return rollout.Receipt{}, err
	}
	s.performed = append(s.performed, step.Kind)
	switch step.Kind {
	case rollout.Register:
		s.newest = wantedRevision
		return rollout.Receipt{Revision: wantedRevision}, nil
	case rollout.Create, rollout.Update:
		s.running = step.Revision
	case rollout.Rollback:
		if s.broken {
			return rollout.Receipt{}, fault.New(fault.Denied, "cannot roll back: not authorized")
		}
		s.running = step.To.Revision
	}
	s.exists = true
	s.ids++
	s.before, s.primary, s.since = s.primary, rollout.DeploymentID(fmt.Sprint("D", s.ids)), time.Now()
	return rollout.Receipt{Deployment: s.primary}, nil
}

func (s *scheduler) Evidence(_ context.Context, _ rollout.ServiceRef, _ time.Time) ([]rollout.Evidence, error) {
	s.evidence++
	if !s.crashes[s.running] && !s.undoing {
		return nil, nil
	}
	code := 1
	var all []rollout.Evidence
	crashed := int(time.Since(s.since) / (5 * time.Second))
	if s.undoing {
		crashed = 1
	}
	for i := range crashed {
		task := rollout.TaskID(fmt.Sprint("x", i))
		all = append(all,
			rollout.Evidence{Kind: rollout.TaskStopped, New: true, Task: task, Text: "Essential container in task exited"},
			rollout.Evidence{Kind: rollout.ContainerExit, New: true, Task: task, Container: "web", ExitCode: &code, Points: rollout.Crash})
	}
	return all, nil
}
