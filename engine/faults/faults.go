// Package faults says which faults are in force in an engine, and what they hit.
//
// A fault is something that goes wrong on purpose: requests that fail, wait or are throttled, images that cannot be pulled,
// a full disk, a lost instance or zone, a container that stands still. This room only keeps the list and decides; others
// make it come true. Time comes in as values.
package faults

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// Kind is what a fault does.
type Kind string

// The kinds of faults.
const (
	Fail     Kind = "fail"     // requests are answered with an error
	Delay    Kind = "delay"    // requests wait before they are served
	Throttle Kind = "throttle" // requests are refused as when there were too many
	Kill     Kind = "kill"     // a container instance, or all of a zone, is gone
	Pull     Kind = "pull"     // images cannot be pulled
	Disk     Kind = "disk"     // instances have no space left to make a container
	Freeze   Kind = "freeze"   // containers stand still

	Interrupt Kind = "interrupt" // tasks on FARGATE_SPOT are interrupted
)

// Kinds are all of them, as help lists them.
var Kinds = []Kind{Fail, Delay, Throttle, Kill, Pull, Disk, Freeze, Interrupt}

// Cause is why an image cannot be pulled.
type Cause string

// The causes.
const (
	Missing     Cause = "missing"     // its registry does not have it
	Denied      Cause = "denied"      // its registry does not give it to everybody
	Unavailable Cause = "unavailable" // its registry does not answer
)

// Fault is one fault. Which members count depends on its kind; those that don't must be empty.
type Fault struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// what it is about: for requests a pattern of SERVICE:OPERATION; for pull one of image references; for
	// disk one of container instance ids; for kill an instance or a zone; for freeze and interrupt a task or a
	// service. "*" in a
	// pattern is any characters, "?" one.
	Target string `json:"target"`

	Error        string  `json:"error,omitempty"`        // fail: the error's code
	Message      string  `json:"message,omitempty"`      // fail: what the error says
	Status       int     `json:"status,omitempty"`       // fail: of HTTP
	DelaySeconds float64 `json:"delaySeconds,omitempty"` // delay
	Cause        Cause   `json:"cause,omitempty"`        // pull
	Cluster      string  `json:"cluster,omitempty"`      // kill, freeze, interrupt: where the target is; empty: for kill anywhere, else default
	Container    string  `json:"container,omitempty"`    // freeze: only this one of a task
	Tasks        int     `json:"tasks,omitempty"`        // freeze, interrupt: at most so many of a service; 0: all

	Percent    int     `json:"percent,omitempty"`    // of what it could hit, evenly spread; 0: all
	Count      int     `json:"count,omitempty"`      // it ends when it has hit so often; 0: it doesn't
	ForSeconds float64 `json:"forSeconds,omitempty"` // it ends so long after it began; 0: it doesn't

	Since time.Time `json:"since"`
	// Hits is how often it has come true: requests, pulls, creations of containers; instances that were lost, containers that
	// stand still.
	Hits     int      `json:"hits"`
	Affected []string `json:"affected"` // kill: ids of the instances; freeze: TASK/CONTAINER; interrupt: ids of the tasks
}

// Ends returns when the fault ends by itself; zero: it doesn't.
func (f Fault) Ends() time.Time {
	if f.ForSeconds == 0 {
		return time.Time{}
	}
	return f.Since.Add(seconds(f.ForSeconds))
}

// Wait returns how long a request waits.
func (f Fault) Wait() time.Duration { return seconds(f.DelaySeconds) }

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// Set holds the faults in force. It may be used by several goroutines; the zero value is empty.
type Set struct {
	mu     sync.Mutex
	last   int // number of the last fault
	active []*active
}

// active is a fault in force.
type active struct {
	Fault
	pattern pattern
	met     map[string]int // how often each subject came by, where the fault is for some of them
}

// Add puts a fault in force and returns it as it is listed, with its id: fault-1 and so on. Check it first.
func (s *Set) Add(f Fault, now time.Time) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	f.ID, f.Since, f.Hits = "fault-"+strconv.Itoa(s.last), now, len(f.Affected)
	if f.Affected == nil {
		f.Affected = []string{}
	}
	s.active = append(s.active, &active{Fault: f, pattern: compile(f.Target), met: map[string]int{}})
	return f
}

// List returns the faults in force, the oldest first.
func (s *Set) List(now time.Time) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	list := []Fault{}
	for _, a := range s.active {
		list = append(list, a.Fault)
	}
	return list
}

// Remove takes faults out of force and returns those that were.
func (s *Set) Remove(ids ...string) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var removed []Fault
	s.active = slices.DeleteFunc(s.active, func(a *active) bool {
		if !slices.Contains(ids, a.ID) {
			return false
		}
		removed = append(removed, a.Fault)
		return true
	})
	return removed
}

// Hit returns the faults of these kinds that hit a subject now, and counts that: a request's SERVICE:OPERATION, an image's
// reference, the id of the container instance that a container is made on. A fault for some percent of them takes them
// evenly spread, each operation counted by itself, so that what happens is the same each time.
func (s *Set) Hit(subject string, now time.Time, kinds ...Kind) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.active) == 0 {
		return nil
	}
	s.expire(now)
	var hits []Fault
	for _, a := range s.active {
		if slices.Contains(kinds, a.Kind) && a.hits(subject) {
			hits = append(hits, a.Fault)
		}
	}
	return hits
}

// hits decides whether the fault hits the subject this time.
func (a *active) hits(subject string) bool {
	if !a.pattern.matches(subject) || a.Count > 0 && a.Hits >= a.Count {
		return false
	}
	if a.Percent > 0 {
		a.met[subject]++
		n := a.met[subject]
		if n*a.Percent/100 == (n-1)*a.Percent/100 {
			return false
		}
	}
	a.Hits++
	return true
}

// expire drops what has ended: its time is over, or it has hit as often as it was to. What must be undone when it ends
// stays until it is removed.
func (s *Set) expire(now time.Time) {
	s.active = slices.DeleteFunc(s.active, func(a *active) bool {
		if a.Kind == Kill || a.Kind == Freeze {
			return false
		}
		ends := a.Ends()
		return a.Count > 0 && a.Hits >= a.Count || !ends.IsZero() && !now.Before(ends)
	})
}
