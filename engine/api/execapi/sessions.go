// Package execapi lets somebody talk with a command in a container: the sessions that ExecuteCommand opens, served as
// Session Manager serves them.
package execapi

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
)

// Path is where sessions are served; the session's id follows.
const Path = "/v1/data-channel/"

// patience is how long a session waits for its client.
const patience = time.Minute

// Attach runs a command in a container, as runtime.Runtime does.
type Attach func(ctx context.Context, name runtime.Name, s runtime.Session) (int, error)

// Sessions are the sessions that were opened and not yet begun. They are not kept when the engine ends.
type Sessions struct {
	run    Attach
	logger *slog.Logger

	mu      sync.Mutex
	waiting map[string]*session
}

// session is a command that somebody may begin to talk with.
type session struct {
	id, token string
	name      runtime.Name
	argv      []string
	expires   time.Time
}

// New returns no sessions yet. The logger may be nil.
func New(run Attach, logger *slog.Logger) *Sessions {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Sessions{run: run, logger: logger, waiting: map[string]*session{}}
}

// Open opens a session for a command in a container of a task, and returns its id and the token that whoever begins it must
// show. It returns a fault of the kind Invalid for a command that cannot be read.
func (s *Sessions) Open(task state.TaskID, container, command string) (id, token string, err error) {
	argv, err := words(command)
	if err != nil {
		return "", "", err
	}
	one := &session{
		id: "ecs-execute-command-" + strings.ToLower(rand.Text()), token: rand.Text() + rand.Text(),
		name: lifecycle.Name(task, container), argv: argv, expires: time.Now().Add(patience),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, old := range s.waiting {
		if time.Now().After(old.expires) {
			delete(s.waiting, id)
		}
	}
	s.waiting[one.id] = one
	return one.id, one.token, nil
}

// take hands out a session once, to whoever has its token.
func (s *Sessions) take(id, token string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.waiting[id]
	if one == nil || time.Now().After(one.expires) || subtle.ConstantTimeCompare([]byte(one.token), []byte(token)) == 0 {
		return nil
	}
	delete(s.waiting, id)
	return one
}
