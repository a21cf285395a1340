package scripted

import (
	"slices"
	"time"
)

// Label is the Docker label that a container's script is read from. A container without it runs until it is stopped.
const Label = "slipway.script"

// Script is what a container pretends. All durations are as written, before they are divided by the runtime's speed.
//
// A script is a list of statements, separated by semicolons or line ends:
//
//	create fails "no space left on device"      Create returns this error
//	start 2s                                    Start takes that long
//	start fails "exec format error"             Start returns this error; a duration may stand before "fails"
//	run 30s                                     the container ends by itself so long after its start; without it, or an
//	                                            end, it runs until it is stopped
//	exit 3 · signal 9 · oom                     how it ends by itself: code (0 unless said), signal, out of memory;
//	                                            without run, at once
//	stop 2s exit 3                              SIGTERM ends it so much later (at once unless said) with that code (0)
//	stop ignores                                SIGTERM does nothing; it takes the SIGKILL after the grace
//	healthy [after 5s] · unhealthy [after 60s]  what a health check says from then on; the newest counts. Before the
//	                                            first it says the opposite; without any it says healthy
//	log "text" [after 2s] [every 10s]           a line on standard output
//	error "text" [after 2s] [every 10s]         a line on standard error
//	answer 503 [on /path] [after 10s]           what Probe says from then on, everywhere or on one path; 200 unless said
//	refuse [after 10s]                          connections are refused from then on, until a later answer
//
// Times after "after" count from the container's start.
type Script struct {
	CreateFails string
	StartTakes  time.Duration
	StartFails  string
	Ends        bool // by itself
	Run         time.Duration
	ExitCode    int
	OutOfMem    bool
	StopIgnored bool
	StopTakes   time.Duration
	StopCode    int
	Health      []Turn // sorted by time
	Output      []Print
	Answers     []Answer // sorted by time
}

// Turn is a change of health.
type Turn struct {
	After   time.Duration
	Healthy bool
}

// Print is a line that is printed once or again and again.
type Print struct {
	After, Every time.Duration
	Stderr       bool
	Text         string
}

// Answer is a change of what a request is answered with; status 0 refuses the connection.
type Answer struct {
	After  time.Duration
	Path   string // empty: any
	Status int
}

// healthyAt tells what a health check says so long after the start.
func (s *Script) healthyAt(age time.Duration) bool {
	if len(s.Health) == 0 {
		return true
	}
	healthy := !s.Health[0].Healthy
	for _, turn := range s.Health {
		if turn.After <= age {
			healthy = turn.Healthy
		}
	}
	return healthy
}

// answerAt tells what a request is answered with so long after the start. Of two statements the later in time counts; of
// two of the same time the one for the path, then the later written.
func (s *Script) answerAt(path string, age time.Duration) int {
	status, exact, at := 200, false, time.Duration(-1)
	for _, a := range s.Answers {
		if a.After > age || a.Path != "" && a.Path != path {
			continue
		}
		if a.After == at && exact && a.Path == "" {
			continue
		}
		status, exact, at = a.Status, a.Path != "", a.After
	}
	return status
}

func (s *Script) sort() {
	slices.SortStableFunc(s.Health, func(a, b Turn) int { return int(min(max(a.After-b.After, -1), 1)) })
	slices.SortStableFunc(s.Answers, func(a, b Answer) int { return int(min(max(a.After-b.After, -1), 1)) })
}
