package awswire

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/google/go-cmp/cmp"
)

// notServed are the golden files that cannot pass, with the reason. Of ECS there are none.
var notServed = map[string]string{
	"cloudwatchlogs/StartLiveTail": "an event stream",
	"cloudwatchlogs/GetLogObject":  "an event stream",
}

type golden struct {
	name   string
	status int
	body   []byte
}

// readGolden reads a file of the SDK: a line with the status or the request line, headers, an empty line, the body.
func readGolden(t *testing.T, file string) golden {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	first, rest, _ := bytes.Cut(raw, []byte("\n"))
	_, body, _ := bytes.Cut(bytes.TrimPrefix(rest, []byte("\n")), []byte("\n\n"))
	status, _ := strconv.Atoi(string(first))
	return golden{name, status, body}
}

func sameJSON(t *testing.T, want, got []byte) {
	t.Helper()
	var w, g any
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatalf("%v in %s", err, want)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestGoldenRequestsDecodeToWhatTheSDKSendsAgain(t *testing.T) {
	t.Parallel()
	for _, m := range jsonModules {
		service := m.service(nil)
		protocol := awsjson.New11(m.schema)
		for _, file := range m.goldenFiles(t, "request_snapshot/*.request.snap") {
			g := readGolden(t, file)
			if _, skip := notServed[m.name+"/"+g.name]; skip {
				continue
			}
			t.Run(m.name+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				op := service.operations[g.name]
				in := reflect.New(op.in).Interface()
				if err := service.inputs.read(g.body, in, defaultMaxItems, func(path string) { t.Errorf("unknown member %s", path) }); err != nil {
					t.Fatal(err)
				}
				schema, err := schemaOf(op.in)
				if err != nil {
					t.Fatal(err)
				}
				r := smithyhttp.NewStackRequest().(*smithyhttp.Request)
				if err := protocol.SerializeRequest(t.Context(), smithy.NewOperationSchema(schema, schema, nil), in.(smithy.Serializable), r); err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(r.Build(t.Context()).Body)
				if err != nil {
					t.Fatal(err)
				}
				sameJSON(t, g.body, body)
			})
		}
	}
}

func TestGoldenAnswersReadByTheSDKAreWrittenAgain(t *testing.T) {
	t.Parallel()
	for _, m := range jsonModules {
		service := m.service(nil)
		protocol := awsjson.New11(m.schema)
		w := &jsonWriter{}
		for _, file := range m.goldenFiles(t, "response_snapshot/*.response.snap") {
			g := readGolden(t, file)
			if _, skip := notServed[m.name+"/"+g.name]; skip {
				continue
			}
			t.Run(m.name+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				op := service.operations[g.name]
				out := reflect.New(op.out).Interface()
				schema, err := schemaOf(op.out)
				if err != nil {
					t.Fatal(err)
				}
				r := &smithyhttp.Response{Response: &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(g.body))}}
				if err := protocol.DeserializeResponse(t.Context(), smithy.NewOperationSchema(schema, nil, schema), m.registry, r, out.(smithy.Deserializable)); err != nil {
					t.Fatal(err)
				}
				body, err := w.write(nil, out)
				if err != nil {
					t.Fatal(err)
				}
				if len(bytes.TrimSpace(g.body)) == 0 {
					g.body = []byte("{}")
				}
				sameJSON(t, g.body, body)
			})
		}
	}
}

func TestGoldenErrorsReadByTheSDKAreWrittenAgain(t *testing.T) {
	t.Parallel()
	for _, m := range jsonModules {
		protocol := awsjson.New11(m.schema)
		w := &jsonWriter{}
		for _, file := range m.goldenFiles(t, "response_snapshot/*.error.snap") {
			g := readGolden(t, file)
			t.Run(m.name+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				r := &smithyhttp.Response{Response: &http.Response{StatusCode: g.status, Body: io.NopCloser(bytes.NewReader(g.body))}}
				err := protocol.DeserializeResponse(t.Context(), smithy.NewOperationSchema(nil, nil, nil), m.registry, r, nil)
				a, withheld := answerFor(err, protocolJSON)
				if withheld {
					t.Fatalf("%v is no API error", err)
				}
				if a.status != g.status {
					t.Errorf("status = %d, want %d", a.status, g.status)
				}
				sameJSON(t, g.body, w.failure(a))
			})
		}
	}
}

func TestGoldenFormsDecodeToWhatTheSDKSendsAgain(t *testing.T) {
	t.Parallel()
	for _, m := range queryModules {
		service := m.service(nil)
		for _, file := range m.goldenFiles(t, "request_snapshot/*.request.snap") {
			g := readGolden(t, file)
			t.Run(m.name+"/"+g.name, func(t *testing.T) {
				t.Parallel()
				want, err := url.ParseQuery(string(g.body))
				if err != nil {
					t.Fatal(err)
				}
				in := reflect.New(service.operations[g.name].in).Interface()
				if err := readQuery(want, in, defaultMaxItems, func(path string) { t.Errorf("unknown member %s", path) }); err != nil {
					t.Fatal(err)
				}
				var got url.Values
				client := m.client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					got, _ = url.ParseQuery(string(body))
					w.WriteHeader(http.StatusTeapot)
				}))
				_, _ = call(t, client, g.name, in) // the teapot is no answer; what was sent counts
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			})
		}
	}
}

// call calls an operation of an SDK client and returns its output and error.
func call(t testing.TB, client any, operation string, in any) (any, error) {
	t.Helper()
	method := reflect.ValueOf(client).MethodByName(operation)
	results := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), reflect.ValueOf(in)})
	err, _ := reflect.TypeAssert[error](results[1])
	return results[0].Interface(), err
}

func TestNotServedIsShort(t *testing.T) {
	t.Parallel()
	for name := range notServed {
		module, op, _ := strings.Cut(name, "/")
		if !slices.ContainsFunc(jsonModules, func(m sdkModule) bool { return m.name == module && slices.Contains(m.streams, op) }) {
			t.Errorf("%s is listed as not served but served", name)
		}
	}
}

// The numbers are those of the SDK's present version, so that no file is passed over unnoticed.
func TestEveryGoldenFileOfECSIsRead(t *testing.T) {
	t.Parallel()
	ecs := jsonModules[0]
	for pattern, want := range map[string]int{"request_snapshot/*.snap": 88, "response_snapshot/*.response.snap": 88, "response_snapshot/*.error.snap": 31} {
		if got := len(ecs.goldenFiles(t, pattern)); got != want {
			t.Errorf("%s: %d files, want %d", pattern, got, want)
		}
	}
	for name := range notServed {
		if strings.HasPrefix(name, "ecs/") {
			t.Errorf("%s is passed over", name)
		}
	}
}
