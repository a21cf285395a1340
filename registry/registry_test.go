package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	server "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/slipway-cd/slipway/fault"
)

// start serves a registry on a loopback address behind wrap, and returns its name in references.
func start(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	handler := server.New(server.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		handler = wrap(handler)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func someImage(t *testing.T) v1.Image {
	t.Helper()
	img, err := random.Image(200_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func anonymous() *Client { return New(Options{Keychain: authn.NewMultiKeychain()}) }

func TestWhatWasPushedIsResolvedAndPulled(t *testing.T) {
	t.Parallel()
	ref, c, img := start(t, nil)+"/team/app:1.0", anonymous(), someImage(t)
	var seen []Progress
	digest, err := c.Push(t.Context(), ref, img, func(p Progress) { seen = append(seen, p) })
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) == 0 || seen[len(seen)-1].Done != seen[len(seen)-1].Total || seen[len(seen)-1].Done < 600_000 {
		t.Errorf("progress %v", seen)
	}
	if got, err := c.Resolve(t.Context(), ref); err != nil || got != digest {
		t.Errorf("Resolve = %s, %v; pushed %s", got, err, digest)
	}
	if got, err := c.Exists(t.Context(), ref); err != nil || !got {
		t.Errorf("Exists = %v, %v", got, err)
	}
	pulled, err := c.Pull(t.Context(), ref, v1.Platform{OS: "linux", Architecture: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(pulled); err != nil {
		t.Error(err)
	}
	if _, err := c.Push(t.Context(), ref, img, nil); err != nil {
		t.Errorf("pushing the same again: %v", err)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	host, c := start(t, nil), anonymous()
	if _, err := c.Push(t.Context(), host+"/app:1", someImage(t), nil); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{host + "/app:2", host + "/other:1"} {
		if ok, err := c.Exists(t.Context(), ref); ok || err != nil {
			t.Errorf("Exists(%s) = %v, %v", ref, ok, err)
		}
		_, err := c.Pull(t.Context(), ref, v1.Platform{})
		if fault.KindOf(err) != fault.NotFound || fault.HintOf(err) == "" || !strings.Contains(err.Error(), ref) {
			t.Errorf("Pull(%s): %s %v", ref, fault.KindOf(err), err)
		}
	}
}

func TestCredentialsComeFromTheLoginElseFromDocker(t *testing.T) {
	t.Parallel()
	guard := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if user, password, _ := req.BasicAuth(); user != "AWS" || password != "token-4711" {
				w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
				w.WriteHeader(http.StatusUnauthorized)
				fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"Your authorization token has expired."}]}`)
				return
			}
			next.ServeHTTP(w, req)
		})
	}
	host := start(t, guard)
	login := func(user, password string) Login {
		return func(_ context.Context, asked string) (Credentials, error) {
			if asked != host {
				return Credentials{}, fmt.Errorf("asked for %s", asked)
			}
			return Credentials{user, password}, nil
		}
	}
	docker := keychainOf{"AWS", "token-4711"}
	for title, tc := range map[string]struct {
		opts Options
		want fault.Kind
	}{
		"login":               {Options{Login: login("AWS", "token-4711"), Keychain: keychainOf{"AWS", "other"}}, ""},
		"docker":              {Options{Keychain: docker}, ""},
		"login has nothing":   {Options{Login: login("", ""), Keychain: docker}, ""},
		"nothing":             {Options{Keychain: authn.NewMultiKeychain()}, fault.Denied},
		"wrong":               {Options{Login: login("AWS", "wrong-secret")}, fault.Denied},
		"the login fails":     {Options{Login: func(context.Context, string) (Credentials, error) { return Credentials{}, io.ErrUnexpectedEOF }}, fault.Denied},
		"the helper is wrong": {Options{Keychain: brokenKeychain{}}, fault.Denied},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			_, err := New(tc.opts).Push(t.Context(), host+"/app:1", someImage(t), nil)
			if tc.want == "" && err == nil {
				return
			}
			if got := fault.KindOf(err); err == nil || got != tc.want {
				t.Errorf("kind %s of %v, want %s", got, err, tc.want)
			}
			if text := fmt.Sprint(err, fault.HintOf(err)); strings.Contains(text, "wrong-secret") {
				t.Errorf("the password is in %q", text)
			}
		})
	}
}

func TestDockersConfigurationIsRead(t *testing.T) { //nolint:paralleltest // it sets an environment variable
	host := start(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if user, _, _ := req.BasicAuth(); user != "dora" {
				w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, req)
		})
	})
	dir := t.TempDir()
	config, err := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{"username": "dora", "password": "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir)
	if _, err := New(Options{}).Push(t.Context(), host+"/app:1", someImage(t), nil); err != nil {
		t.Error(err)
	}
}

type keychainOf struct{ user, password string }

func (k keychainOf) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: k.user, Password: k.password}, nil
}

type brokenKeychain struct{}

func (brokenKeychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return nil, io.ErrUnexpectedEOF
}

func TestAnswersHaveTheirKind(t *testing.T) {
	t.Parallel()
	for title, tc := range map[string]struct {
		status int
		body   string
		want   fault.Kind
	}{
		"immutable tag, as Amazon ECR says it": {400, `{"errors":[{"code":"TAG_INVALID","message":"The image tag '1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable."}]}`, fault.Conflict},
		"immutable tag, as Harbor says it":     {412, `{"errors":[{"code":"PRECONDITION","message":"Failed to process request due to 'app:1' configured as immutable."}]}`, fault.Conflict},
		"no repository":                        {404, `{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'app' does not exist"}]}`, fault.NotFound},
		"not allowed":                          {403, `{"errors":[{"code":"DENIED","message":"User is not authorized to perform ecr:PutImage"}]}`, fault.Denied},
		"a bad manifest":                       {400, `{"errors":[{"code":"MANIFEST_INVALID","message":"no"}]}`, fault.Invalid},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			host := start(t, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					if req.Method != http.MethodPut || !strings.Contains(req.URL.Path, "/manifests/") {
						next.ServeHTTP(w, req)
						return
					}
					w.WriteHeader(tc.status)
					fmt.Fprint(w, tc.body)
				})
			})
			_, err := anonymous().Push(t.Context(), host+"/app:1", someImage(t), nil)
			if got := fault.KindOf(err); got != tc.want {
				t.Errorf("kind %s, want %s: %v", got, tc.want, err)
			}
		})
	}
}

func TestARegistryThatDoesNotAnswerIsUnavailable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = anonymous().Resolve(t.Context(), host+"/app:1")
	if fault.KindOf(err) != fault.Unavailable || strings.Count(err.Error(), "refused") != 1 {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
	if ok, err := anonymous().Exists(t.Context(), host+"/app:1"); ok || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("Exists = %v, %v", ok, err)
	}
}

func TestAStoppedPushIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	host := start(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodPatch {
				cancel()
			}
			next.ServeHTTP(w, req)
		})
	})
	_, err := anonymous().Push(ctx, host+"/app:1", someImage(t), nil)
	if fault.KindOf(err) != fault.Interrupted {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
}

func TestAReferenceThatIsNoneIsInvalid(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"", "UPPER", "a b", "host/app:1:2", "host/app@sha256:12"} {
		if _, err := anonymous().Resolve(t.Context(), ref); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestOnlyLoopbackIsSpokenToInTheClear(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"127.0.0.1:5000": "http", "127.9.8.7": "http", "localhost": "http", "localhost:80": "http", "[::1]:5000": "http", "[::1]": "http",
		"10.0.0.1:5000": "https", "192.168.1.1": "https", "registry.local": "https", "localhost.example.com": "https",
		"127.0.0.1.example.com": "https", "123456789012.dkr.ecr.eu-west-1.amazonaws.com": "https", "[2001:db8::1]:443": "https",
	} {
		var got string
		next := roundTrip(func(req *http.Request) (*http.Response, error) {
			got = req.URL.Scheme
			return nil, io.EOF
		})
		for _, asked := range []string{"http", "https"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, asked+"://"+host+"/v2/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := (schemes{next}).RoundTrip(req); err != io.EOF || got != want { //nolint:errorlint // it must arrive unwrapped
				t.Errorf("%s asked over %s goes over %s, want %s", host, asked, got, want)
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestPrintedCredentialsShowNoSecret(t *testing.T) {
	t.Parallel()
	c := Credentials{"AWS", "token-4711"}
	encoded, err := json.Marshal(map[string]any{"c": c})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %v", c, c, &c), string(encoded)} {
		if strings.Contains(text, "4711") {
			t.Errorf("the secret is in %q", text)
		}
	}
}
