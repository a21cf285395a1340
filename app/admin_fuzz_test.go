package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFaultRequest: whatever is asked of the list of faults, the answer is a document, and nothing of it is the engine's fault.
func FuzzFaultRequest(f *testing.F) {
	for _, body := range []string{
		`{"kind": "fail", "target": "ecs:*", "error": "ServerException", "status": 500, "percent": 10}`,
		`{"kind": "delay", "target": "*", "delaySeconds": 1e300}`,
		`{"kind": "kill", "target": "us-east-1a"}`,
		`{"kind": "freeze", "target": "web", "cluster": "c", "tasks": -1}`,
		`{"kind": "pull", "target": "*", "cause": "missing", "forSeconds": 0.001}`,
		`{"kind": "spaceship"}`, `[]`, `{"id": "1"}`, ``,
	} {
		f.Add(http.MethodPost, "", body)
	}
	f.Add(http.MethodDelete, "/1", "")
	f.Add(http.MethodGet, "", "")
	e, err := NewEngine(f.Context(), EngineOptions{Listen: "127.0.0.1:0", Dir: filepath.Join(f.TempDir(), "engine"), Runtime: Scripted, Speed: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = e.Stop(context.Background()) })
	f.Fuzz(func(t *testing.T, method, id, body string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://engine/", strings.NewReader(body))
		r.Method, r.URL.Path = method, faultsPath+id
		r.Header.Set(adminHeader, "1")
		w := httptest.NewRecorder()
		e.server.Handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s %s: %d %s", method, id, body, w.Code, w.Body)
		}
		if w.Code == http.StatusOK && !json.Valid(w.Body.Bytes()) {
			t.Errorf("no JSON: %s", w.Body)
		}
		if _, err := e.ClearFaults(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
