package bus

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"go.uber.org/goleak"

	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/state"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a bus with one rule that matches everything from "shop", and two places: a URL and a file.
type house struct {
	*testing.T
	*Bus
	db   *state.DB
	file string
}

func newHouse(t *testing.T, url string) *house {
	t.Helper()
	store, err := logs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t, db: state.New(nil), file: filepath.Join(t.TempDir(), "events")}
	h.Bus = New(Options{DB: h.db, Logs: store, Speed: 1000, Account: "1", Region: "r", Targets: map[string]string{"file": "file:" + h.file, "url": url}})
	return h
}

func (h *house) put(r *state.EventRule) {
	h.Helper()
	if err := h.db.Write(func(tx *state.Tx) error { tx.Put(r); return nil }); err != nil {
		h.Fatal(err)
	}
}

func rule(target types.Target) *state.EventRule {
	target.Id = aws.String("1")
	return &state.EventRule{Name: "r", Doc: types.Rule{EventPattern: aws.String(`{"source": ["shop"]}`)}, Targets: []types.Target{target}}
}

func (h *house) lines() []string {
	h.Helper()
	if err := h.Stop(h.Context()); err != nil {
		h.Fatal(err)
	}
	text, err := os.ReadFile(h.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestWhatWaitsIsDeliveredWhenTheBusStops(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	h.put(rule(types.Target{Arn: aws.String("arn:aws:sqs:r:1:file")}))
	for range 200 {
		h.Put(Event{Source: "shop", DetailType: "x", Detail: json.RawMessage("{}")})
		h.Put(Event{Source: "other", DetailType: "x", Detail: json.RawMessage("{}")})
	}
	if n := len(h.lines()); n != 200 {
		t.Errorf("%d lines", n)
	}
	h.Put(Event{Source: "shop"}) // too late
}

func TestARuleThatIsDisabledOrHasNoTargetsSendsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	r := rule(types.Target{Arn: aws.String("arn:aws:sqs:r:1:file")})
	r.Doc.State = types.RuleStateDisabled
	h.put(r)
	if h.Wanted() {
		t.Error("events are wanted for a rule that is disabled")
	}
	h.Put(Event{Source: "shop", Detail: json.RawMessage("{}")})
	if lines := h.lines(); lines[0] != "" {
		t.Error(lines)
	}
}

func TestATargetThatIsGoneOrDeadHoldsNothingUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "http://127.0.0.1:1") // nobody listens
	h.put(rule(types.Target{Arn: aws.String("arn:aws:lambda:r:1:function:url")}))
	h.Put(Event{Source: "shop", Detail: json.RawMessage("{}")})
	h.put(rule(types.Target{Arn: aws.String("arn:aws:sqs:r:1:nobody")}))
	h.Put(Event{Source: "shop", Detail: json.RawMessage("{}")})
	begin := time.Now()
	h.lines()
	if took := time.Since(begin); took > grace {
		t.Errorf("stopping took %s", took)
	}
}

func TestATargetThatHangsIsGivenUpWhenTheBusStops(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(begun)
		<-release
	}))
	defer server.Close()
	defer close(release)
	h := newHouse(t, server.URL)
	h.put(rule(types.Target{Arn: aws.String("arn:aws:lambda:r:1:function:url")}))
	h.Put(Event{Source: "shop", Detail: json.RawMessage("{}")})
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := h.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	h.running.Wait()
}

func TestInputPathsAreNamesAndIndexes(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"$": `{"a":{"b-c":[1,{"d":"x"}]}}`, "$.a.b-c[0]": "1", "$.a['b-c'][1].d": `"x"`, "$.a.none": "null", "$.a.b-c[7]": "null", "$[0]": "null",
	} {
		got, err := Input(rule(types.Target{}), types.Target{InputPath: &path}, []byte(`{"a":{"b-c":[1,{"d":"x"}]}}`))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want %s", path, got, err, want)
		}
	}
	for _, path := range []string{"", "a", "$a", "$.", "$..a", "$.a[*]", "$.a[x]", "$['a", "$.a.*", "$[-1]"} {
		if CheckInput(types.Target{InputPath: &path}) == nil {
			t.Errorf("%q is taken for a path", path)
		}
	}
}

// FuzzInput: whatever path or template is written, it is refused or makes a text of any event.
func FuzzInput(f *testing.F) {
	f.Add("$.detail.a[0]", `{"x": "<name> <aws.events.event>", "y": <name>}`, `{"detail": {"a": ["b"]}}`)
	f.Fuzz(func(t *testing.T, path, template, event string) {
		target := types.Target{InputTransformer: &types.InputTransformer{InputPathsMap: map[string]string{"name": path}, InputTemplate: &template}}
		if CheckInput(target) != nil || !json.Valid([]byte(event)) {
			return
		}
		if _, err := Input(rule(target), target, []byte(event)); err != nil {
			t.Errorf("%q was taken for a path: %v", path, err)
		}
	})
}
