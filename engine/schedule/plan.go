// Package schedule decides which tasks a service starts, stops and places next, as the ECS service scheduler does.
//
// It reads a snapshot and returns a plan; it performs nothing. The engine applies a plan in one write, together with
// the snapshot that it was made from, so no two plans ever contend.
package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// Pace holds the waits that AWS fixes, already divided by the engine's speed.
type Pace struct {
	Pass       time.Duration // between two looks at the same service: 10 s on AWS
	Settle     time.Duration // RUNNING until a task without checks counts as healthy: 40 s on AWS
	BackOff    time.Duration // the first wait after a task that never ran; doubles
	BackOffMax time.Duration // 27 min on AWS
	Quiet      time.Duration // how long an identical event is not repeated: 6 h on AWS
	Speed      float64       // for durations that documents name: grace periods, deregistration delays
}

// NewPace returns AWS's waits divided by speed (1 is AWS's own pace).
func NewPace(speed float64) Pace {
	div := func(d time.Duration) time.Duration { return time.Duration(float64(d) / speed) }
	return Pace{
		Pass: div(10 * time.Second), Settle: div(40 * time.Second),
		BackOff: div(15 * time.Second), BackOffMax: div(27 * time.Minute),
		Quiet: div(6 * time.Hour), Speed: speed,
	}
}

// Plan is what one pass over a service wants done, all of it at once.
type Plan struct {
	Start      []Start
	Stop       []Stop
	Register   []*state.Target // to be put
	Deregister []*state.Target // to be put, with Draining set
	Settle     []state.TaskID  // stopped tasks whose consequences this plan contains
	Healthy    []state.TaskID  // tasks that count as healthy for the first time

	Service            *state.Service             // changed copy; nil: unchanged
	Traffic            []state.Record             // changed copies of listener rules, and of listeners with them
	Deployments        []*state.Deployment        // changed copies
	ServiceDeployments []*state.ServiceDeployment // changed copies
	TaskSets           []*state.TaskSet           // changed copies
	Ended              []*state.TaskSet           // those that are no more
	Events             []string                   // texts, in the order they happened; see Texts

	// Again is when to look again even if nothing changes; zero: only when something does.
	Again time.Time
}

// Start is a task to be started: a deployment's next one, at its place. The engine gives it its identifiers.
type Start struct {
	Deployment state.DeploymentID
	Place      Place
}

// Place is where a task goes and what it takes up there.
type Place struct {
	Instance state.InstanceID // empty on Fargate
	Zone     string
	CPU      int
	Memory   int
	Ports    []state.HostPort // fixed and dynamic host ports, in the order of the task definition's port mappings
	GPUs     []string         // ids of the instance's GPUs that its containers get, in their order
	Provider string           // the capacity provider that was asked; empty without a strategy
}

// Stop is a task whose desired status becomes STOPPED.
type Stop struct {
	Task   state.TaskID
	Code   types.TaskStopCode
	Reason string
}

// Empty reports whether the plan changes nothing.
func (p Plan) Empty() bool {
	return len(p.Start)+len(p.Stop)+len(p.Register)+len(p.Deregister)+len(p.Settle)+len(p.Healthy)+
		len(p.Traffic)+len(p.Deployments)+len(p.ServiceDeployments)+len(p.TaskSets)+len(p.Ended)+len(p.Events) == 0 && p.Service == nil
}

// startRef stands in an event for the identifier of the task that Plan.Start[i] becomes.
func startRef(i int) string { return fmt.Sprintf(startMark+"%d}", i) }

const startMark = "{start "

// WithoutStarts returns the plan with nothing started, and nothing told of it.
func (p Plan) WithoutStarts() Plan {
	p.Start = nil
	p.Events = slices.DeleteFunc(slices.Clone(p.Events), func(text string) bool { return strings.Contains(text, startMark) })
	return p
}

// Texts returns the events as they are told: with the identifiers that the engine gave to the tasks of Start, in the
// order of Start.
func (p Plan) Texts(started []state.TaskID) []string {
	pairs := make([]string, 0, 2*len(started))
	for i, id := range started {
		pairs = append(pairs, startRef(i), string(id))
	}
	fill := strings.NewReplacer(pairs...)
	texts := make([]string, len(p.Events))
	for i, text := range p.Events {
		texts[i] = fill.Replace(text)
	}
	return texts
}
