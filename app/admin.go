package app

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// The engine's own paths. They are no paths of any AWS service.
const (
	StatusPath = "/_slipway/status"
	stopPath   = "/_slipway/stop"
)

// adminHeader must be set on requests that change something: a web page that somebody visits cannot set it unasked.
const adminHeader = "X-Slipway-Admin"

// withAdmin serves the engine's own paths in front of those of AWS.
func (e *Engine) withAdmin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case StatusPath:
			answer(w, e.Status())
		case stopPath:
			e.stopOver(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (e *Engine) stopOver(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.Header.Get(adminHeader) == "" {
		http.Error(w, "POST with the header "+adminHeader, http.StatusForbidden)
		return
	}
	answer(w, e.Status())
	select {
	case e.stopAsked <- r.URL.Query().Get("clear") == "true":
	default: // somebody has asked already
	}
}

// StopAsked tells when somebody asks the engine to stop, and whether its containers are to go as well. The owner of the
// engine decides what becomes of that.
func (e *Engine) StopAsked() <-chan bool { return e.stopAsked }

// AskEngine asks the engine at an endpoint about itself.
func AskEngine(ctx context.Context, endpoint string) (EngineStatus, error) {
	return ask(ctx, http.MethodGet, endpoint, StatusPath)
}

// StopEngine asks the engine at an endpoint to stop, and waits until it is gone.
func StopEngine(ctx context.Context, endpoint string, clean bool) (EngineStatus, error) {
	path := stopPath
	if clean {
		path += "?clear=true"
	}
	s, err := ask(ctx, http.MethodPost, endpoint, path)
	if err != nil {
		return s, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if !alive(s.PID) {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, fault.New(fault.Timeout, "the engine at %s (process %d) does not stop", endpoint, s.PID)
		case <-tick.C:
		}
	}
}

func ask(ctx context.Context, method, endpoint, path string) (EngineStatus, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var s EngineStatus
	req, err := http.NewRequestWithContext(ctx, method, endpoint+path, http.NoBody)
	if err != nil {
		return s, fault.New(fault.Invalid, "cannot ask %q: %w", endpoint, err)
	}
	req.Header.Set(adminHeader, "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, fault.New(fault.Unavailable, "no engine answers at %s: %w", endpoint, err).WithHint("start one with `slipway engine start`")
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil || s.Endpoint == "" {
		return s, fault.New(fault.Unavailable, "what answers at %s is no Slipway engine", endpoint).WithHint("give its address with --endpoint-url")
	}
	return s, nil
}
