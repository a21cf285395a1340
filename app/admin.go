package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// The engine's own paths. They are no paths of any AWS service.
const (
	StatusPath = "/_slipway/status"
	stopPath   = "/_slipway/stop"
	resetPath  = "/_slipway/reset"
	faultsPath = "/_slipway/faults" // and below it one of them, by its id
)

// adminHeader must be set on requests that change something: a web page that somebody visits cannot set it unasked.
const adminHeader = "X-Slipway-Admin"

// withAdmin serves the engine's own paths in front of those of AWS.
func (e *Engine) withAdmin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, id, one := strings.Cut(r.URL.Path, faultsPath+"/")
		switch {
		case r.URL.Path == StatusPath:
			answer(w, e.Status())
		case r.URL.Path == stopPath:
			e.stopOver(w, r)
		case r.URL.Path == resetPath:
			e.resetOver(w, r)
		case r.URL.Path == faultsPath:
			e.faultsOver(w, r)
		case one && path == "" && id != "":
			e.faultsOver(w, r, id)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// permitted reports whether a request may change something; if not, it has been answered.
func permitted(w http.ResponseWriter, r *http.Request, method string) bool {
	if r.Method == method && r.Header.Get(adminHeader) != "" {
		return true
	}
	http.Error(w, method+" with the header "+adminHeader, http.StatusForbidden)
	return false
}

func (e *Engine) stopOver(w http.ResponseWriter, r *http.Request) {
	if !permitted(w, r, http.MethodPost) {
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
	if err := call(ctx, method, endpoint, path, nil, &s); err != nil {
		return s, err
	}
	if s.Endpoint == "" {
		return s, noEngine(endpoint)
	}
	return s, nil
}

// call sends a document to an engine, if there is one, and reads the one that it answers with.
func call(ctx context.Context, method, endpoint, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, endpoint+path, body)
	if err != nil {
		return fault.New(fault.Invalid, "cannot ask %q: %w", endpoint, err)
	}
	req.Header.Set(adminHeader, "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fault.New(fault.Unavailable, "no engine answers at %s: %w", endpoint, err).WithHint("start one with `slipway engine start`")
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return failureFrom(resp.Body, endpoint)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return noEngine(endpoint)
	}
	return nil
}

func noEngine(endpoint string) error {
	return fault.New(fault.Unavailable, "what answers at %s is no Slipway engine", endpoint).WithHint("give its address with --endpoint-url")
}
