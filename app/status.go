package app

import (
	"cmp"
	"fmt"
	"os"
	"time"
)

// EngineStatus is what an engine tells about itself.
type EngineStatus struct {
	Endpoint string    `json:"endpoint"` // URL of the APIs
	PID      int       `json:"pid"`      // of its process
	Dir      string    `json:"dir"`      // where its state is kept
	Runtime  string    `json:"runtime"`  // what runs the containers, in words
	Speed    float64   `json:"speed"`    // what AWS's waits are divided by
	Started  time.Time `json:"started"`
	Clusters int       `json:"clusters"` // that are active
	Services int       `json:"services"` // that are active
	Tasks    int       `json:"tasks"`    // that are alive
	Limits   Limits    `json:"limits"`   // how often clients may call
	Faults   int       `json:"faults"`   // that are in force
	Problems []string  `json:"problems"` // that an operator should know of
}

// Survivors returns how many tasks go on running when the engine stops: those that are alive, but for scripted ones,
// which end with it.
func (e *Engine) Survivors() int {
	if e.engine.Runtime().Kind() == string(Scripted) {
		return 0
	}
	return e.Status().Tasks
}

// Status tells about the engine.
func (e *Engine) Status() EngineStatus {
	s := EngineStatus{
		Endpoint: e.Endpoint(), PID: os.Getpid(), Dir: e.options.Dir, Runtime: e.words, Speed: e.options.speed(),
		Started: e.started, Limits: cmp.Or(e.options.Limits, NoLimits), Faults: len(e.Faults()), Problems: []string{},
	}
	snap := e.engine.DB().Read()
	for c := range snap.Clusters() {
		if c.Doc.Status != nil && *c.Doc.Status == "ACTIVE" {
			s.Clusters++
		}
	}
	for svc := range snap.AllServices() {
		if svc.Doc.Status != nil && *svc.Doc.Status == "ACTIVE" {
			s.Services++
		}
	}
	for t := range snap.AllTasks() {
		if t.Alive() {
			s.Tasks++
		}
	}
	for _, p := range e.balance.Problems() {
		s.Problems = append(s.Problems, fmt.Sprintf("cannot listen on %s for load balancer %s: %v", p.Address, p.Balancer, p.Err))
	}
	return s
}
