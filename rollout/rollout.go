// Package rollout compares what should run with what does; it returns the steps that remain, the verdict, the diagnosis.
//
// It computes from values and touches nothing: whoever carries a rollout out looks at the scheduler, asks Next, performs
// the first step, notes what came of it with After and Remember, and looks again. Plans, tests, recovery after a kill
// and the real thing are all performers of the same answer.
package rollout

import (
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/descriptor"
)

// The names that a scheduler gives to its things. Rollout only compares them.
type (
	ClusterName  string
	ServiceName  string
	Family       string // what the revisions of one service's task definition have in common
	RevisionID   string // one registered task definition (Amazon ECS: its ARN)
	DeploymentID string
	TaskID       string
)

// Documents are the published descriptors of one version, byte for byte.
type Documents map[descriptor.Kind][]byte

// Depth says how closely to look at a service. What costs more calls is asked for only when it can change the answer.
type Depth uint8

// The depths, to be combined. Glance is always included: the service, its deployments and its events.
const (
	Glance    Depth = 0
	Tasks     Depth = 1 << iota // its tasks, and the load balancers' word on them
	Past                        // the proven deployments, and the last failure
	Records                     // which revisions those ran
	Addresses                   // where its load balancers are reached

	TasksWhenSettled     // Tasks, if its deployments have come to their end: Observed.Ref.Depth says whether it was so
	AddressesWhenSettled // Addresses, likewise
)

// Settle returns the depth for a service whose deployments have come to their end.
func (d Depth) Settle() Depth {
	for when, what := range map[Depth]Depth{TasksWhenSettled: Tasks, AddressesWhenSettled: Addresses} {
		if d.Has(when) {
			d |= what
		}
	}
	return d
}

// Has reports whether all of what is in d is asked for.
func (d Depth) Has(other Depth) bool { return d&other == other }

// ServiceRef names a service, and says what an observer has to compare it with and how closely to look.
type ServiceRef struct {
	Cluster ClusterName `json:"cluster"`
	Service ServiceName `json:"service"`
	Family  Family      `json:"family,omitempty"`
	Wanted  Documents   `json:"-"` // what should run; empty when nothing is to be compared
	Depth   Depth       `json:"-"`

	Deployment DeploymentID `json:"-"` // what counts as new in Evidence; empty: the primary deployment
}

// Desired is what should run, and how far this rollout has come with it.
type Desired struct {
	Ref      ServiceRef
	Version  string
	Force    bool    // start a new deployment though nothing has changed
	Checks   []Check // what has to pass once everything runs, in their order
	Progress Progress
}

// Document returns the published document of a kind, or nil.
func (d Desired) Document(kind descriptor.Kind) []byte { return d.Ref.Wanted[kind] }

// Check has to pass before a rollout counts as proven: a request that must be answered as expected, a command that must
// succeed, or alarms that must not sound.
type Check struct {
	URL     string        `json:"url,omitempty"`     // ${loadBalancer} stands for the address of the service's load balancer
	Status  int           `json:"status,omitempty"`  // that must be answered; 0: 200
	Body    string        `json:"body,omitempty"`    // what the answer must contain; empty: anything
	Command []string      `json:"command,omitempty"` // a program and its arguments; ${loadBalancer} as above
	Alarms  []string      `json:"alarms,omitempty"`  // names
	Timeout time.Duration `json:"-"`                 // how long one answer, or the command, may take
}

// Alarm is the state of an alarm.
type Alarm struct {
	Sounds bool
	Why    string // as whoever watches the metric puts it
}

// LoadBalancer is how a check names the service's load balancer, whose address is known only once it is there.
const LoadBalancer = "${loadBalancer}"

// String tells what is checked, on one line.
func (c Check) String() string {
	switch {
	case len(c.Command) > 0:
		return strings.Join(c.Command, " ")
	case len(c.Alarms) > 0:
		return "alarms " + strings.Join(c.Alarms, ", ")
	}
	return c.URL
}

// Locatable reports that the check is about the service's load balancer.
func (c Check) Locatable() bool {
	return strings.Contains(c.URL, LoadBalancer) || slices.ContainsFunc(c.Command, func(w string) bool { return strings.Contains(w, LoadBalancer) })
}

// Located returns the check with the first of the addresses in it; as it is written, while there is none.
func (c Check) Located(addresses []string) Check {
	if len(addresses) == 0 {
		return c
	}
	c.URL = strings.ReplaceAll(c.URL, LoadBalancer, addresses[0])
	c.Command = slices.Clone(c.Command)
	for i := range c.Command {
		c.Command[i] = strings.ReplaceAll(c.Command[i], LoadBalancer, addresses[0])
	}
	return c
}

// Policy is how a rollout is done. Durations of zero mean the defaults of DefaultPolicy, except Bake.
type Policy struct {
	Timeout         time.Duration // how long the rollout may take until it is proven
	RollbackTimeout time.Duration // how long undoing it may take
	Bake            time.Duration // how long it must stay proven before that counts
	Rollback        bool          // undo what failed
	CheckPatience   time.Duration // how long checks may fail, once everything runs, before the rollout has failed
	Stall           time.Duration // how long tasks may find no place while old ones hold theirs
	NoPlace         time.Duration // the same when no old task is left whose place they could take
}

// DefaultPolicy is what holds where nobody said otherwise. Stall is longer than the 300 s that Elastic Load Balancing
// takes by default to drain a target whose port the new task may be waiting for.
func DefaultPolicy() Policy {
	return Policy{
		Timeout: 20 * time.Minute, RollbackTimeout: 20 * time.Minute, Rollback: true,
		CheckPatience: 30 * time.Second, Stall: 6 * time.Minute, NoPlace: 30 * time.Second,
	}
}

// Filled returns the policy with its defaults in place of zero durations.
func (p Policy) Filled() Policy {
	d := DefaultPolicy()
	for _, f := range []struct{ have, want *time.Duration }{
		{&p.Timeout, &d.Timeout},
		{&p.RollbackTimeout, &d.RollbackTimeout},
		{&p.CheckPatience, &d.CheckPatience},
		{&p.Stall, &d.Stall},
		{&p.NoPlace, &d.NoPlace},
	} {
		if *f.have <= 0 {
			*f.have = *f.want
		}
	}
	return p
}

// Reason is why something was decided, in a user's words. The text is stable: it holds no times.
type Reason string
