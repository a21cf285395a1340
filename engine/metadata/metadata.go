// Package metadata tells containers about their tasks, and gives their programs credentials: what AWS serves to a task's
// containers at 169.254.170.2.
package metadata

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/state"
)

// Handler serves the task metadata endpoint version 4 and the credentials of tasks. A container is known by the id in the
// path, which it gets in its environment, not by its address.
// [ECS guide, "Amazon ECS task metadata endpoint version 4"]
func Handler(e *engine.Engine) http.Handler {
	s := &server{e}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v4/{id}", s.of(func(v view) (any, error) { return v.container(v.name), nil }))
	mux.HandleFunc("GET /v4/{id}/task", s.of(func(v view) (any, error) { return v.whole(false), nil }))
	mux.HandleFunc("GET /v4/{id}/taskWithTags", s.of(func(v view) (any, error) { return v.whole(true), nil }))
	mux.HandleFunc("GET /v4/{id}/stats", s.of(view.stats))
	mux.HandleFunc("GET /v4/{id}/task/stats", s.of(view.allStats))
	mux.HandleFunc("GET "+lifecycle.CredentialsPath+"{task}", s.credentials)
	return mux
}

type server struct{ engine *engine.Engine }

// of answers with what is said of the container in the path.
func (s *server) of(say func(view) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := s.find(r)
		if !ok {
			refuse(w, http.StatusNotFound, "V4 metadata handler: unable to get the container for the request: unknown id")
			return
		}
		said, err := say(v)
		if err != nil {
			refuse(w, http.StatusInternalServerError, "V4 metadata handler: "+err.Error())
			return
		}
		answer(w, said)
	}
}

func (s *server) find(r *http.Request) (view, bool) {
	id := r.PathValue("id")
	task, _, _ := strings.Cut(id, "-")
	snap := s.engine.DB().Read()
	t, ok := snap.Task(state.TaskID(task))
	if !ok {
		return view{}, false
	}
	d, ok := snap.TaskDefinition(t.TaskDefinition)
	if !ok {
		return view{}, false
	}
	for _, c := range t.Containers {
		if lifecycle.MetadataID(t.ID, c.Name) == id {
			return view{r.Context(), s.engine, snap, t, d, c.Name}, true
		}
	}
	return view{}, false
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // whoever asked has gone
}

// refuse answers as the agent does: a text as JSON.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(message)
}
