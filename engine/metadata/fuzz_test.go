package metadata_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/metadata"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/engine/state"
)

// FuzzPath: nobody gets anything by a path that is not that of a container, and no path makes the endpoint fail.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"/v4/", "/v4/x/task", "/v4/0123456789abcdef0123456789abcdef-0000000000/task/stats", "/v4/%00", "/v4/../v4/x", "/v4/-", "/v4/x/taskWithTags",
		lifecycle.CredentialsPath, lifecycle.CredentialsPath + "x", lifecycle.CredentialsPath + "../../v4", "//v4//x", "/v4/" + strings.Repeat("a", 10_000),
	} {
		f.Add("GET", seed)
	}
	f.Add("POST", "/v4/x")
	f.Add("HEAD", lifecycle.CredentialsPath+"x")
	e, err := engine.Open(f.Context(), engine.Options{Dir: f.TempDir(), Runtime: scripted.New(1000), Speed: 1000, Addresses: netip.MustParsePrefix("127.77.2.0/24")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = e.Stop(context.Background()) })
	known := state.TaskID("0123456789abcdef0123456789abcdef")
	err = e.DB().Write(func(tx *state.Tx) error {
		d := &state.TaskDefinition{TaskDefinitionID: state.TaskDefinitionID{Family: "web", Revision: 1}}
		tx.Put(d)
		tx.Put(&state.Task{ID: known, Cluster: "c", TaskDefinition: d.TaskDefinitionID, Containers: []state.Container{{Name: "app"}}})
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	handler := metadata.Handler(e)
	f.Fuzz(func(t *testing.T, method, path string) {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Method, r.URL = method, &url.URL{Path: path}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == http.StatusOK || w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %q: %d %s", method, path, w.Code, w.Body)
		}
	})
}
