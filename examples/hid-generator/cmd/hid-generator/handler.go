package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// newHandler answers the service's requests. Once leaving is closed, every answer asks for the connection to be closed,
// so that no client sends another request into a connection that is about to go.
func newHandler(s settings, leaving <-chan struct{}) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"hid": newHID(), "version": s.version})
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if s.failHealth != 0 {
			w.WriteHeader(s.failHealth)
			fmt.Fprintf(w, "%s is not healthy\n", s.version)
			return
		}
		fmt.Fprintf(w, "%s\n", s.version)
	})
	mux.HandleFunc("POST /{$}", name)
	mux.HandleFunc("GET /stream", stream)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", s.version)
		select {
		case <-leaving:
			w.Header().Set("Connection", "close")
		default:
		}
		mux.ServeHTTP(w, r)
	})
}

// longestText is how much a text that is to be named may have.
const longestText = 1 << 20

// name gives the text in the body an identifier, and says how long a text it was that arrived.
func name(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestText))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{"hid": newHID(), "bytes": len(text)})
}

// Limits of one stream.
const (
	mostChunks    = 1000
	longestPeriod = 10 * time.Second
)

// stream sends ?count=10 identifiers, one every ?interval=100ms, as server-sent events.
func stream(w http.ResponseWriter, r *http.Request) {
	count, interval := 10, 100*time.Millisecond
	if text := r.FormValue("count"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostChunks {
			http.Error(w, "count: a number from 1 to "+strconv.Itoa(mostChunks), http.StatusBadRequest)
			return
		}
		count = n
	}
	if text := r.FormValue("interval"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > longestPeriod {
			http.Error(w, "interval: a duration of at most "+longestPeriod.String(), http.StatusBadRequest)
			return
		}
		interval = d
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flusher := http.NewResponseController(w)
	for i := range count {
		if i > 0 && wait(r.Context(), interval) != nil {
			return
		}
		fmt.Fprintf(w, "id: %d\ndata: %s\n\n", i+1, newHID())
		if flusher.Flush() != nil {
			return
		}
	}
}
