package hook

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/fault"
)

func TestFunctionsAreURLsOrCommands(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/down" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(r.Method + " " + r.Header.Get("Content-Type") + " " + string(body)))
	}))
	t.Cleanup(server.Close)
	for text, want := range map[string]struct{ answer, err string }{
		"check=" + server.URL:               {answer: `POST application/json {"a":1}`},
		"check=" + server.URL + "/down":     {err: "/down answered 503 Service Unavailable: POST application/json"},
		"check=exec:cat; echo ' and more'":  {answer: `{"a":1} and more`},
		"check=exec:echo sorry >&2; exit 3": {err: "exit status 3: sorry"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			name, f, err := Parse(text)
			if err != nil || name != "check" {
				t.Fatalf("name %q, error %v", name, err)
			}
			got, err := f(t.Context(), []byte(`{"a":1}`))
			if strings.TrimSpace(string(got)) != want.answer || (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
				t.Errorf("answer %q, error %v", got, err)
			}
		})
	}
}

func TestNonsenseIsNoFunction(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "check", "=http://a", "check=", "check=exec:", "check=exec: ", "check=ftp://a", "check=http://", "a b=http://a", "arn:aws:lambda=http://a"} {
		if name, f, err := Parse(text); fault.KindOf(err) != fault.Invalid || f != nil {
			t.Errorf("%q: name %q, error %v", text, name, err)
		}
	}
}
