package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/fault"
)

// failure is what the engine's own paths answer in place of a document.
type failure struct {
	Error struct {
		Kind    fault.Kind `json:"kind"`
		Message string     `json:"message"`
		Hint    string     `json:"hint,omitempty"`
	} `json:"error"`
}

// statusOf are the statuses of HTTP for kinds of errors; 500 for others.
var statusOf = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Refused: http.StatusConflict,
	fault.Unavailable: http.StatusServiceUnavailable,
}

func fail(w http.ResponseWriter, err error) {
	var f failure
	f.Error.Kind, f.Error.Message, f.Error.Hint = fault.KindOf(err), err.Error(), fault.HintOf(err)
	status, ok := statusOf[f.Error.Kind]
	if !ok {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(f)
}

// failureFrom reads what fail has written.
func failureFrom(body io.Reader, endpoint string) error {
	var f failure
	if err := json.NewDecoder(body).Decode(&f); err != nil || f.Error.Message == "" {
		return noEngine(endpoint)
	}
	return &fault.Error{Kind: f.Error.Kind, Message: f.Error.Message, Hint: f.Error.Hint}
}

// reply answers with a document, or with an error.
func reply(w http.ResponseWriter, v any, err error) {
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, v)
}

// mostOfFault bounds the document that describes a fault.
const mostOfFault = 64 << 10

// faultsOver lists the faults, adds one, and clears those that are named, or all.
func (e *Engine) faultsOver(w http.ResponseWriter, r *http.Request, ids ...string) {
	switch {
	case r.Method == http.MethodGet && len(ids) == 0:
		answer(w, e.Faults())
	case r.Method == http.MethodPost && len(ids) == 0:
		if permitted(w, r, http.MethodPost) {
			added, err := e.addFrom(r.Context(), http.MaxBytesReader(w, r.Body, mostOfFault))
			reply(w, added, err)
		}
	default:
		if permitted(w, r, http.MethodDelete) {
			cleared, err := e.ClearFaults(r.Context(), ids...)
			reply(w, orNone(cleared), err)
		}
	}
}

// orNone has an empty list be written as one.
func orNone(list []faults.Fault) []faults.Fault {
	if list == nil {
		return []faults.Fault{}
	}
	return list
}

func (e *Engine) addFrom(ctx context.Context, body io.Reader) (faults.Fault, error) {
	var f faults.Fault
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fault.New(fault.Invalid, "cannot read the fault: %w", err)
	}
	if f.ID != "" || f.Hits != 0 || len(f.Affected) > 0 || !f.Since.IsZero() {
		return f, fault.New(fault.Invalid, "cannot add the fault: id, since, hits and affected are the engine's to say")
	}
	return e.AddFault(ctx, f)
}

// faultPatience is how long freezing and thawing containers may take.
const faultPatience = time.Minute

// AddFault puts a fault in force in the engine at an endpoint.
func AddFault(ctx context.Context, endpoint string, f faults.Fault) (added faults.Fault, err error) {
	ctx, cancel := context.WithTimeout(ctx, faultPatience)
	defer cancel()
	err = call(ctx, http.MethodPost, endpoint, faultsPath, f, &added)
	return added, err
}

// Faults returns the faults in force in the engine at an endpoint.
func Faults(ctx context.Context, endpoint string) (list []faults.Fault, err error) {
	ctx, cancel := context.WithTimeout(ctx, faultPatience)
	defer cancel()
	err = call(ctx, http.MethodGet, endpoint, faultsPath, nil, &list)
	return list, err
}

// ClearFault takes a fault out of force in the engine at an endpoint; all of them when id is empty. It returns those.
func ClearFault(ctx context.Context, endpoint, id string) (cleared []faults.Fault, err error) {
	ctx, cancel := context.WithTimeout(ctx, faultPatience)
	defer cancel()
	path := faultsPath
	if id != "" {
		path += "/" + url.PathEscape(id)
	}
	err = call(ctx, http.MethodDelete, endpoint, path, nil, &cleared)
	return cleared, err
}
